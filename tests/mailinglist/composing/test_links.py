"""Which link of a mail a click was about."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import merge
from mailinglist.composing import body
from mailinglist.composing.links import HONEYPOT, OTHER, Links

BODY = (
    "[one](https://acme.example/) [two](https://acme.example/offer?x=1&y=é) [one again](https://acme.example/)\n\n"
    "[yours](https://acme.example/of/{{ city }}/{{ name }}) [own]({{ website }}) [mail](mailto:a@acme.example)\n\n"
    "[bye]({{ unsubscribe_url }})"
)


def compiled(text: str = BODY, **values: Any) -> str:
    written: Any = SimpleNamespace(
        **{
            "subject": "News",
            "preheader": "",
            "body_format": "markdown",
            "body": text,
            "template": None,
            **values,
        }
    )
    return body.compile(written).html


def test_the_links_that_can_be_followed_are_numbered_as_they_stand() -> None:
    assert Links(compiled()).addresses == (
        "https://acme.example/",
        "https://acme.example/offer?x=1&y=%C3%A9",
        "https://acme.example/of/{{ city }}/{{ name }}",
        "{{ website }}",
    )


@pytest.mark.parametrize(
    ("reported", "number"),
    [
        ("https://acme.example/", 1),
        ("https://acme.example", 1),
        ("https://acme.example/offer?x=1&y=%C3%A9", 2),
        ("https://acme.example/offer?x=1&y=é", 2),
        ("https://acme.example/of/Rome/Ada%20L.", 3),
        ("https://acme.example/of/Rome/", 3),
        ("https://ada.example/home", 4),
        ("http://127.0.0.1:8000/links/nothing-here", HONEYPOT),
        ("https://elsewhere.example/links/nothing-here", HONEYPOT),
    ],
)
def test_an_address_that_was_followed_finds_its_link(reported: str, number: int) -> None:
    assert Links(compiled()).number(reported) == number


def test_an_address_that_is_no_link_of_the_mail_is_none() -> None:
    found = Links(compiled("[one](https://acme.example/)"))
    assert found.number("https://acme.example/other") == OTHER
    assert found.address(OTHER) == found.address(HONEYPOT) == found.address(9) == ""


def test_an_address_of_which_only_the_beginning_was_kept_finds_its_link() -> None:
    long = "https://acme.example/?a=" + "%C3%A9" * 200
    found = Links(compiled(f"[one](https://acme.example/) [long]({long})"))
    assert found.number(long[:500]) == 2


@given(city=st.text(max_size=30), name=st.text(max_size=30))
def test_whatever_the_values_are_a_personal_link_is_found(city: str, name: str) -> None:
    html = '<a href="https://acme.example/{{ city }}?n={{ name }}&amp;z=1">x</a><a href="https://acme.example/a">y</a>'
    filled = merge.render(html, {"city": city, "name": name}, merge.Context.HTML)
    reported = Links(filled).addresses[0]
    assert Links(html).number(reported) == 1


@pytest.mark.parametrize("body_format", ["markdown", "html"])
def test_the_honeypot_is_in_the_html_alone_and_out_of_the_way_of_people(
    settings: Any, body_format: str
) -> None:
    html = compiled("Hello", body_format=body_format)
    anchor = next(part for part in html.split("<a ")[1:] if "nothing-here" in part)
    assert anchor.startswith(
        'href="http://127.0.0.1:8000/links/nothing-here" rel="nofollow" aria-hidden="true" tabindex="-1"></a>'
    )
    assert "ses:no-track" not in anchor.partition(">")[0] and "{{" not in anchor
    written: Any = SimpleNamespace(
        subject="x", preheader="", body_format=body_format, body="Hello", template=None
    )
    assert "nothing-here" not in body.compile(written).text
    settings.HONEYPOT_LINK = False
    assert "nothing-here" not in compiled("Hello", body_format=body_format)
