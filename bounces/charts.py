"""PURE. A line chart as numbers for an SVG: nothing is drawn by the browser's script, so it works without any.

Called by the provider pages and the first page. The template adds words; the table under the chart has the same figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 720, 240
METER_WIDTH = 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 30
#: Ends of the scale, as shares; the smallest that holds all values is taken.
SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Line:
    """``style`` names the CSS class; ``points`` is what a polyline takes; ``dots`` are its single points."""

    name: str
    style: str
    points: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """``ticks``: (y, label) of the scale; ``marks``: (x, label) along the time."""

    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Meter:
    """A value on a bar whose marks are limits; all are x of a bar that is ``width`` wide."""

    value: float
    marks: tuple[float, ...]
    width: int = METER_WIDTH


def meter(share: float, marks: Sequence[float]) -> Meter:
    """A bar that ends a little behind the last mark; a larger share fills it."""
    end = max(marks) * 1.2
    return Meter(
        round(METER_WIDTH * min(share, end) / end, 1),
        tuple(round(METER_WIDTH * mark / end, 1) for mark in sorted(set(marks))),
    )


def bar(number: float, whole: float) -> Meter:
    """A bar without limits, as long as the share of ``whole``; empty without one."""
    return Meter(round(METER_WIDTH * min(1.0, number / whole), 1) if whole else 0.0, ())


def shares(
    times: Sequence[datetime], series: Sequence[tuple[str, str, Sequence[float]]], *, label: str
) -> Chart | None:
    """A chart of (name, style, shares in the order of ``times``); None where there is nothing to draw.

    ``label`` is the strftime pattern of the times.
    """
    if not times:
        return None
    top = max((value for _, _, values in series for value in values), default=0.0)
    scale = next((end for end in SCALES if top <= end), 1.0)
    return _drawn(times, series, scale, label, lambda value: f"{100 * value:g} %")


def numbers(
    times: Sequence[datetime], series: Sequence[tuple[str, str, Sequence[float]]], *, label: str
) -> Chart | None:
    """The same of whole numbers; None where all of them are 0."""
    top = max((value for _, _, values in series for value in values), default=0.0)
    if not top:
        return None
    return _drawn(times, series, _round_end(top), label, _short)


def _short(number: float) -> str:
    return f"{number / 1e6:g} M" if number >= 1e6 else f"{number:,.0f}"


def _round_end(top: float) -> float:
    """The smallest 4, 8, 20, 40 … that holds ``top``: its quarters are whole numbers."""
    power = 1
    while True:
        for end in (4, 8, 20):
            if top <= end * power:
                return end * power
        power *= 10


def _drawn(
    times: Sequence[datetime],
    series: Sequence[tuple[str, str, Sequence[float]]],
    scale: float,
    label: str,
    words: Callable[[float], str],
) -> Chart:
    first, span = times[0], (times[-1] - times[0]).total_seconds()

    def x(at: datetime) -> float:
        room = WIDTH - LEFT - RIGHT
        passed = (at - first).total_seconds()
        return round(LEFT + (room * passed / span if span else room / 2), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value, scale) / scale, 1)

    lines = []
    for name, style, values in series:
        dots = tuple((x(at), y(value)) for at, value in zip(times, values, strict=True))
        lines.append(Line(name, style, " ".join(f"{across},{down}" for across, down in dots), dots))
    ticks = tuple((y(scale * part / 4), words(scale * part / 4)) for part in range(5))
    chosen = sorted({times[0], times[len(times) // 2], times[-1]})
    return Chart(tuple(lines), ticks, tuple((x(at), at.strftime(label)) for at in chosen))
