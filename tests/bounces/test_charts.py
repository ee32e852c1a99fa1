"""The numbers behind a chart: everything inside the frame, the scale that fits, times in proportion."""

from datetime import UTC, datetime, timedelta

import pytest

from bounces import charts

T0 = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def chart(*values: float, times: list[datetime] | None = None) -> charts.Chart:
    times = times or [T0 + number * DAY for number in range(len(values))]
    found = charts.shares(times, [("bounced", "bounce", values)], label="%d %b")
    assert found is not None
    return found


def test_nothing_is_drawn_of_nothing() -> None:
    assert charts.shares([], [("bounced", "bounce", [])], label="%d") is None


@pytest.mark.parametrize(
    ("top", "label"),
    [(0.0, "1 %"), (0.004, "1 %"), (0.03, "5 %"), (0.4, "50 %"), (1.0, "100 %"), (1.7, "100 %")],
)
def test_the_scale_is_the_smallest_that_holds_everything(top: float, label: str) -> None:
    found = chart(0.0, top)
    assert found.ticks[-1][1] == label
    assert found.ticks[0][1] == "0 %"


def test_every_point_lies_inside_the_frame_and_higher_means_more() -> None:
    found = chart(0.0, 0.02, 0.01, 3.0)
    across, down = zip(*found.lines[0].dots, strict=True)
    assert list(across) == sorted(across)
    assert min(across) == found.left and max(across) == found.right
    assert max(down) == found.bottom and min(down) >= 0
    assert down[1] < down[2] < down[0]


def test_a_gap_in_time_is_a_gap_in_the_chart() -> None:
    found = chart(0.1, 0.1, 0.1, times=[T0, T0 + DAY, T0 + 10 * DAY])
    across = [dot[0] for dot in found.lines[0].dots]
    assert across[2] - across[1] == pytest.approx(9 * (across[1] - across[0]), rel=0.01)


def test_a_single_time_is_drawn_in_the_middle() -> None:
    found = chart(0.1)
    assert found.left < found.lines[0].dots[0][0] < found.right
    assert [label for _, label in found.marks] == ["01 Nov"]
