"""When bounces are a wave: many, a large share, and far above what is usual; and how waves become one."""

from datetime import UTC, datetime

import pytest

from bounces.waves import BLOCK, HARD, QUIET, SLOT, Limits, Slot, baseline, waves

T0 = datetime(2020, 12, 14, 20, 0, tzinfo=UTC)
LIMITS = Limits(minimum=20, share=0.05, factor=5.0, window=4)


def slot(number: int, seen: int, hard: int = 0, block: int = 0) -> Slot:
    return Slot(T0 + number * SLOT, seen, hard=hard, block=block)


@pytest.mark.parametrize(
    ("seen", "hard", "usual", "is_wave"),
    [
        (100, 20, 0.005, True),
        (100, 19, 0.005, False),  # too few people
        (400, 20, 0.005, True),  # just five per cent
        (401, 20, 0.005, False),  # too small a share
        (100, 20, 0.04, True),  # five times the usual
        (100, 20, 0.041, False),  # a provider that always bounces
        (0, 20, 0.005, True),  # bounces came before any delivery was reported
    ],
)
def test_a_wave_has_enough_people_a_large_share_and_far_more_than_usual(
    seen: int, hard: int, usual: float, is_wave: bool
) -> None:
    assert bool(waves([slot(0, seen, hard)], HARD, usual, LIMITS)) == is_wave


def test_hard_bounces_and_blocks_are_waves_of_their_own() -> None:
    found = [slot(0, 100, hard=5, block=40)]
    assert waves(found, HARD, 0.005, LIMITS) == []
    assert waves(found, BLOCK, 0.005, LIMITS)[0].share == 0.4


def test_a_window_slides_over_the_hour_and_no_further() -> None:
    within = [slot(number, 50, 5) for number in range(4)]
    assert len(waves(within, HARD, 0.005, LIMITS)) == 1
    apart = [slot(number * 2, 50, 5) for number in range(4)]
    assert waves(apart, HARD, 0.005, LIMITS) == []


def test_a_wave_begins_with_its_first_bounce_and_ends_with_its_last_window() -> None:
    found = waves([slot(0, 500), slot(1, 100, 30), slot(2, 100, 30), slot(9, 100)], HARD, 0.005, LIMITS)
    assert [(wave.starts_at, wave.ends_at) for wave in found] == [(T0 + SLOT, T0 + 3 * SLOT)]
    assert found[0].share == pytest.approx(60 / 700)


def test_waves_less_than_six_hours_apart_are_one() -> None:
    near, far = int(QUIET / SLOT), int(QUIET / SLOT) + 2
    one = waves([slot(0, 100, 50), slot(near, 100, 60)], HARD, 0.005, LIMITS)
    assert [(wave.starts_at, wave.ends_at, wave.share) for wave in one] == [(T0, T0 + (near + 1) * SLOT, 0.6)]
    assert len(waves([slot(0, 100, 50), slot(far, 100, 60)], HARD, 0.005, LIMITS)) == 2


def test_the_order_of_the_slots_does_not_matter() -> None:
    found = [slot(number, 100, number * 10) for number in range(6)]
    assert waves(found, HARD, 0.005, LIMITS) == waves(found[::-1], HARD, 0.005, LIMITS)


def test_the_usual_share_of_a_short_history_is_half_a_per_cent() -> None:
    assert baseline(0, 0) == 1 / 200
    assert baseline(100_000, 500) == pytest.approx(0.005, rel=0.01)
