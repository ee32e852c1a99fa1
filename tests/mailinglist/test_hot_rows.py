"""Rows by prepared statements: what lies in the table afterwards is what Django would have put there."""

from typing import Any

import pytest
from django.db import DataError, transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from mailinglist import asked_addresses, changes, consents, hot_rows, public_lists
from mailinglist.changes import Actor, Kind, Noun
from mailinglist.consents import Consent
from mailinglist.models import (
    AskedAddress,
    Change,
    ConsentRecord,
    Delivery,
    FormStep,
    MailingList,
    Subscriber,
    Subscription,
)
from tests.factories import make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> MailingList:
    return make_list("news")


def person(email: str, **values: Any) -> Subscriber:
    return Subscriber(email=email, email_key=email, suppression_key="a" * 64, **values)


def rows_of(news: MailingList, ada: Subscriber) -> list[Any]:
    now = timezone.now()
    said = Consent(now, "2001:db8::1", "Firefox/140", "Yes, “%s” and 100 %", "form", True)
    row = Subscription(list=news, subscriber=ada, status="pending")
    consents.put_in_force(row, said, source="form")
    by = Actor(Kind.PERSON, evidence={"page": "subscribe"})
    return [
        row,
        consents.evidence(consents.Kind.ASKED, row, said, source="form"),
        changes.entry(
            Noun.SUBSCRIPTION,
            7,
            before="",
            after="pending",
            why="Signed up.",
            by=by,
            subscriber_id=ada.pk,
            at=now,
        ),
        Delivery(list=news, subscriber=ada, purpose=Delivery.Purpose.CONFIRMATION),
    ]


def stored(model: type[Any]) -> dict[str, Any]:
    found = model.objects.order_by("-pk")[0]
    values = {field.attname: getattr(found, field.attname) for field in model._meta.concrete_fields}
    assert model_to_dict(found)
    for varies in ("id", "subscriber_id", "created_at", "changed_at", "consent_at", "at"):
        values.pop(varies, None)
    return values


def test_rows_are_stored_as_django_stores_them(news: MailingList) -> None:
    ada, bob = person("ada@post.example"), person("bob@post.example")
    ada.save()
    bob.save()
    models = (Subscription, ConsentRecord, Change, Delivery)
    for row in rows_of(news, ada):
        row.save()
    by_django = [stored(model) for model in models]
    hot_rows.insert_all(rows_of(news, bob))
    assert [stored(model) for model in models] == by_django
    assert [model.objects.count() for model in models] == [2] * 4


def test_a_row_that_has_a_number_keeps_it_and_what_goes_with_it_is_done(news: MailingList) -> None:
    ada = person("ada@post.example")
    assert hot_rows.insert_new(ada, unique="email_key")
    row = Subscription(pk=4711, list=news, subscriber=ada, status="pending")
    for _ in "ab":
        now = timezone.now()
        hot_rows.insert_all([row], also=asked_addresses.noted(ada, now=now, limited=False))
        Subscription.objects.get(pk=4711).delete()
    asked = AskedAddress.objects.get()
    assert (asked.mails, asked.last_at) == (2, now)


def test_somebody_new_gets_a_number_and_whom_we_know_is_left_alone() -> None:
    ada = person("ada@post.example", name="Ada")
    assert hot_rows.insert_new(ada, unique="email_key")
    again = person("ada@post.example", name="Eve")
    assert not hot_rows.insert_new(again, unique="email_key")
    assert again.pk is None
    found = Subscriber.objects.get()
    assert (found.pk, found.name, found.token, found.attributes) == (ada.pk, "Ada", ada.token, {})
    ada.name = "Ada L."
    ada.save()
    assert Subscriber.objects.get().name == "Ada L."


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(DataError), transaction.atomic():
        hot_rows.insert_new(person("ada@post.example", language="x" * 11), unique="email_key")
    assert not Subscriber.objects.exists()


def test_a_public_list_is_read_with_the_step_of_its_form_and_anew_each_time(
    news: MailingList, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        found = public_lists.find("news")
        assert found is not None and getattr(found, "form_step", None) is None
    assert {field.attname: getattr(found, field.attname) for field in found._meta.concrete_fields} == {
        field.attname: getattr(MailingList.objects.get(), field.attname)
        for field in found._meta.concrete_fields
    }
    now = timezone.now()
    step = FormStep.objects.create(list=news, step=2, since=now, until=now, counted_from=now)
    found = public_lists.find("news")
    assert found is not None and found.form_step == step and found.form_step.counted_from == now
    MailingList.objects.update(is_public=False)
    assert public_lists.find("news") is None
    assert public_lists.find("other") is None
