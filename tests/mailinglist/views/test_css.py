"""The colours of the public pages against WCAG 2.2: 4.5 : 1 for text (1.4.3), 3 : 1 for controls (1.4.11)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "mailinglist/static/mailinglist/app.css").read_text()
TEXT = [
    ("ink", "paper"),
    ("ink", "card"),
    ("muted", "paper"),
    ("muted", "card"),
    ("accent", "paper"),
    ("accent", "card"),
    ("accent-strong", "card"),
    ("on-fill", "fill"),
    ("on-fill", "fill-strong"),
    ("bad", "card"),
    ("bad", "bad-paper"),
    ("good", "good-paper"),
]
CONTROLS = [
    ("field-line", "card"),
    ("field-line", "paper"),
    ("bad", "card"),
    ("accent", "card"),
    ("edge", "card"),
    ("edge", "paper"),
]


def colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", CSS, re.S)[:2]
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return {**found, **dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))} if scheme == "dark" else found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_controls_can_be_told_from_what_is_behind_them(scheme: str) -> None:
    colour = colours(scheme)
    weak = {
        f"{front} on {back}": round(contrast(colour[front], colour[back]), 2)
        for pairs, least in ((TEXT, 4.5), (CONTROLS, 3.0))
        for front, back in pairs
        if contrast(colour[front], colour[back]) < least
    }
    assert weak == {}


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_nothing_has_a_left_or_a_right_that_would_be_wrong_where_people_write_from_the_right() -> None:
    assert re.findall(r"[\w-]*\b(?:left|right)\b[\w-]*\s*:", CSS) == []
    assert "text-align: left" not in CSS and "text-align: right" not in CSS


def test_what_moves_moves_only_for_who_does_not_mind() -> None:
    calm = CSS.index("@media (prefers-reduced-motion: no-preference)")
    assert [found.start() > calm for found in re.finditer(r"transition:|animation:", CSS)] == [True]
