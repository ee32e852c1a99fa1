"""The clean-up applies the policy to the whole history, once; raw bodies go after their time."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from bounces import cleanup, ingest, pipeline, undo
from bounces.models import AddressHealth, Event, Notification
from mailinglist import subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Subscription, Suppression
from tests import ses_events as ses
from tests.bounces.helpers import send_to, subscription, take
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_event, make_quarantined, make_started

pytestmark = pytest.mark.django_db


@pytest.fixture
def overlooked() -> Event:
    """A hard bounce that was stored and never acted on."""
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    return make_event(make_delivery(make_started(news), ada, "sent"), "hard", "No such user.")


def test_what_was_overlooked_is_applied_once(overlooked: Event) -> None:
    done = cleanup.cleanup()
    assert (done.addresses, done.unsubscribed, done.suppressed) == (1, 1, 1)
    assert Subscription.objects.get().unsubscribe_reason == "hard-bounce"
    count = Change.objects.count()
    assert cleanup.cleanup().as_dict() == cleanup.Cleaned().as_dict()
    assert Change.objects.count() == count


def test_a_dry_run_counts_the_same_and_changes_nothing(overlooked: Event) -> None:
    done = cleanup.cleanup(dry_run=True)
    assert (done.addresses, done.unsubscribed, done.suppressed) == (1, 1, 1)
    assert Subscription.objects.get().status == "confirmed"
    assert not Suppression.objects.exists() and not AddressHealth.objects.exists()
    overlooked.refresh_from_db()
    assert overlooked.applied_at is None and overlooked.effect == ""


def test_what_a_manager_undid_is_not_done_again() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery))
    suppression.release(Suppression.objects.get().pk, by=SYSTEM, why="x")
    subscriptions.restore(subscription(delivery).pk, by=SYSTEM, why="x")
    done = cleanup.cleanup()
    assert (done.unsubscribed, done.suppressed) == (0, 0)
    assert subscription(delivery).status == "confirmed"


def test_one_list_alone_can_be_cleaned(overlooked: Event) -> None:
    assert cleanup.cleanup(list_id=make_list("other").pk).addresses == 0
    assert cleanup.cleanup(list_id=overlooked.delivery.list_id).addresses == 1


def test_people_come_in_batches_and_nobody_is_left_out(
    overlooked: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 1)
    for email in ("bob@post.example", "cyd@post.example"):
        person = make_subscriber(email, overlooked.delivery.list)
        make_event(make_delivery(overlooked.delivery.campaign, person, "sent"), "hard", "x")
    assert cleanup.cleanup().addresses == 3
    assert not Subscription.objects.exclude(status="unsubscribed").exists()


def test_old_raw_bodies_go_and_quarantined_and_young_ones_stay(overlooked: Event) -> None:
    quarantined = make_quarantined()
    old = timezone.now() - timedelta(days=settings.RAW_RETENTION_DAYS, minutes=1)
    Notification.objects.update(received_at=old)
    young = make_event(overlooked.delivery, "soft", "x", attempt_number=2).notification
    assert cleanup.prune_raw(dry_run=True) == 1
    assert cleanup.prune_raw() == 1
    assert cleanup.prune_raw() == 0
    kept = set(Notification.objects.filter(raw__isnull=False).values_list("pk", flat=True))
    assert kept == {quarantined.pk, young.pk}


def test_a_copy_of_what_was_pruned_is_still_known_and_does_nothing() -> None:
    delivery = send_to("ada@post.example")
    raw = ses.raw(ses.bounced(delivery))

    def comes() -> bool:
        stored = ingest.store(raw, source=Notification.Source.SNS, dedupe_key="sns:1", wake=False)
        pipeline.process([stored.notification_id])
        return stored.created

    assert comes()
    undo.restore_people([delivery.subscriber_id], by=SYSTEM, why="The provider was at fault.")
    Notification.objects.update(received_at=timezone.now() - timedelta(days=settings.RAW_RETENTION_DAYS + 1))
    assert cleanup.prune_raw() == 1
    assert not comes()
    assert Notification.objects.get().copies == 2
    assert subscription(delivery).status == "confirmed" and not suppression.is_suppressed(delivery.subscriber)


def test_the_night_heals_who_has_been_well_for_a_day() -> None:
    now = timezone.now()
    soft = send_to("ada@post.example", at=now - timedelta(days=3))
    take(ses.full(soft, at=now - timedelta(days=3)))
    well = send_to("ada@post.example", at=now - timedelta(days=2))
    take(ses.delivered(well, at=now - timedelta(days=2)))
    AddressHealth.objects.update(state="wavering")
    cleanup.nightly()
    assert AddressHealth.objects.get().state == "healthy"
