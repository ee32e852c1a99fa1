"""PURE. A line chart as numbers for an SVG: nothing is drawn by the browser's script, so it works without any.

Called by the provider pages. The template adds words; the table under the chart has the same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 720, 240
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
    first, span = times[0], (times[-1] - times[0]).total_seconds()

    def x(at: datetime) -> float:
        room = WIDTH - LEFT - RIGHT
        passed = (at - first).total_seconds()
        return round(LEFT + (room * passed / span if span else room / 2), 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, scale) / scale, 1)

    lines = []
    for name, style, values in series:
        dots = tuple((x(at), y(value)) for at, value in zip(times, values, strict=True))
        lines.append(Line(name, style, " ".join(f"{across},{down}" for across, down in dots), dots))
    ticks = tuple((y(scale * part / 4), f"{100 * scale * part / 4:g} %") for part in range(5))
    chosen = sorted({times[0], times[len(times) // 2], times[-1]})
    return Chart(tuple(lines), ticks, tuple((x(at), at.strftime(label)) for at in chosen))
