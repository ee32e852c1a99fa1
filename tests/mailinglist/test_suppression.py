"""Suppressed addresses: by their key, across lists, however spelled or imported, until they are released."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import imports, lifecycle, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Change, Delivery, Subscriber, Subscription, Suppression
from tests.factories import make_campaign, make_list, make_subscriber

pytestmark = pytest.mark.django_db

Reason = Suppression.Reason


def suppress(person: Subscriber, reason: str = Reason.HARD_BOUNCE, **values: object) -> bool:
    return suppression.suppress(person.pk, reason=Reason(reason), by=SYSTEM, why="x", **values)  # type: ignore[arg-type]


def test_suppressing_twice_is_suppressing_once() -> None:
    person = make_subscriber()
    assert suppress(person)
    assert not suppress(person, since=timezone.now() + timedelta(hours=1))
    assert Change.objects.filter(noun="suppression").count() == 1


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("hard-bounce", "complaint", "complaint"),
        ("complaint", "hard-bounce", "complaint"),
        ("ses-list", "manual", "manual"),
        ("hard-bounce", "ses-list", "hard-bounce"),
        ("manual", "hard-bounce", "manual"),
        ("hard-bounce", "manual", "manual"),
        ("manual", "complaint", "complaint"),
    ],
)
def test_the_stronger_reason_is_kept_whichever_came_first(first: str, second: str, kept: str) -> None:
    person = make_subscriber()
    suppress(person, first)
    suppress(person, second)
    assert Suppression.objects.get().reason == kept


def test_the_address_itself_is_not_in_the_table() -> None:
    person = make_subscriber("ada@post.example")
    suppress(person)
    row = Suppression.objects.get()
    assert "ada" not in row.key
    assert row.key == suppression.key_for("ada@post.example")


def test_the_key_is_the_same_for_every_spelling_and_outlives_the_person() -> None:
    person = make_subscriber("Ada@EXÄMPLE.com")
    suppress(person)
    person.delete()
    again = make_subscriber("ada@xn--exmple-cua.com")
    assert suppression.is_suppressed(again)


def test_a_released_address_gets_mail_and_older_bounces_are_forgiven() -> None:
    person = make_subscriber()
    suppress(person)
    pk = Suppression.objects.get().pk
    assert suppression.release(pk, by=SYSTEM, why="It was a mistake.")
    assert not suppression.release(pk, by=SYSTEM, why="Again.")
    assert not suppression.is_suppressed(person)
    person.refresh_from_db()
    assert person.reset_at == Suppression.objects.get().released_at
    assert Change.objects.filter(after="released").count() == 1


def test_a_released_address_can_be_suppressed_again_for_a_weaker_reason() -> None:
    person = make_subscriber()
    suppress(person, "complaint")
    suppression.release(Suppression.objects.get().pk, by=SYSTEM, why="x")
    assert suppress(person, "ses-list")
    row = Suppression.objects.get()
    assert (row.reason, row.released_at) == ("ses-list", None)


def test_a_suppression_of_somebody_who_was_erased_can_be_released() -> None:
    person = make_subscriber()
    suppress(person)
    person.delete()
    assert suppression.release(Suppression.objects.get().pk, by=SYSTEM, why="x")


def test_no_campaign_of_any_list_queues_a_suppressed_address() -> None:
    news, tips = make_list("news"), make_list("tips")
    suppress(make_subscriber("ada@post.example", news, tips))
    make_subscriber("bob@post.example", news, tips)
    for mailing_list in (news, tips):
        lifecycle.start(make_campaign(mailing_list).pk, by=SYSTEM)
    found = set(Delivery.objects.values_list("subscriber__email", "state", "reason"))
    assert found == {("ada@post.example", "skipped", "suppressed"), ("bob@post.example", "queued", "")}


@pytest.mark.parametrize("update", [False, True])
def test_no_import_brings_back_who_bounced_or_complained(update: bool) -> None:
    news = make_list("news")
    for email, reason in (("ada@post.example", "hard-bounce"), ("bob@post.example", "complaint")):
        suppress(make_subscriber(email), reason)
    file = io.BytesIO(b"email,status\nADA@post.example,confirmed\nbob@Post.Example,confirmed\n")
    report = imports.import_csv(news.pk, file, by=Actor(Kind.COMMAND), update=update)
    assert (report.suppressed, report.new_subscriptions) == (2, 0)
    assert not Subscription.objects.filter(status="confirmed").exists()
    assert Suppression.objects.filter(released_at__isnull=True).count() == 2


@pytest.mark.parametrize(
    ("reason", "active"), [("ses-list", False), ("hard-bounce", True), ("manual", True), ("complaint", True)]
)
def test_only_what_we_copied_from_ses_is_lifted_when_ses_was_wrong(reason: str, active: bool) -> None:
    person = make_subscriber()
    suppress(person, reason)
    told = suppression.unlist(person.pk, at=timezone.now(), by=SYSTEM, why="x")
    row = Suppression.objects.get()
    person.refresh_from_db()
    assert (row.active, told, person.reset_at) == (active, not active, None)


def test_an_address_that_only_ses_lists_is_to_be_taken_off_and_suppressed_by_nothing() -> None:
    person, at = make_subscriber(), timezone.now()
    for later in (0, 2, 1):
        assert suppression.unlist(person.pk, at=at + timedelta(hours=later), by=SYSTEM, why="x")
        Suppression.objects.filter(synced_at__isnull=True).update(synced_at=at)
    row = Suppression.objects.get()
    assert (row.active, row.released_at) == (False, at + timedelta(hours=2))
