"""What a scene knows: the report that counts, what arrived, and what was before."""

from datetime import timedelta

import pytest

from bounces.history import Scene, is_harmless
from bounces.models import Event
from mailinglist.models import Delivery, Subscriber
from tests.factories import make_list, make_subscriber
from tests.staff import T0, make_delivery, make_event, make_started

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def ada() -> Subscriber:
    return make_subscriber("ada@post.example", make_list("news"))


def mail(ada: Subscriber, name: str = "Week 47") -> Delivery:
    return make_delivery(make_started(ada.subscriptions.get().list, name=name), ada, "sent")


def report(delivery: Delivery, verdict: str, hours: int = 0, **values: object) -> Event:
    kind = {"delivered": "delivery", "complaint": "complaint"}.get(verdict, "bounce")
    return make_event(delivery, verdict, "x", kind=kind, occurred_at=T0 + hours * HOUR, **values)


def test_the_strongest_report_of_an_attempt_counts_whichever_came_first(ada: Subscriber) -> None:
    delivery = mail(ada)
    for verdict in ("delivered", "block", "soft", "hard"):
        report(delivery, verdict)
        found = Scene([ada.pk]).strongest(delivery.pk, 1)
        assert found is not None and found.verdict == verdict
    assert Scene([ada.pk]).strongest(delivery.pk, 2) is None


def test_of_two_equal_reports_the_earlier_counts(ada: Subscriber) -> None:
    delivery = mail(ada)
    report(delivery, "soft", 5)
    earlier = report(delivery, "soft", 1)
    assert Scene([ada.pk]).strongest(delivery.pk, 1) == earlier


def test_praise_does_not_count(ada: Subscriber) -> None:
    delivery = mail(ada)
    praise = report(delivery, "complaint", reason="not-spam")
    assert is_harmless(praise)
    scene = Scene([ada.pk])
    assert scene.strongest(delivery.pk, 1) is None
    assert scene.complaint(delivery) is None


def test_a_complaint_about_any_attempt_is_found(ada: Subscriber) -> None:
    delivery = mail(ada)
    delivery.attempts = 2
    report(delivery, "delivered", attempt_number=2)
    complaint = report(delivery, "complaint", 9, attempt_number=1)
    assert Scene([ada.pk]).complaint(delivery) == complaint


def test_a_delivery_that_a_bounce_contradicts_did_not_arrive(ada: Subscriber) -> None:
    good, bad = mail(ada), mail(ada, "Week 48")
    report(good, "delivered", 1)
    report(bad, "delivered", 2)
    report(bad, "hard", 3)
    assert Scene([ada.pk]).arrived(ada.pk) == {(good.pk, 1): T0 + HOUR}


def test_only_another_mail_before_counts_as_delivered_before(ada: Subscriber) -> None:
    first, second = mail(ada), mail(ada, "Week 48")
    report(second, "delivered", 5)
    early = report(first, "hard", 1)
    assert not Scene([ada.pk]).delivered_before(early)
    late = report(first, "hard", 6)
    assert Scene([ada.pk]).delivered_before(late)


def test_failures_are_counted_by_attempt_up_to_the_events_own(ada: Subscriber) -> None:
    delivery = mail(ada)
    events = [report(delivery, "soft", number, attempt_number=number) for number in (1, 2, 3)]
    report(delivery, "soft", 2, attempt_number=2, subtype="General")
    scene = Scene([ada.pk])
    assert [scene.failures_up_to(event, ("soft",)) for event in events] == [1, 2, 3]
    assert scene.failures_up_to(events[2], ("block",)) == 0


def test_earlier_reports_are_of_other_attempts_of_the_same_verdict_and_reason(ada: Subscriber) -> None:
    first, second = mail(ada), mail(ada, "Week 48")
    report(first, "soft", 1, reason="mailbox-full")
    report(first, "soft", 2, reason="domain-not-found")
    report(second, "soft", 3, reason="domain-not-found")
    event = report(second, "soft", 4, reason="domain-not-found")
    scene = Scene([ada.pk])
    assert scene.earlier(event, verdict="soft", reason="domain-not-found") == (T0 + 2 * HOUR,)
    assert scene.earlier(event, verdict="soft") == (T0 + HOUR, T0 + 2 * HOUR)
    assert scene.earlier(event, verdict="hard") == ()


def test_campaigns_tell_what_bounced_and_what_came_up_to_the_event(ada: Subscriber) -> None:
    first, second, third = mail(ada), mail(ada, "Week 48"), mail(ada, "Week 49")
    for number, delivery in enumerate((first, second, third)):
        Delivery.objects.filter(pk=delivery.pk).update(created_at=T0 + number * 24 * HOUR)
    report(first, "soft", 1)
    report(first, "delivered", 2, attempt_number=2)
    event = report(second, "soft", 25)
    report(third, "soft", 49)
    confirmation = Delivery.objects.create(
        list=first.list, subscriber=ada, purpose="confirmation", state="sent", attempts=1
    )
    report(confirmation, "soft", 3)
    assert Scene([ada.pk]).campaigns(event) == [(T0, True, True), (T0 + 24 * HOUR, True, False)]


def test_a_scene_takes_six_queries_however_much_happened(
    ada: Subscriber, django_assert_num_queries: object
) -> None:
    delivery = mail(ada)
    for number in range(20):
        report(delivery, "soft", number, attempt_number=number + 1)
    with django_assert_num_queries(6):  # type: ignore[operator]
        scene = Scene([ada.pk])
        assert scene.deliveries and scene.sent_at and scene.deliveries
