"""How many rows are claimed before a request is free for them."""

import pytest

from mailinglist.sending.ahead import LEAST, SECONDS, Ahead


def run_at(pace: int, seconds: float = 2.0, most: int = 400) -> Ahead:
    """After so many seconds in which answers came ``pace`` a second, some every hundredth."""
    found = Ahead(LEAST, most, 10.0)
    for step in range(1, int(seconds * 100) + 1):
        found.answered(pace * step // 100 - pace * (step - 1) // 100, 10 + step / 100)
    return found


@pytest.mark.parametrize(
    ("pace", "rows"),
    [(0, LEAST), (14, LEAST), (200, 200 * SECONDS), (1000, 1000 * SECONDS), (5000, 400)],
)
def test_so_many_wait_as_are_answered_in_a_moment(pace: int, rows: float) -> None:
    assert run_at(pace).rows == pytest.approx(rows, rel=0.15)


def test_a_ses_that_slows_down_is_noticed_at_once() -> None:
    found = run_at(5000)
    for moment in (12.2, 12.4):
        found.answered(2, moment)
    assert found.rows == LEAST


def test_few_in_hand_stay_few() -> None:
    assert run_at(5000, most=4).rows == 4
    assert Ahead(50, 4, 0.0).rows == 4
