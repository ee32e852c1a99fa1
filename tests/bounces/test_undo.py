"""Taking back: one domain, one span of time, and never a person's own choice."""

from datetime import datetime, timedelta

import pytest

from bounces import undo
from mailinglist import addresses, subscriptions, suppression
from mailinglist.changes import Actor, Kind
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


@pytest.mark.parametrize("domain", ["exämple.com", "XN--EXMPLE-CUA.com", "@exämple.com "])
def test_a_domain_may_be_written_in_either_form(domain: str) -> None:
    bounced("ada@exämple.com")
    assert restore(domain).subscribers == 1


def test_what_is_no_domain_is_an_error() -> None:
    with pytest.raises(addresses.BadAddress):
        restore("no domain")
