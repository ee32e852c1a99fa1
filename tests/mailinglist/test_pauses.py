"""No mails for some time, as a person wishes, and mails again."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from mailinglist import lifecycle, pauses, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Change, Delivery, Subscriber, Suppression
from mailinglist.sending import queue
from tests.counts import counted
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import claim

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]
PERSON = Actor(Kind.PERSON)


def changes(subscriber: Subscriber) -> list[tuple[str, str, str]]:
    return list(
        Change.objects.filter(subscriber=subscriber).order_by("pk").values_list("actor", "before", "after")
    )


def test_a_pause_ends_by_itself() -> None:
    ada = make_subscriber()
    with time_machine.travel("2026-03-01T12:00Z", tick=False) as clock:
        pauses.pause(ada, days=30, by=PERSON)
        ada.refresh_from_db()
        clock.shift(timedelta(days=30, seconds=-1))
        assert pauses.is_paused(ada)
        clock.shift(1)
        assert not pauses.is_paused(ada)
        assert pauses.resume(ada, by=PERSON) is False
    assert changes(ada) == [("person", "gets mails", "paused")]


def test_a_person_may_end_it_earlier_and_change_its_length() -> None:
    ada = make_subscriber()
    pauses.pause(ada, days=90, by=PERSON)
    pauses.pause(ada, days=7, by=PERSON)
    ada.refresh_from_db()
    assert ada.paused_until < timezone.now() + timedelta(days=8)
    assert pauses.resume(ada, by=PERSON) is True
    ada.refresh_from_db()
    assert ada.paused_until is None
    assert [(before, after) for _, before, after in changes(ada)] == [
        ("gets mails", "paused"),
        ("paused", "paused"),
        ("paused", "gets mails"),
    ]


@pytest.mark.parametrize("days", [0, -1, 8, 10_000])
def test_only_the_offered_lengths_exist(days: int) -> None:
    with pytest.raises(ValueError):
        pauses.pause(make_subscriber(), days=days, by=PERSON)


class TestCampaigns:
    def test_who_paused_is_left_out_with_the_reason(self) -> None:
        news = make_list()
        ada, bob = make_subscriber("ada@post.example", news), make_subscriber("bob@post.example", news)
        both = make_subscriber("both@post.example", news)
        pauses.pause(ada, days=30, by=PERSON)
        pauses.pause(both, days=30, by=PERSON)
        suppression.suppress(both.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="Asked by phone.")
        assert counted(news) == (1, 1, 1)
        campaign = make_campaign(news)
        lifecycle.start(campaign.pk, by=SYSTEM)
        found = dict(campaign.deliveries.values_list("subscriber__email", "reason"))
        assert found == {"ada@post.example": "paused", bob.email: "", both.email: "suppressed"}

    def test_a_pause_that_is_over_leaves_nobody_out(self) -> None:
        news = make_list()
        make_subscriber("ada@post.example", news, paused_until=timezone.now() - timedelta(seconds=1))
        assert counted(news) == (1, 0, 0)
        campaign = make_campaign(news)
        lifecycle.start(campaign.pk, by=SYSTEM)
        assert campaign.deliveries.get().state == "queued"

    def test_at_local_time_the_pause_counts_when_the_turn_comes(self) -> None:
        news, now = make_list(), timezone.now()
        make_subscriber("ada@post.example", news, paused_until=now + timedelta(hours=1))
        make_subscriber("bob@post.example", news, paused_until=now + timedelta(hours=9))
        make_subscriber("kim@post.example", news)
        campaign = make_campaign(news)
        lifecycle.schedule(
            campaign.pk, at=now + timedelta(hours=5), zone="UTC", at_local_time=True, by=SYSTEM
        )
        lifecycle.start(campaign.pk, by=SYSTEM, as_planned=True)
        found = dict(campaign.deliveries.values_list("subscriber__email", "reason"))
        assert found == {"ada@post.example": "", "bob@post.example": "paused", "kim@post.example": ""}

    def test_a_pause_after_the_start_is_kept_too(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        campaign = make_campaign(news)
        lifecycle.start(campaign.pk, by=SYSTEM)
        pauses.pause(ada, days=7, by=PERSON)
        assert claim(campaign, 10) == []
        row = campaign.deliveries.get()
        assert (row.state, row.reason) == ("skipped", "paused")

    def test_a_retry_is_not_made_during_a_pause(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        campaign = make_campaign(news)
        lifecycle.start(campaign.pk, by=SYSTEM)
        campaign.deliveries.update(state="waiting", next_attempt_at=timezone.now() - timedelta(minutes=1))
        pauses.pause(ada, days=7, by=PERSON)
        assert queue.requeue_due(10) == queue.Requeued(paused=1)

    def test_a_confirmation_comes_during_a_pause(self) -> None:
        news = make_list()
        pauses.pause(make_subscriber("ada@post.example"), days=7, by=PERSON)
        consent = subscriptions.Consent(at=timezone.now())
        subscriptions.subscribe(news, "ada@post.example", consent=consent, source="form", by=PERSON)
        with_it = queue.claim(1, campaign_id=None, lease_seconds=60)
        assert [row.purpose for row in with_it] == [Delivery.Purpose.CONFIRMATION]
