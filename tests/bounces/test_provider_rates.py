"""Rates per provider and over time, from the counted slots."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bounces import provider_rates, reputation
from bounces.models import ProviderSlot
from bounces.provider_rates import Counts

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def slot(provider: str, days_ago: float, **counts: int) -> None:
    ProviderSlot.objects.create(provider=provider, starts_at=timezone.now() - days_ago * DAY, **counts)


def test_the_largest_come_first_and_old_slots_do_not_count() -> None:
    slot("gmail.com", 1, delivered=50, hard=50)
    slot("post.example", 2, delivered=60, soft=20)
    slot("old.example", 40, delivered=1000)
    found = provider_rates.largest(30)
    assert [name for name, _ in found] == ["gmail.com", "post.example"]
    assert (found[0][1].bounce_rate, found[1][1].rate(found[1][1].soft)) == (0.5, 0.25)
    assert [name for name, _ in provider_rates.largest(30, name="POST")] == ["post.example"]


def test_days_and_hours_are_added_up() -> None:
    for minutes in (0, 15, 30):
        slot("gmail.com", 5 + minutes / 1440, delivered=10, block=10)
    slot("gmail.com", 1, delivered=10)
    points = provider_rates.over_time("gmail.com", 30)
    assert provider_rates.total(points) == Counts(delivered=40, block=30)
    assert 2 <= len(points) <= 3
    assert points[0].at.hour == 0
    assert len(provider_rates.over_time("gmail.com", 2)) == 1


def test_rates_of_nothing_are_zero_and_no_rate_is_above_one() -> None:
    assert Counts().bounce_rate == 0.0
    assert Counts(delayed=3).delay_rate == 1.0
    assert Counts(delivered=1, delayed=3).delay_rate == 1.0


def test_a_reputation_of_few_mails_says_nothing() -> None:
    slot("gmail.com", 1, delivered=reputation.ENOUGH - 10, hard=9)
    assert [rate.tone for rate in reputation.rates()] == ["default", "default"]
    slot("gmail.com", 2, delivered=1)
    assert reputation.rates()[0].tone == "warning"
    assert "SES wants less than 2 %, reviews at 5 % and pauses at 10 %." in reputation.rates()[0].words
