"""Links that SES must leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist.composing import untracked


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="https://x.example">x</a>', '<a ses:no-track href="https://x.example">x</a>'),
        ('<a ses:no-track href="/x">x</a>', '<a ses:no-track href="/x">x</a>'),
        ('<a class="b" ses:no-track href="/x">x</a>', '<a class="b" ses:no-track href="/x">x</a>'),
        ('<a title="ses:no-track" href="/x">x</a>', '<a ses:no-track title="ses:no-track" href="/x">x</a>'),
        ('<a title="a > b" ses:no-track href="/x">x</a>', '<a title="a > b" ses:no-track href="/x">x</a>'),
        (
            "<a>x</a><abbr>y</abbr><address>z</address>",
            "<a ses:no-track>x</a><abbr>y</abbr><address>z</address>",
        ),
        ("<p>no link</p>", "<p>no link</p>"),
        (
            '<a href="1">x</a><a href="2">y</a>',
            '<a ses:no-track href="1">x</a><a ses:no-track href="2">y</a>',
        ),
    ],
)
def test_every_link_has_the_mark_once(html: str, expected: str) -> None:
    assert untracked.links(html) == expected


@given(st.text(alphabet='<a hrefs:no-tck="/>', max_size=60))
def test_doing_it_twice_changes_nothing_more(html: str) -> None:
    once = untracked.links(html)
    assert untracked.links(once) == once
