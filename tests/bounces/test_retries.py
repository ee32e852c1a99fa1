"""Retries whose time has come go back into the queue, or end with a name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bounces import retries
from mailinglist import subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, Subscription, Suppression
from tests import ses_events as ses
from tests.bounces.helpers import send_to, state_of, take
from tests.factories import make_list

pytestmark = pytest.mark.django_db


def due(email: str = "ada@post.example") -> Delivery:
    """A mail of a list of its own that bounced softly and whose retry is due now."""
    now = timezone.now()
    delivery = send_to(email, make_list(email.partition("@")[0]), at=now - timedelta(days=2))
    take(ses.full(delivery, at=now - timedelta(days=2)))
    assert state_of(delivery) == "waiting"
    return delivery


def test_a_due_retry_is_queued_and_one_that_is_not_due_waits() -> None:
    ready = due()
    later = send_to("bob@post.example", at=timezone.now())
    take(ses.full(later, at=timezone.now()))
    assert retries.run_due().requeued == 1
    assert (state_of(ready), state_of(later)) == ("queued", "waiting")
    assert retries.run_due().total == 0


def test_a_dry_run_counts_and_changes_nothing() -> None:
    delivery = due()
    assert retries.run_due(dry_run=True).requeued == 1
    assert state_of(delivery) == "waiting"


def test_all_that_is_due_is_taken_however_small_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "BATCH", 1)
    for number in range(3):
        due(f"p{number}@post.example")
    assert retries.run_due().requeued == 3


def test_who_left_or_was_suppressed_gets_no_retry() -> None:
    left = due()
    subscriptions.unsubscribe(left.subscriber_id, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x")
    assert retries.run_due().unsubscribed == 1
    blocked = due("bob@post.example")
    suppression.suppress(blocked.subscriber_id, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="x")
    assert retries.run_due().suppressed == 1
    assert {state_of(left), state_of(blocked)} == {"skipped"}


def test_a_newer_mail_to_the_same_person_takes_the_place() -> None:
    older = due()
    send_to("ada@post.example", older.list)
    retries.run_due()
    assert (state_of(older), older.reason) == ("skipped", "superseded")


def test_after_the_campaigns_time_the_mail_is_given_up() -> None:
    delivery = due()
    Campaign.objects.update(retry_until=timezone.now() - timedelta(seconds=1))
    assert retries.run_due().expired == 1
    assert state_of(delivery) == "expired"
