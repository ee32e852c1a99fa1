"""A person's further values, typed as JSON: what is taken, and what is said about the rest."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mailinglist.models import Subscriber
from tests.factories import make_subscriber

pytestmark = pytest.mark.django_db


def save(staff: Client, attributes: str, *, known: dict[str, Any] | None = None) -> tuple[str, Subscriber]:
    ada = make_subscriber("ada@post.example", attributes=known or {})
    page = staff.post(
        reverse("admin:mailinglist_subscriber_change", args=[ada.pk]),
        {"name": "Ada\u202e", "attributes": attributes, "language": "", "time_zone": ""},
        follow=True,
    )
    assert page.status_code == 200
    ada.refresh_from_db()
    return page.content.decode(), ada


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ('{"a":NaN}', "NaN is not a number"),
        ('{"a":Infinity}', "Infinity is not a number"),
        ('{"a":-Infinity}', "-Infinity is not a number"),
        ('{"a":1e999}', "The value of “a” is too large for a number"),
        (r'{"a":"b\u0000c"}', "The value of “a” has a control character (U+0000)"),
        (r'{"a":"\ud800"}', "The value of “a” has half of a character"),
        (r'{"a\u0000":"b"}', "has signs that are no text"),
        (r'{"\udc00":"b"}', "has signs that are no text"),
        ('{"%s":"b"}' % ("a" * 101), "is longer than 100 characters"),
        ('{"a":%s}' % ("9" * 5000), "A number has 5,000 digits"),
        ("[" * 100_000, "There are too many brackets"),
        ("[1, 2]", "Write names and values in braces"),
        ('{"a": {"deep": 1}}', "The value of “a” must be a text or a number"),
        ('{"a": null}', "The value of “a” must be a text or a number"),
        ('{"a" 1}', "cannot be read from line 1, character 6 on"),
        ('{"A b": "x"}', "cannot be used in a mail"),
    ],
)
def test_what_cannot_be_kept_is_named_and_shown_again(staff: Client, attributes: str, sentence: str) -> None:
    page, ada = save(staff, attributes)
    assert sentence in page
    assert ada.attributes == {} and ada.name == ""


def test_what_was_typed_is_shown_again_as_it_was_typed(staff: Client) -> None:
    page, _ = save(staff, r'{"a":"\ud800"}')
    assert r"{&quot;a&quot;:&quot;\ud800&quot;}" in page


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ("", {}),
        ('{"city": "Zoë\u202e", "age": 36, "size": 1.5, "vip": true}', None),
        (r'{"note": "two\nlines"}', {"note": "two\nlines"}),
        ('{"id": %s}' % ("9" * 100), {"id": int("9" * 100)}),
    ],
)
def test_plain_values_are_kept(staff: Client, attributes: str, kept: dict[str, Any] | None) -> None:
    _, ada = save(staff, attributes)
    assert ada.attributes == ({"city": "Zoë", "age": 36, "size": 1.5, "vip": True} if kept is None else kept)
    assert ada.name == "Ada"


def test_values_that_were_imported_under_other_names_may_stay(staff: Client) -> None:
    _, ada = save(staff, '{"Home town": "Ulm"}', known={"Home town": "Bonn"})
    assert ada.attributes == {"Home town": "Ulm"}
