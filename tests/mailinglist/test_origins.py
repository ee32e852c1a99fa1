"""Origins of web sites: what a manager may write, and what stays of the page that a browser names."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import origins


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("  HTTPS://Www.Example.Com/ ", "https://www.example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://exämple.com", "https://xn--exmple-cua.com"),
        ("https://intranet", "https://intranet"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(line: str, origin: str) -> None:
    assert origins.normalise(line) == origin


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("*", "each site"),
        ("https://*.example.com", "each site"),
        ("null", "is no origin"),
        ("www.example.com", "Write it like https://www.example.com"),
        ("ftp://example.com", "is no origin"),
        ("https://", "is no origin"),
        ("https://example.com:99999", "is no origin"),
        ("https://[::1", "is no origin"),
        ("http://example.com", "must be served by https"),
        ("https://example.com/shop", "only the beginning"),
        ("https://example.com?x", "only the beginning"),
        ("https://example.com#x", "only the beginning"),
        ("https://me:secret@example.com", "only the beginning"),
        ("https://a b.example", "no domain name"),
        ("https://a_b.example", "no domain name"),
        ("https://ü" + "x" * 70 + ".example", "no domain name"),
    ],
)
def test_what_is_no_origin_or_too_much_is_refused_in_words(line: str, words: str) -> None:
    with pytest.raises(origins.BadOrigin, match=words.replace("*", r"\*")):
        origins.normalise(line)


def test_a_line_that_is_none_allows_nobody_and_spoils_no_other() -> None:
    assert origins.allowed("https://a.example\n\nnull\n*\r\nhttps://b.example/") == {
        "https://a.example",
        "https://b.example",
    }


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://shop.example/contact?mail=ada@post.example#top", "https://shop.example/contact"),
        ("https://ada:secret@shop.example/", "https://shop.example/"),
        ("https://shop.example/people/ada@post.example", "https://shop.example"),
        ("https://shop.example/people/ada%40post.example", "https://shop.example"),
        ("https://shop.example/people/ada%2540post.example", "https://shop.example"),
        ("http://shop.example", "http://shop.example"),
        ("https://shop.example/" + "x" * 999, "https://shop.example/" + "x" * 279),
        ("null", ""),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("https://shop.example/\x00", ""),
        ("//shop.example", ""),
        ("https://ada@post@shop.example/", "https://shop.example/"),
        ("https://sh op.example/", ""),
    ],
)
def test_of_a_page_stays_what_can_hold_no_address(address: str, kept: str) -> None:
    assert origins.page(address) == kept


@given(st.text() | st.from_regex(r"https?://[^ ]*", fullmatch=True))
def test_whatever_is_written_gives_an_origin_or_a_sentence_and_twice_the_same(line: str) -> None:
    try:
        found = origins.normalise(line)
    except origins.BadOrigin:
        found = ""
    assert not found or origins.normalise(found) == found
    assert len(origins.allowed(line)) <= max(1, len(line.splitlines()))
    kept = origins.page(line)
    assert len(kept) <= 300 and kept.isprintable()
    assert not kept or (urlsplit(kept).scheme in ("http", "https") and "@" not in kept)
