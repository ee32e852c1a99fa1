"""Taking back: one domain, one span of time, and never a person's own choice."""

import io
from datetime import datetime, timedelta
from typing import Any

import pytest

from bounces import undo
from mailinglist import addresses, subscriptions, suppression
from mailinglist.changes import Actor, Kind
from mailinglist.imports import import_csv
from mailinglist.models import Change, Subscriber, Subscription, Suppression
from tests.factories import make_list, make_subscriber
from tests.ses_events import T0

pytestmark = pytest.mark.django_db

BY = Actor(Kind.COMMAND)
HOUR = timedelta(hours=1)


def bounced(email: str, *, at: datetime = T0, reason: str = "hard-bounce") -> Subscriber:
    news = make_list(f"l{Subscriber.objects.count()}")
    person = make_subscriber(email, news)
    subscriptions.unsubscribe(person.pk, reason=Subscription.Reason(reason), by=BY, why="x", at=at)
    if reason in ("hard-bounce", "complaint"):
        suppression.suppress(person.pk, reason=Suppression.Reason(reason), by=BY, why="x", since=at)
    return person


def restore(domain: str = "post.example", *, dry_run: bool = False) -> undo.Restored:
    return undo.restore_bounced(
        domain, start=T0 - HOUR, end=T0 + HOUR, by=BY, why="An outage.", dry_run=dry_run
    )


def status(person: Subscriber) -> str:
    return person.subscriptions.get().status


def test_what_bounces_did_at_a_domain_is_taken_back() -> None:
    people = [bounced("ada@post.example"), bounced("bob@post.example", reason="soft-exhausted")]
    done = restore()
    assert (done.subscribers, done.subscriptions, done.suppressions) == (2, 2, 1)
    assert done.addresses == ["ada@post.example", "bob@post.example"]
    for person in people:
        assert status(person) == "confirmed"
        assert not suppression.is_suppressed(person)
        assert Change.objects.filter(subscriber=person, why="An outage.").exists()
        person.refresh_from_db()
        assert person.reset_at is not None
    assert restore().subscribers == 0


@pytest.mark.parametrize("reason", ["page", "one-click", "complaint", "ses", "manager", "import"])
def test_what_no_bounce_ended_stays_ended(reason: str) -> None:
    person = bounced("ada@post.example", reason=reason)
    assert restore().subscribers == 0
    assert status(person) == "unsubscribed"
    assert suppression.is_suppressed(person) == (reason == "complaint")


@pytest.mark.parametrize("email", ["ada@mx.post.example", "ada@other-post.example", "ada@post.example.com"])
def test_only_the_very_domain_is_meant(email: str) -> None:
    person = bounced(email)
    assert restore().subscribers == 0
    assert status(person) == "unsubscribed"


@pytest.mark.parametrize("hours", [-2, 2])
def test_other_times_are_left_alone(hours: int) -> None:
    person = bounced("ada@post.example", at=T0 + hours * HOUR)
    assert restore().subscribers == 0
    assert status(person) == "unsubscribed"


def test_a_dry_run_counts_and_changes_nothing() -> None:
    person = bounced("ada@post.example")
    assert restore(dry_run=True).as_dict() == {
        "subscribers": 1, "subscriptions": 1, "suppressions": 1, "addresses": ["ada@post.example"],
    }  # fmt: skip
    assert status(person) == "unsubscribed"
    assert suppression.is_suppressed(person)


def test_counting_many_takes_as_few_statements_as_counting_one(django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        bounced(f"p{number}@post.example")
    with django_assert_max_num_queries(3):
        counted = restore(dry_run=True)
    assert counted == restore()


@pytest.mark.parametrize(
    ("most", "addresses"), [(1, ["ada"]), (2, ["ada", "bob"]), (9, ["ada", "bob", "eve"])]
)
def test_a_capped_count_names_the_same_people_as_the_whole_one(most: int, addresses: list[str]) -> None:
    bounced("ada@post.example")
    bounced("bob@post.example", reason="soft-exhausted")
    bounced("far@other.example")
    bounced("old@post.example", at=T0 - 5 * HOUR)
    eve = bounced("eve@post.example")
    eve.subscriptions.all().delete()  # only her suppression is left
    counted = undo.restore_bounced(
        "post.example", start=T0 - HOUR, end=T0 + HOUR, by=BY, why="x", dry_run=True, most=most
    )
    assert counted.addresses == [f"{name}@post.example" for name in addresses]


@pytest.mark.parametrize("domain", ["exämple.com", "XN--EXMPLE-CUA.com", "@exämple.com "])
def test_a_domain_may_be_written_in_either_form(domain: str) -> None:
    bounced("ada@exämple.com")
    assert restore(domain).subscribers == 1


def test_who_had_left_before_stays_away_and_a_managers_block_stays() -> None:
    """As an import said, which also never made them a subscriber of the first list."""
    la, lb = make_list("la"), make_list("lb")
    import_csv(la.pk, io.BytesIO(b"email,status\nada@post.example,unsubscribed\n"), by=BY)
    import_csv(lb.pk, io.BytesIO(b"email\nada@post.example\n"), by=BY)
    person = Subscriber.objects.get()
    suppression.suppress(person.pk, reason=Suppression.Reason.MANUAL, by=BY, why="He asked.")
    subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.HARD_BOUNCE, by=BY, why="x")
    suppression.suppress(person.pk, reason=Suppression.Reason.HARD_BOUNCE, by=BY, why="x")
    assert undo.restore_people([person.pk], by=BY, why="An outage.").subscriptions == 1
    found = dict(person.subscriptions.values_list("list__slug", "status"))
    assert found == {"la": "unsubscribed", "lb": "confirmed"}
    assert Suppression.objects.get().active


@pytest.mark.parametrize("reason", ["hard-bounce", "soft-exhausted"])
def test_who_left_by_an_import_after_the_bounce_stays_away_too(reason: str) -> None:
    person = bounced("ada@post.example", reason=reason)
    text = b"email,status\nada@post.example,unsubscribed\n"
    news = person.subscriptions.get().list
    report = import_csv(news.pk, io.BytesIO(text), by=BY, update=True)
    assert report.unsubscribed == 0
    restore()
    assert status(person) == "unsubscribed"


def test_older_records_of_people_who_never_were_subscribers_stop_no_run() -> None:
    """Older versions let a bounce take the place of what an import had said."""
    never = bounced("ada@post.example")
    Change.objects.filter(subscriber=never, noun="subscription").update(before="")
    bob = bounced("bob@post.example")
    assert restore(dry_run=True).subscriptions == 1
    assert restore().subscriptions == 1
    assert (status(never), status(bob)) == ("unsubscribed", "confirmed")


def test_what_is_no_domain_is_an_error() -> None:
    with pytest.raises(addresses.BadAddress):
        restore("no domain")
