"""Campaigns that start by themselves: once, on the clock that was chosen, or on everybody's own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Change, MailingList
from mailinglist.sending import queue
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.mailinglist.sending.test_concurrency import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]
#: Tomorrow, so that no zone's clock is there yet: Kiritimati is 14 hours ahead.
NINE = (timezone.now() + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0, tzinfo=None)


@pytest.fixture
def world() -> Iterator[MailingList]:
    news = make_list()
    for name, zone in (
        ("tokyo", "Asia/Tokyo"),
        ("york", "America/New_York"),
        ("none", ""),
        ("odd", "Mars/Olympus"),
    ):
        make_subscriber(f"{name}@post.example", news, time_zone=zone)
    yield news


def planned(news: MailingList) -> Campaign:
    campaign = make_campaign(news)
    lifecycle.schedule(campaign.pk, at=NINE.replace(tzinfo=UTC), zone="UTC", at_local_time=True, by=SYSTEM)
    campaign.refresh_from_db()
    return campaign


def begin(campaign: Campaign) -> dict[str, datetime | None]:
    Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=timezone.now())
    assert lifecycle.start_due() == [campaign.pk]
    rows = campaign.deliveries.values_list("subscriber__email", "next_attempt_at")
    return {email.partition("@")[0]: at for email, at in rows}


def test_it_starts_when_the_first_clock_shows_the_time(world: MailingList) -> None:
    campaign = planned(world)
    assert campaign.scheduled_at == NINE.replace(tzinfo=UTC) - timedelta(hours=9)
    assert "when their own clock shows" in Change.objects.order_by("-pk")[0].why


def test_everybody_waits_for_their_own_clock_and_the_others_for_the_campaigns(world: MailingList) -> None:
    times = begin(planned(world))
    nine = NINE.replace(tzinfo=UTC)
    assert times["tokyo"] == nine - timedelta(hours=9)
    assert times["york"] in (nine + timedelta(hours=5), nine + timedelta(hours=4))
    assert times["none"] == times["odd"] == nine


def test_nothing_leaves_before_its_time_and_the_campaign_stays_open(world: MailingList) -> None:
    campaign = planned(world)
    begin(campaign)
    assert queue.claim(10, campaign_id=campaign.pk, lease_seconds=60) == []
    assert not lifecycle.finish_if_done(campaign.pk)
    campaign.deliveries.filter(subscriber__email="tokyo@post.example").update(next_attempt_at=timezone.now())
    [row] = queue.claim(10, campaign_id=campaign.pk, lease_seconds=60)
    assert row.email == "tokyo@post.example"


def test_whose_time_has_passed_gets_it_at_once(world: MailingList) -> None:
    campaign = planned(world)
    late = timezone.now().replace(microsecond=0)
    Campaign.objects.filter(pk=campaign.pk).update(planned_at=late)
    times = begin(campaign)
    assert times["tokyo"] is None and times["none"] is None
    assert times["york"] is not None and times["york"] > late


def test_started_by_hand_before_its_time_it_goes_to_all_now(world: MailingList) -> None:
    campaign = planned(world)
    lifecycle.start(campaign.pk, by=SYSTEM)
    campaign.refresh_from_db()
    assert set(campaign.deliveries.values_list("next_attempt_at", flat=True)) == {None}
    assert (campaign.at_local_time, campaign.planned_at) == (False, None)


def test_the_time_can_be_changed_and_taken_back(world: MailingList) -> None:
    campaign = planned(world)
    later = timezone.now() + timedelta(days=5)
    lifecycle.schedule(campaign.pk, at=later, zone="Europe/Berlin", by=SYSTEM)
    campaign.refresh_from_db()
    assert (campaign.scheduled_at, campaign.time_zone, campaign.at_local_time) == (
        later,
        "Europe/Berlin",
        False,
    )
    lifecycle.unschedule(campaign.pk, by=SYSTEM)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.planned_at, campaign.time_zone) == ("draft", None, "")


def test_local_time_and_a_canary_exclude_each_other(world: MailingList) -> None:
    campaign = make_campaign(world, canary_minutes=10)
    with pytest.raises(lifecycle.NotAllowed, match="exclude each other"):
        lifecycle.schedule(campaign.pk, at=NINE.replace(tzinfo=UTC), at_local_time=True, by=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_schedulers_at_the_same_time_start_a_campaign_once() -> None:
    news = make_list()
    make_readers(news, 5)
    campaign = make_campaign(news)
    lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(hours=1), by=SYSTEM)
    Campaign.objects.update(scheduled_at=timezone.now())
    results = at_once(*[lifecycle.start_due] * 6)
    assert sorted(results) == [[]] * 5 + [[campaign.pk]]
    assert campaign.deliveries.count() == 5
    assert Change.objects.filter(noun="campaign", after="sending").count() == 1
