"""The sweep finds all work in PostgreSQL, and messages may be lost, doubled or late."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from mailinglist import lifecycle, sign_up_counts, tasks
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, FormStep, SignUpCount, Subscription
from mailinglist.sending import engine, queue
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, claim, expire_leases, started, states

pytestmark = pytest.mark.django_db
SEND_CAMPAIGN, SEND_MAIL = "mailinglist.tasks.send_campaign", "mailinglist.tasks.send_mail"


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch, unlimited_pace: object) -> FakeSES:
    fake, run = FakeSES(), engine.run
    monkeypatch.setattr(
        engine, "run", lambda campaign_id: run(campaign_id, transport=Raw(fake), seconds=fake.seconds)
    )
    fake.seconds = 15.0  # type: ignore[attr-defined]
    return fake


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_send_campaign_sends_and_finishes(ses: FakeSES, rung: list[Any], commit: Any) -> None:
    campaign = started(2)
    with commit():
        tasks.send_campaign(campaign.pk)
        tasks.send_campaign(campaign.pk)
    assert len(ses.mails) == 2 and rung == []
    assert Campaign.objects.get().status == "finished"


def test_a_run_with_more_to_do_rings_the_next_and_one_of_the_sweep_does_not(
    ses: FakeSES, rung: list[Any], commit: Any
) -> None:
    campaign = started(2)
    ses.seconds = 0  # type: ignore[attr-defined]
    with commit():
        tasks.send_campaign(campaign.pk)
        tasks.send_campaign(campaign.pk, 0)
    assert rung == [(SEND_CAMPAIGN, campaign.pk)]


def test_after_a_flushed_broker_the_sweep_rings_for_what_is_queued(rung: list[Any], commit: Any) -> None:
    campaign = started(1)
    news = campaign.lists.get()
    person = make_subscriber("new@post.example")
    Subscription.objects.create(list=news, subscriber=person, status="pending", source="form")
    queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
    with commit():
        tasks.sweep()
    assert rung == [(SEND_CAMPAIGN, campaign.pk, 0), (SEND_MAIL, 0)]


def test_the_sweep_rings_for_nothing_where_nothing_is_due(rung: list[Any], commit: Any) -> None:
    started(1)
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    with commit():
        tasks.sweep()
    assert rung == []


def test_the_sweep_recovers_starts_and_finishes(settings: Any, rung: list[Any]) -> None:
    settings.UNKNOWN_GRACE_SECONDS = 0
    campaign = started(1)
    claim(campaign)
    expire_leases()
    later = make_campaign(campaign.lists.get())
    lifecycle.schedule(later.pk, at=timezone.now() + timedelta(hours=1), by=SYSTEM)
    Campaign.objects.filter(pk=later.pk).update(scheduled_at=timezone.now())
    tasks.sweep()
    assert states(campaign) == [("unknown", "held")]
    campaign.refresh_from_db()
    later.refresh_from_db()
    assert (campaign.status, later.status) == ("finished", "sending")


def test_the_sweep_opens_a_form_that_was_closed(rung: list[Any]) -> None:
    news, long_ago = make_list(), timezone.now() - timedelta(hours=3)
    FormStep.objects.create(list=news, step=3, since=long_ago, until=long_ago, counted_from=long_ago)
    tasks.sweep()
    assert FormStep.objects.get().step == FormStep.Step.CAPTCHA
    FormStep.objects.update(since=long_ago, until=long_ago)
    tasks.sweep()
    assert FormStep.objects.get().step == FormStep.Step.OPEN


def test_send_mail_sends_confirmations(ses: FakeSES) -> None:
    news, person = make_list(), make_subscriber("new@post.example")
    Subscription.objects.create(list=news, subscriber=person, status="pending", source="form")
    queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
    tasks.send_mail()
    assert ses.to == ["new@post.example"]


def test_a_worker_whose_clock_is_ten_minutes_ahead_still_takes_the_sweeps() -> None:
    """Celery compares the expiry that the scheduler wrote with the worker's own clock."""
    expiries = {name: entry["options"]["expires"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    assert min(expiries.values()) > 600


def test_every_night_sign_ups_expire_and_traces_of_consent_go(settings: Any) -> None:
    settings.CONSENT_RETENTION_DAYS = 1
    news, long_ago = make_list(), timezone.now() - timedelta(days=20)
    left = make_subscriber("left@post.example", news)
    Subscription.objects.update(
        status="unsubscribed", unsubscribe_reason="page", unsubscribed_at=long_ago, consent_ip="192.0.2.1"
    )
    pending = make_subscriber("pending@post.example")
    Subscription.objects.create(list=news, subscriber=pending, status="pending", source="form")
    row = Delivery.objects.create(list=news, subscriber=pending, purpose="confirmation", state="delivered")
    Delivery.objects.filter(pk=row.pk).update(created_at=long_ago)
    tasks.nightly()
    only = Subscription.objects.get()
    assert (only.subscriber, only.consent_ip) == (left, None)
    assert settings.CELERY_BEAT_SCHEDULE["nightly"]["task"] == tasks.nightly.name


def test_the_night_forgets_old_counts_of_sign_up_forms(db: None) -> None:
    for days in (0, 3):
        sign_up_counts.note(sign_up_counts.Scope.ANSWER, "1:trap", now=timezone.now() - timedelta(days=days))
    tasks.nightly()
    assert SignUpCount.objects.count() == 1
