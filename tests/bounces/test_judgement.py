"""Settling: what state a mail gets, what happens to the person, and what an old report can no longer do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bounces import judgement, pipeline
from bounces.models import Event, Policy
from mailinglist import subscriptions, suppression
from mailinglist.changes import Actor, Kind
from mailinglist.models import Change, Delivery, Subscription
from tests import ses_events as ses
from tests.bounces.helpers import DAY, send_to, state_of, subscription, take
from tests.factories import make_list
from tests.ses_events import T0

pytestmark = pytest.mark.django_db

NOT_FOUND = ("Permanent", "General", "5.4.4", "smtp; 550 5.4.4 Host or domain name not found")


def test_settling_again_changes_nothing() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery))
    before = list(Change.objects.order_by("pk").values()), list(Event.objects.values())
    done = judgement.settle(delivery_ids=[delivery.pk], subscriber_ids=[delivery.subscriber_id])
    assert (done.unsubscribed, done.suppressed) == (0, 0)
    assert (list(Change.objects.order_by("pk").values()), list(Event.objects.values())) == before


def test_a_list_with_a_policy_of_its_own_follows_it_and_others_the_default() -> None:
    Policy.objects.create(soft_retry_days=[3])
    own = make_list("own")
    Policy.objects.create(list=own, soft_retry_days=[], block_retry_days=0)
    common, special = send_to("ada@post.example"), send_to("bob@post.example", own)
    take(ses.full(common), ses.full(special))
    assert state_of(common) == "waiting" and common.next_attempt_at is not None
    assert 2.7 * DAY < common.next_attempt_at - T0 < 3.4 * DAY
    assert state_of(special) == "bounced"
    assert subscription(special).status == "confirmed"


def test_a_confirmation_mail_that_bounced_softly_is_not_sent_again() -> None:
    delivery = send_to("ada@post.example")
    Delivery.objects.filter(pk=delivery.pk).update(campaign=None, version=None, purpose="confirmation")
    take(ses.full(delivery))
    assert state_of(delivery) == "bounced"
    assert subscription(delivery).status == "confirmed"


@pytest.mark.parametrize("state", ["queued", "cancelled", "skipped"])
def test_a_late_soft_report_does_not_bring_a_mail_back(state: str) -> None:
    delivery = send_to("ada@post.example")
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    take(ses.full(delivery))
    assert state_of(delivery) == state


def test_a_bounce_from_before_a_reconfirmation_settles_the_mail_and_spares_the_person() -> None:
    delivery = send_to("ada@post.example")
    person, by = delivery.subscriber, Actor(Kind.PERSON)
    subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.PAGE, by=by, why="Left.")
    consent = subscriptions.Consent(timezone.now())
    subscriptions.subscribe(delivery.list, person.email, consent=consent, source="form", by=by)
    assert subscriptions.confirm(person, delivery.list, ip=None, by=by)
    take(ses.bounced(delivery))
    assert state_of(delivery) == "bounced"
    assert subscription(delivery).status == "confirmed"
    assert not suppression.is_suppressed(person)
    assert "from before the person confirmed again" in Event.objects.get().effect_text


def test_a_second_hard_bounce_ends_the_hold_of_an_address_that_took_mail_before() -> None:
    now = timezone.now()
    took = send_to("ada@post.example", at=now - 30 * DAY)
    take(ses.delivered(took, at=now - 30 * DAY))
    first = send_to("ada@post.example", at=now - timedelta(hours=2))
    take(ses.bounced(first, at=now - timedelta(hours=1)))
    assert subscription(first).status == "confirmed"
    second = send_to("ada@post.example", at=now - timedelta(minutes=2))
    take(ses.bounced(second, at=now - timedelta(minutes=1)))
    assert subscription(second).unsubscribe_reason == "hard-bounce"
    assert suppression.is_suppressed(second.subscriber)


def test_a_domain_that_is_not_found_is_believed_when_a_mail_a_day_later_says_so_too() -> None:
    first = send_to("ada@gone.example")
    take(ses.bounced(first, *NOT_FOUND))
    assert Event.objects.get().reason == "domain-not-found"
    assert (state_of(first), subscription(first).status) == ("waiting", "confirmed")
    second = send_to("ada@gone.example", at=T0 + 2 * DAY)
    take(ses.bounced(second, *NOT_FOUND, at=T0 + 2 * DAY))
    assert state_of(second) == "bounced"
    assert subscription(second).unsubscribe_reason == "hard-bounce"
    assert suppression.is_suppressed(second.subscriber)


def test_soft_bounces_in_three_campaigns_over_two_weeks_mean_unreachable() -> None:
    other = make_list("other")
    for days in (0, 7, 14):
        delivery = send_to("ada@post.example", at=T0 + (days - 20) * DAY)
        take(ses.full(delivery, at=T0 + (days - 20) * DAY))
        if not days:
            Subscription.objects.create(
                list=other, subscriber=delivery.subscriber, status="confirmed", source="test"
            )
    found = Subscription.objects.values_list("status", "unsubscribe_reason")
    assert set(found) == {("unsubscribed", "unreachable")}
    assert not suppression.is_suppressed(delivery.subscriber)


def test_an_address_on_the_list_of_ses_is_suppressed_and_stays_subscribed() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery, subtype="OnAccountSuppressionList", action=""))
    assert state_of(delivery) == "bounced"
    assert suppression.is_suppressed(delivery.subscriber)
    assert subscription(delivery).status == "confirmed"


def test_who_left_by_a_contact_list_of_ses_is_unsubscribed_and_not_suppressed() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery, subtype="UnsubscribedRecipient", action=""))
    assert subscription(delivery).unsubscribe_reason == Subscription.Reason.SES
    assert not suppression.is_suppressed(delivery.subscriber)


def test_effects_that_are_due_are_found_by_the_sweep_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 1)
    now = timezone.now()
    for email in ("ada@post.example", "bob@post.example"):
        delivery = send_to(email, make_list(email[:3]), at=now - 30 * DAY)
        take(ses.delivered(delivery, at=now - 30 * DAY))
        newer = send_to(email, delivery.list, at=now - DAY)
        with monkeypatch.context() as patch:
            patch.setattr("bounces.judgement.timezone.now", lambda: now - timedelta(hours=20))
            take(ses.bounced(newer, at=now - timedelta(hours=20)))
        assert subscription(newer).status == "confirmed"
    assert pipeline.apply_due_effects() == 2
    assert set(Subscription.objects.values_list("unsubscribe_reason", flat=True)) == {"hard-bounce"}
    assert pipeline.apply_due_effects() == 0
