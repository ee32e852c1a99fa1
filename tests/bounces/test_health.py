"""Health is what the events say, in any order; a delivery heals after a day without a bounce."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from django.utils import timezone

from bounces import health, undo
from bounces.history import Scene
from bounces.models import AddressHealth
from mailinglist import subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Subscriber, Subscription, Suppression
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


class TestBouncesThatCountNoMore:
    """What the page of a person promises when they are restored is true at once, and whatever is computed anew."""

    @pytest.fixture
    def given_up(self, ada: Subscriber) -> Subscriber:
        Subscription.objects.create(list=make_list("tips"), subscriber=ada, status="confirmed", source="test")
        news = ada.subscriptions.get(list__name="News").list
        for hours in (60, 40):
            mail = make_delivery(make_started(news, name=f"{hours}"), ada, "bounced")
            mail.attempt_set.update(started_at=timezone.now() - hours * HOUR)
            make_event(mail, "soft", "x", occurred_at=timezone.now() - hours * HOUR)
        at = timezone.now() - 40 * HOUR
        subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.UNREACHABLE, by=SYSTEM, why="x", at=at)
        assert state(ada).state == "unreachable"
        return ada

    def expect(self, ada: Subscriber, wanted: str, soft: int) -> None:
        for _ in range(2):
            found = AddressHealth.objects.get(subscriber=ada)
            assert (found.state, found.consecutive_soft, found.soft_days) == (wanted, soft, soft)
            assert found.last_bounce_at, "that it bounced stays true"
            AddressHealth.objects.update(state="wavering", consecutive_soft=9, soft_days=9)
            health.rebuild()

    def test_one_subscription_restored_heals_the_address(self, given_up: Subscriber) -> None:
        row = given_up.subscriptions.get(list__name="News")
        subscriptions.restore(row.pk, by=SYSTEM, why="x")
        self.expect(given_up, "healthy", 0)

    def test_a_whole_domain_restored_heals_its_addresses(self, given_up: Subscriber) -> None:
        now = timezone.now()
        done = undo.restore_bounced("post.example", start=now - 90 * HOUR, end=now, by=SYSTEM, why="x")
        assert done.subscriptions == 2
        self.expect(given_up, "healthy", 0)

    def test_so_does_a_release_of_the_address(self, given_up: Subscriber) -> None:
        suppression.suppress(given_up.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="x")
        suppression.release(Suppression.objects.get().pk, by=SYSTEM, why="x")
        self.expect(given_up, "healthy", 0)

    def test_and_the_person_who_confirms_again(self, given_up: Subscriber) -> None:
        row = given_up.subscriptions.get(list__name="News")
        Subscription.objects.filter(pk=row.pk).update(status="pending")
        assert subscriptions.confirm(given_up, row.list, ip=None, by=SYSTEM)
        self.expect(given_up, "healthy", 0)

    def test_a_bounce_that_is_only_held_again_forgives_nothing(self, given_up: Subscriber) -> None:
        for row in given_up.subscriptions.all():
            subscriptions.restore(row.pk, by=SYSTEM, why="x", forgive=False)
        assert state(given_up).state == "wavering"

    @pytest.mark.parametrize(("sent", "wanted"), [(-1, "healthy"), (1, "wavering")])
    def test_what_comes_later_counts_when_its_mail_is_newer(
        self, given_up: Subscriber, sent: int, wanted: str
    ) -> None:
        row = given_up.subscriptions.get(list__name="News")
        subscriptions.restore(row.pk, by=SYSTEM, why="x")
        mail = make_delivery(make_started(row.list, name="late"), given_up, "bounced")
        mail.attempt_set.update(started_at=timezone.now() + sent * HOUR)
        make_event(mail, "soft", "x", occurred_at=timezone.now() + 2 * HOUR)
        state(given_up)
        self.expect(given_up, wanted, int(wanted == "wavering"))

    def test_who_is_given_up_again_is_unreachable(self, given_up: Subscriber) -> None:
        row = given_up.subscriptions.get(list__name="News")
        subscriptions.restore(row.pk, by=SYSTEM, why="x")
        subscriptions.unsubscribe(given_up.pk, reason=Subscription.Reason.UNREACHABLE, by=SYSTEM, why="x")
        assert state(given_up).state == "unreachable"


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
