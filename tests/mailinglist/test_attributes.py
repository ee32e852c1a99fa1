"""Typed values: read and checked the same in files and forms, and nothing that was stored is lost."""

import io

import pytest

from mailinglist import attributes
from mailinglist.attribute_values import Meaning, stored
from mailinglist.changes import SYSTEM
from mailinglist.imports import import_csv
from mailinglist.models import Attribute, Subscriber
from tests.factories import make_list, make_subscriber


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", " Rome ", "Rome"),
        ("number", "42", "42"),
        ("number", "-3.50", "-3.50"),
        ("number", "1,000", "“1,000” is not a number such as 42 or 3.5."),
        ("number", "٤٢", "“٤٢” is not a number such as 42 or 3.5."),
        ("date", "2026-11-4", "2026-11-04"),
        ("date", "4.11.2026", "2026-11-04"),
        ("date", "11/4/2026", "“11/4/2026” is not a date such as 2026-11-24 or 24.11.2026."),
        ("date", "2026-02-30", "There is no day “2026-02-30”."),
        ("yes-no", "TRUE", "yes"),
        ("yes-no", "Nein", "no"),
        ("yes-no", "perhaps", "“perhaps” is neither yes nor no."),
        ("choice", "GOLD", "Gold"),
        ("choice", "tin", "“tin” is not one of Gold, Silver."),
        ("number", "", ""),
    ],
)
def test_a_value_has_one_spelling_or_a_sentence(kind: str, typed: str, kept: str) -> None:
    try:
        assert stored(typed, Meaning(kind, ("Gold", "Silver"))) == kept
    except ValueError as bad:
        assert str(bad) == kept


@pytest.mark.django_db
def test_a_file_is_checked_by_the_kinds_and_other_columns_stay_texts() -> None:
    news = make_list("news")
    old = make_subscriber("old@post.example", news, attributes={"born": "long ago", "size": 42})
    attributes.save(Attribute(key="born", label="Born", kind="date"), by=SYSTEM)
    attributes.save(Attribute(key="plan", label="Plan", kind="choice", choices=["Gold"]), by=SYSTEM)
    file = b"email,born,plan,note\n"
    file += b"ada@post.example,4.11.2001,gold,hi\nbob@post.example,soon,gold,\neve@post.example,,,x\n"
    report = import_csv(news.pk, io.BytesIO(file), by=SYSTEM)
    assert [(row.line, row.column, row.value) for row in report.bad] == [(3, "born", "soon")]
    kept = dict(Subscriber.objects.values_list("email", "attributes"))
    assert kept == {
        "ada@post.example": {"born": "2001-11-04", "plan": "Gold", "note": "hi"},
        "eve@post.example": {"note": "x"},
        old.email: {"born": "long ago", "size": 42},
    }
