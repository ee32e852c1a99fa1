"""How many requests are open at once, in simulated worlds."""

import pytest

from mailinglist.sending.in_flight import LEAST, RELEARN_AFTER, START, InFlight


def settle(found: InFlight, latency: float, work: float, answers: int = 4000) -> int:
    """A world in which ``latency`` seconds pass on the way and the other end works ``work`` seconds a request, one at
    a time: more requests than that keeps busy only wait for each other.
    """
    for _ in range(answers):
        n = found.allowed
        found.observe(max(latency + work, n * work), n)
    return found.allowed


def test_far_away_many_are_open() -> None:
    assert settle(InFlight(100), latency=0.05, work=0.0003) >= 90


def test_near_by_few_are_open() -> None:
    assert settle(InFlight(100), latency=0.0003, work=0.0003) <= 25


def test_when_ses_slows_down_fewer_are_open() -> None:
    found = InFlight(100)
    before = settle(found, latency=0.03, work=0.0002)
    assert settle(found, latency=0.03, work=0.02) < before / 3


def test_when_the_way_gets_longer_for_good_the_number_comes_back() -> None:
    found = InFlight(100)
    settle(found, latency=0.005, work=0.0002)
    assert settle(found, latency=0.1, work=0.0002, answers=30_000) >= 90


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_the_bounds_are_kept(most: int) -> None:
    found = InFlight(most)
    for seconds in (0.001, 5.0) * 500:
        found.observe(seconds, found.allowed)
        assert 1 <= found.allowed <= most
        assert found.allowed >= min(most, LEAST)


def test_a_number_that_is_not_used_does_not_grow() -> None:
    found = InFlight(100)
    for _ in range(1000):
        found.observe(0.01, 1)
    assert found.allowed <= 12


def test_the_first_steps_are_fourfold_until_an_answer_slows_down() -> None:
    learnt = InFlight(most=1000)
    for _ in range(3):
        for _ in range(max(10, learnt.allowed)):
            learnt.observe(0.05, learnt.allowed)
    assert learnt.allowed == START * 4**3
    for _ in range(learnt.allowed):
        learnt.observe(0.5, learnt.allowed)
    slower = learnt.allowed
    assert slower < START * 4**3
    for _ in range(slower + 1):
        learnt.observe(0.05, slower)
    assert slower < learnt.allowed < slower * 1.5


def test_learning_anew_halves_and_is_back_after_one_round() -> None:
    learnt = InFlight(most=400, limit=400)
    for _ in range(RELEARN_AFTER + 400):
        learnt.observe(0.05, learnt.allowed)
        if learnt.allowed < 400:
            break
    assert learnt.allowed == 200
    for _ in range(200):
        learnt.observe(0.08, 200)
    assert learnt.allowed == 400
