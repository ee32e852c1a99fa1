"""A colour that a manager chooses can always be read, on both papers and under its text."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st

from mailinglist import shades

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
@example("#000000")
@example("#ffffff")
@example("#ffff00")
@example("#0000ff")
@example("#808080")
def test_every_colour_becomes_one_that_can_be_read(colour: str) -> None:
    for found, papers in (
        (shades.light(colour), shades.LIGHT_PAPERS),
        (shades.dark(colour), shades.DARK_PAPERS),
    ):
        assert all(re.fullmatch("#[0-9a-f]{6}", shade) for shade in asdict(found).values())
        for shade in (found.accent, found.accent_strong):
            assert min(shades.contrast(shade, paper) for paper in papers) >= 4.5
        for shade in (found.fill, found.fill_strong):
            assert shades.contrast(shade, found.on_fill) >= 4.5
        assert min(shades.contrast(found.edge, paper) for paper in papers) >= 1.3


@pytest.mark.parametrize(
    ("colour", "light", "dark"),
    [
        ("#1a4f8b", "#1a4f8b", None),  # our own blue is dark enough for light paper
        ("#8db8f0", None, "#8db8f0"),  # and this one light enough for dark paper
        ("#000000", "#000000", None),
        ("#ffffff", None, "#ffffff"),
    ],
)
def test_what_can_be_read_stays_as_it_was_chosen(colour: str, light: str | None, dark: str | None) -> None:
    assert (shades.light(colour).accent == colour) is (light is not None)
    assert (shades.dark(colour).accent == colour) is (dark is not None)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ffffff", "#ffffff", 1.0)],
)
def test_the_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert shades.contrast(one, other) == pytest.approx(ratio, abs=0.01)


def test_the_hue_is_kept() -> None:
    yellow = shades.light("#ffee00").accent
    red, green, blue = (int(yellow[at : at + 2], 16) for at in (1, 3, 5))
    assert red > green > blue
    assert shades.light("#ffee00").fill == "#ffee00"


def test_the_papers_are_those_of_the_style_sheet() -> None:
    css = (Path(settings.BASE_DIR) / "mailinglist/static/mailinglist/app.css").read_text()
    papers = [tuple(re.findall(rf"--{name}: (#\w+);", css)[:2]) for name in ("paper", "card")]
    assert list(zip(*papers, strict=True)) == [shades.LIGHT_PAPERS, shades.DARK_PAPERS]
