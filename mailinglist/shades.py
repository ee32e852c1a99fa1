"""PURE. Shades of one colour that can be read: on our paper and under our text, in light and dark pages.

Called by looks.py for the style sheet of a list. Buttons are filled with the manager's very colour, under white or
dark text; for text of that colour on the paper, only the lightness moves. Both have the contrast of WCAG 2.2 AA
(4.5 : 1), whatever colour was chosen.
"""

import colorsys
from dataclasses import dataclass

#: WCAG 2.2, 1.4.3: text against what is behind it.
LEAST_CONTRAST = 4.5
#: What the colour stands on: --paper and --card of app.css.
LIGHT_PAPERS = ("#faf7f2", "#ffffff")
DARK_PAPERS = ("#15181d", "#1d2229")
_WHITE, _INK = "#ffffff", "#0d1117"
#: How much lighter or darker the shade for what is pointed at is.
_STEP = 26
#: A fill that can hardly be told from the paper gets an edge of the readable shade.
_LEAST_EDGE = 1.3


@dataclass(frozen=True, slots=True)
class Shades:
    """Values of the variables of app.css; ``strong`` ones are for what is pointed at."""

    accent: str
    accent_strong: str
    fill: str
    fill_strong: str
    on_fill: str
    edge: str


def light(colour: str) -> Shades:
    """For light pages: as text the colour itself where it is dark enough, else the lightest shade of it that is."""
    return _shades(colour, LIGHT_PAPERS, step=-1)


def dark(colour: str) -> Shades:
    """For dark pages: as text the colour itself where it is light enough, else the darkest shade of it that is."""
    return _shades(colour, DARK_PAPERS, step=1)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#rrggbb) by WCAG 2.2, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _shades(colour: str, papers: tuple[str, ...], *, step: int) -> Shades:
    accent = _moved_until_read(colour, papers, step)
    on_fill = max(_WHITE, _INK, key=lambda text: contrast(colour, text))
    fill = _moved_until_read(colour, (on_fill,), -1 if on_fill == _WHITE else 1)
    away = -_STEP if on_fill == _WHITE else _STEP
    plain = min(contrast(fill, paper) for paper in papers) < _LEAST_EDGE
    return Shades(
        accent=accent,
        accent_strong=_at(accent, _lightness(accent) + step * _STEP),
        fill=fill,
        fill_strong=_at(fill, _lightness(fill) + away),
        on_fill=on_fill,
        edge=accent if plain else fill,
    )


def _moved_until_read(colour: str, others: tuple[str, ...], step: int) -> str:
    """The first shade of the colour in this direction that can be read on, or under, all the others."""
    lightness, shade = _lightness(colour), colour
    while not all(contrast(shade, other) >= LEAST_CONTRAST for other in others):
        lightness += step
        shade = _at(colour, lightness)
    return shade


def _lightness(colour: str) -> int:
    return round(colorsys.rgb_to_hls(*_parts(colour))[1] * 255)


def _at(colour: str, lightness: int) -> str:
    """The colour with another lightness (0 black, 255 white)."""
    hue, _, saturation = colorsys.rgb_to_hls(*_parts(colour))
    parts = colorsys.hls_to_rgb(hue, min(255, max(0, lightness)) / 255, saturation)
    return "#" + "".join(f"{min(255, max(0, round(part * 255))):02x}" for part in parts)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
