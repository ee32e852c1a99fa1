"""Who gets how much of the rate: simulated seconds on one budget, without a database."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailinglist.sending.budget import CAMPAIGN_SHARE, Budget, decide, present_rate, refilled, returned

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def budget(rate: float, **values: Any) -> Budget:
    return Budget(rate, -1, 0, 0, NOW, **values)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def greedy(
    state: Budget, seconds: float, every: Mapping[int, float], *, parts: Mapping[int, float] | None = None
) -> tuple[Counter[int], Budget]:
    """Campaigns that ask for 100 permits again and again, each after its own pause."""
    got: Counter[int] = Counter()
    due = dict.fromkeys(every, 0.0)
    while (now := min(due.values())) < seconds:
        who = min(due, key=lambda key: due[key])
        part = (parts or {}).get(who, 1.0)
        permit, state = decide(
            refilled(state, after(now)), 100, after(now), share=CAMPAIGN_SHARE, campaign_id=who, part=part
        )
        got[who] += permit.granted
        due[who] = now + max(every[who], permit.wait_seconds)
    return got, state


@pytest.mark.parametrize("rate", [1, 5, 14, 50, 500])
@pytest.mark.parametrize("every", [{1: 0.01, 2: 0.01}, {1: 0.003, 2: 0.05}, {1: 0.005, 2: 0.02, 3: 0.01}])
def test_campaigns_that_send_at_once_get_the_same_and_together_all(
    rate: float, every: dict[int, float]
) -> None:
    got, _ = greedy(budget(rate), 60, every)
    assert sum(got.values()) >= 60 * rate * 0.95
    assert max(got.values()) - min(got.values()) <= 0.15 * sum(got.values()) / len(every) + 2


def test_one_that_comes_later_gets_its_part_within_seconds() -> None:
    _, state = greedy(budget(50), 10, {1: 0.01})
    shifted = replace(state, refilled_at=NOW, takers={1: replace(state.takers[1], at=NOW)})
    got, _ = greedy(shifted, 4, {1: 0.01, 2: 0.01})
    assert got[2] >= 0.4 * 4 * 50


def test_what_one_campaign_leaves_goes_to_the_other() -> None:
    state, got, now = budget(100), Counter[int](), 0.0
    while now < 20:
        for who, n in ((1, 100), (2, 1)):  # the second asks for ten a second
            if who == 1 or round(now * 100) % 10 == 0:
                permit, state = decide(
                    refilled(state, after(now)), n, after(now), share=CAMPAIGN_SHARE, campaign_id=who
                )
                got[who] += permit.granted
        now += 0.01
    assert got[2] >= 190 and got[1] + got[2] >= 1900


@pytest.mark.parametrize("rate", [1, 2, 10, 100])
def test_mail_that_a_person_waits_for_finds_a_place_beside_a_campaign_at_full_speed(rate: float) -> None:
    _, state = greedy(budget(rate), 30, {1: 0.01})
    permit, _ = decide(refilled(state, after(30)), 1, after(30), share=1.0)
    assert permit.granted == 1 and permit.delays[0] <= 2.01


def test_a_burst_of_such_mail_goes_before_the_campaign() -> None:
    _, state = greedy(budget(20), 10, {1: 0.01})
    waited, now = 0.0, 10.0
    for _ in range(40):
        permit, state = decide(refilled(state, after(now)), 1, after(now), share=1.0)
        while not permit.granted:
            now += permit.wait_seconds
            decide(refilled(state, after(now)), 100, after(now), share=CAMPAIGN_SHARE, campaign_id=1)
            permit, state = decide(refilled(state, after(now)), 1, after(now), share=1.0)
        waited = max(waited, permit.delays[0])
    assert now - 10 <= 2.1 and waited <= 1.01


@pytest.mark.parametrize(("part", "most"), [(0.25, 25), (0.1, 10)])
def test_the_guards_part_is_a_limit_even_for_a_campaign_alone(part: float, most: float) -> None:
    got, _ = greedy(budget(100), 30, {1: 0.01}, parts={1: part})
    assert 0.9 * 30 * most <= got[1] <= 30 * most + most
    got, _ = greedy(budget(100, guard_factor=part), 30, {1: 0.01})
    assert 0.9 * 30 * most <= got[1] <= 30 * most + most


def test_a_campaign_that_gives_all_back_shares_with_nobody() -> None:
    state = budget(100)
    permit, state = decide(state, 10, NOW, share=CAMPAIGN_SHARE, campaign_id=2)
    state = returned(state, permit.granted, 2, NOW)
    assert state.takers == {}
    got, _ = greedy(state, 5, {1: 0.01})
    assert got[1] >= 475


def test_the_present_rate_is_that_of_the_last_moments() -> None:
    _, state = greedy(budget(40), 30, {1: 0.01})
    assert present_rate(state, after(30)) == pytest.approx(40, rel=0.1)
    assert present_rate(state, after(60)) < 0.2
