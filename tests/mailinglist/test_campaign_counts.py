"""Numbers of campaigns that a task keeps: the same as counted at once, and how often they are made anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import campaign_counts, reports
from mailinglist.models import Campaign, CampaignCount, Delivery
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_started

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    found = make_started(make_list())
    for number, state in enumerate(("queued", "delivered", "delivered", "bounced")):
        make_delivery(found, make_subscriber(f"p{number}@post.example"), state)
    return found


def test_a_small_campaign_is_counted_at_once(campaign: Campaign) -> None:
    found = campaign_counts.numbers(campaign.pk)
    assert found and found.counted_at is None and found.report == reports.campaign_report(campaign.pk)


def test_a_big_one_shows_what_the_task_counted(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_counts, "LIVE_MOST", 3)
    assert campaign_counts.numbers(campaign.pk) is None
    assert campaign_counts.results([campaign.pk]) == {}
    assert campaign_counts.refresh() == 1
    found = campaign_counts.numbers(campaign.pk)
    assert found and found.counted_at and found.report == reports.campaign_report(campaign.pk)
    result = campaign_counts.results([campaign.pk])[campaign.pk]
    assert (result.total, result.done, result.sent, result.bounced) == (4, 3, 3, 1)


def test_one_that_sends_is_counted_again_soon_and_its_states_first(campaign: Campaign) -> None:
    now = timezone.now()
    campaign_counts.refresh(now)
    assert campaign_counts.refresh(now + timedelta(seconds=5)) == 0
    Delivery.objects.filter(state="queued").update(state="sent")
    kept = CampaignCount.objects.filter(pk=campaign.pk)
    kept.update(seconds=100.0)  # its whole report takes long
    assert campaign_counts.refresh(now + timedelta(seconds=10)) == 1
    assert kept.get().by_state["sent"] == 1 and kept.get().counted_at == now
    assert campaign_counts.refresh(now + timedelta(seconds=2001)) == 2
    assert kept.get().counted_at > now


@pytest.mark.parametrize(("days", "again"), [(10, timedelta(hours=2)), (100, timedelta(hours=23))])
def test_the_older_a_campaign_the_less_often_it_is_counted(
    campaign: Campaign, days: int, again: timedelta
) -> None:
    now = timezone.now()
    started = now - timedelta(days=days)
    Campaign.objects.filter(pk=campaign.pk).update(status="finished", started_at=started)
    campaign_counts.refresh(now)
    assert campaign_counts.refresh(now + again) == 0
    assert campaign_counts.refresh(now + again + timedelta(hours=2)) == 1


def test_a_very_old_one_is_counted_once(campaign: Campaign) -> None:
    now = timezone.now()
    Campaign.objects.filter(pk=campaign.pk).update(status="finished", started_at=now - timedelta(days=400))
    assert campaign_counts.refresh(now) == 1
    assert campaign_counts.refresh(now + timedelta(days=90)) == 0


def test_the_numbers_of_a_campaigns_rows_are_their_first_and_last(campaign: Campaign) -> None:
    rows = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    assert campaign_counts.span(campaign.pk) == (rows[0], rows[-1])
    assert campaign_counts.span(campaign.pk + 1) == (1, 0)
