"""The person takes an unsubscribe back: their own ones only, and for a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Change, MailingList, Subscriber, Subscription, Suppression
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db
PERSON = Actor(Kind.PERSON)
Status, Reason = Subscription.Status, Subscription.Reason


@pytest.fixture
def news() -> MailingList:
    return make_list()


@pytest.fixture
def ada(news: MailingList) -> Subscriber:
    return make_subscriber("ada@post.example", news)


def leave(subscriber: Subscriber, reason: Subscription.Reason) -> None:
    subscriptions.unsubscribe(subscriber.pk, reason=reason, by=PERSON, why="Left.")


@pytest.mark.parametrize("reason", [Reason.PAGE, Reason.ONE_CLICK])
def test_an_unsubscribe_of_ones_own_is_taken_back(ada: Subscriber, news: MailingList, reason: str) -> None:
    leave(ada, Reason(reason))
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 1
    row = ada.subscriptions.get()
    assert (row.status, row.unsubscribe_reason, row.unsubscribed_at) == (Status.CONFIRMED, "", None)
    change = Change.objects.latest("pk")
    assert (change.before, change.after, change.actor) == ("unsubscribed", "confirmed", "person")


def test_what_waited_for_confirmation_waits_again(ada: Subscriber, news: MailingList) -> None:
    ada.subscriptions.update(status=Status.PENDING)
    leave(ada, Reason.PAGE)
    subscriptions.rejoin(ada, [news.pk], by=PERSON)
    assert ada.subscriptions.get().status == Status.PENDING


def test_an_end_before_a_sign_up_of_somebody_else_stands_until_it_is_confirmed(
    ada: Subscriber, news: MailingList
) -> None:
    """Left, signed up by a stranger, left again by an old mail, and taken back: they still have left."""
    leave(ada, Reason.PAGE)
    consent = subscriptions.Consent(timezone.now())
    subscriptions.subscribe(news, ada.email, consent=consent, source="form", by=PERSON)
    leave(ada, Reason.ONE_CLICK)
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 1
    row = ada.subscriptions.get()
    assert row.status == Status.PENDING and row.unsubscribe_reason


@pytest.mark.parametrize(
    "reason", [Reason.MANAGER, Reason.COMPLAINT, Reason.HARD_BOUNCE, Reason.SOFT_EXHAUSTED]
)
def test_what_others_ended_stays_ended(ada: Subscriber, news: MailingList, reason: str) -> None:
    leave(ada, Reason(reason))
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 0


def test_pressing_unsubscribe_first_does_not_undo_a_managers_decision(
    ada: Subscriber, news: MailingList
) -> None:
    leave(ada, Reason.MANAGER)
    leave(ada, Reason.PAGE)
    assert ada.subscriptions.get().unsubscribe_reason == Reason.PAGE
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 0
    assert ada.subscriptions.get().status == Status.UNSUBSCRIBED


def test_after_a_day_it_takes_a_new_sign_up(ada: Subscriber, news: MailingList) -> None:
    leave(ada, Reason.PAGE)
    ada.subscriptions.update(unsubscribed_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 0


def test_a_suppressed_address_does_not_come_back(ada: Subscriber, news: MailingList) -> None:
    leave(ada, Reason.PAGE)
    suppression.suppress(ada.pk, reason=Suppression.Reason.HARD_BOUNCE, by=SYSTEM, why="Bounced.")
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 0


def test_only_the_named_lists_come_back(ada: Subscriber, news: MailingList) -> None:
    other = make_list("other")
    Subscription.objects.create(list=other, subscriber=ada, status=Status.CONFIRMED, source="test")
    leave(ada, Reason.PAGE)
    assert subscriptions.rejoin(ada, [other.pk], by=PERSON) == 1
    assert ada.subscriptions.get(list=news).status == Status.UNSUBSCRIBED


def test_taking_it_back_twice_does_nothing_the_second_time(ada: Subscriber, news: MailingList) -> None:
    leave(ada, Reason.PAGE)
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 1
    assert subscriptions.rejoin(ada, [news.pk], by=PERSON) == 0
