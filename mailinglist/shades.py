"""PURE. Shades of one colour that can be read: on our paper and under our text, in light and dark pages.

Called by looks.py for the style sheet of a list. Whatever colour a manager chooses, text of it on the paper and text
on it have the contrast of WCAG 2.2 AA (4.5 : 1); hue and saturation stay the manager's, only the lightness moves.
"""

import colorsys
from dataclasses import dataclass

#: WCAG 2.2, 1.4.3: text against what is behind it.
LEAST_CONTRAST = 4.5
#: What the colour stands on: --paper and --card of app.css.
LIGHT_PAPERS = ("#faf7f2", "#ffffff")
DARK_PAPERS = ("#15181d", "#1d2229")
_ON_LIGHT, _ON_DARK = "#ffffff", "#0d1117"
#: How much lighter or darker the shade for what is pointed at is.
_STEP = 26


@dataclass(frozen=True, slots=True)
class Shades:
    """Values of --accent, --accent-strong and --on-accent."""

    accent: str
    strong: str
    on_accent: str


def light(colour: str) -> Shades:
    """For light pages: the colour itself where it is dark enough, else the lightest shade of it that is."""
    accent = _readable(colour, LIGHT_PAPERS, _ON_LIGHT, step=-1)
    return Shades(accent, _at(accent, _lightness(accent) - _STEP), _ON_LIGHT)


def dark(colour: str) -> Shades:
    """For dark pages: the colour itself where it is light enough, else the darkest shade of it that is."""
    accent = _readable(colour, DARK_PAPERS, _ON_DARK, step=1)
    return Shades(accent, _at(accent, _lightness(accent) + _STEP), _ON_DARK)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#rrggbb) by WCAG 2.2, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _readable(colour: str, papers: tuple[str, ...], text: str, *, step: int) -> str:
    lightness = _lightness(colour)
    shade = colour
    while not all(contrast(shade, other) >= LEAST_CONTRAST for other in (*papers, text)):
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
