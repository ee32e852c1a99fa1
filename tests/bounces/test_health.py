"""Health is what the events say, in any order; a delivery heals after a day without a bounce."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from django.utils import timezone

from bounces import health
from bounces.history import Scene
from bounces.models import AddressHealth
from mailinglist import subscriptions
from mailinglist.changes import SYSTEM
from mailinglist.models import Subscriber, Subscription
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_event, make_started

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def ada() -> Subscriber:
    return make_subscriber("ada@post.example", make_list("news"))


def report(ada: Subscriber, verdict: str, hours_ago: float, *, mail: object = None) -> object:
    news = ada.subscriptions.get().list
    delivery = mail or make_delivery(make_started(news, name=f"{verdict} {hours_ago}"), ada, "sent")
    make_event(delivery, verdict, "x", occurred_at=timezone.now() - hours_ago * HOUR)
    return delivery


def state(ada: Subscriber) -> AddressHealth:
    health.recompute(Scene([ada.pk]))
    return AddressHealth.objects.get(subscriber=ada)


def test_nothing_known_is_healthy(ada: Subscriber) -> None:
    found = state(ada)
    assert (found.state, found.consecutive_soft, found.last_bounce_at) == ("healthy", 0, None)


def test_soft_bounces_make_an_address_waver_and_are_counted_by_mail_and_by_day(ada: Subscriber) -> None:
    mail = report(ada, "soft", 49)
    report(ada, "soft", 49, mail=mail)
    report(ada, "soft", 1)
    found = state(ada)
    assert (found.state, found.consecutive_soft, found.soft_days) == ("wavering", 2, 2)


@pytest.mark.parametrize(("hours_ago", "expected"), [(25, "healthy"), (23, "wavering")])
def test_a_delivery_is_believed_after_a_day(ada: Subscriber, hours_ago: float, expected: str) -> None:
    report(ada, "soft", 48)
    report(ada, "delivered", hours_ago)
    assert state(ada).state == expected


def test_a_delivery_that_bounced_afterwards_heals_nothing(ada: Subscriber) -> None:
    report(ada, "soft", 72)
    mail = report(ada, "delivered", 48)
    report(ada, "block", 47, mail=mail)
    found = state(ada)
    assert (found.state, found.last_delivered_at) == ("wavering", None)


@pytest.mark.parametrize("verdict", ["block", "message", "unknown", "hard"])
def test_only_soft_bounces_make_an_address_waver(ada: Subscriber, verdict: str) -> None:
    report(ada, verdict, 1)
    found = state(ada)
    assert (found.state, found.consecutive_soft) == ("healthy", 0)
    assert found.last_bounce_at is not None


def test_who_was_given_up_is_unreachable(ada: Subscriber) -> None:
    report(ada, "soft", 1)
    subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.SOFT_EXHAUSTED, by=SYSTEM, why="x")
    assert state(ada).state == "unreachable"


def test_the_order_of_arrival_does_not_matter(ada: Subscriber) -> None:
    ends = []
    reports = [("soft", 80.0), ("delivered", 50.0), ("soft", 30.0), ("block", 2.0)]
    now = timezone.now()
    for order in permutations(reports):
        with transaction.atomic():
            for verdict, hours_ago in order:
                report(ada, verdict, hours_ago)
            found = state(ada)
            assert found.last_bounce_at is not None
            ends.append((found.state, found.consecutive_soft, round((now - found.last_bounce_at) / HOUR)))
            transaction.set_rollback(True)
    assert set(ends) == {("wavering", 1, 2)}
