"""The page about one person, and every button on it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bounces.models import Event
from mailinglist import subscriptions, suppression
from mailinglist.changes import Actor, Kind
from mailinglist.models import Change, Delivery, MailingList, Subscriber, Subscription, Suppression
from tests.factories import make_list, make_subscriber
from tests.staff import T0, make_delivery, make_event, make_started, make_story, make_suppressed

pytestmark = pytest.mark.django_db
Status, Reason = Subscription.Status, Subscription.Reason


@pytest.fixture
def ada() -> Subscriber:
    return make_story()


def address(act: str, person: Subscriber, *more: int) -> str:
    return reverse(f"admin:bounces_recipient{act and '_' + act}", args=[person.pk, *more])


def text(client: Client, person: Subscriber, **query: Any) -> str:
    return client.get(address("", person), query).content.decode()


def on(person: Subscriber, slug: str) -> Subscription:
    return Subscription.objects.get(subscriber=person, list__slug=slug)


def last_change(noun: str) -> Change:
    return Change.objects.filter(noun=noun).latest("pk")


def end(person: Subscriber, reason: Subscription.Reason) -> Subscription:
    subscriptions.unsubscribe(person.pk, reason=reason, by=Actor(Kind.RULE), why="It bounced.")
    return on(person, "news")


def test_the_page_tells_the_story_newest_first(staff: Client, ada: Subscriber) -> None:
    page = text(staff, ada)
    times = [
        page.index(needle)
        for needle in (
            "The mailbox is full.</strong>",
            "Attempt 1 of “Week 47”: accepted by SES",
            "Subscribed to News",
        )
    ]
    assert times == sorted(times)
    for needle in (
        "The same mail is sent again on 21 Nov 2025.",
        "soft bounce",
        "wavering",
        "21 Nov 2025 09:00",
    ):
        assert needle in page


def test_the_raw_notification_is_one_click_away(staff: Client, ada: Subscriber) -> None:
    event = Event.objects.get(verdict="soft")
    link = reverse("admin:bounces_notification_change", args=[event.notification_id])
    assert link in text(staff, ada)
    assert "&quot;eventType&quot;: &quot;Bounce&quot;" in staff.get(link).content.decode()


def test_a_change_by_the_policy_links_to_its_evidence(staff: Client, ada: Subscriber) -> None:
    event = Event.objects.get(verdict="soft")
    by = Actor(Kind.RULE, evidence={"event": event.pk})
    subscriptions.unsubscribe(ada.pk, reason=Reason.HARD_BOUNCE, by=by, why="The address does not exist.")
    page = text(staff, ada)
    assert f"Evidence: event {event.pk}" in page
    assert "bounce policy" in page


def test_an_effect_that_is_held_says_until_when(staff: Client, ada: Subscriber) -> None:
    later = timezone.now() + timedelta(hours=6)
    Event.objects.filter(verdict="soft").update(effect_at=later)
    assert f"Held until {later:%d %b %Y %H:%M} UTC." in text(staff, ada)


def test_a_long_story_is_paged_without_losing_or_repeating_a_line(staff: Client) -> None:
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    delivery = make_delivery(make_started(news), ada, "delivered")
    for number in range(120):
        make_event(delivery, "soft", f"Line {number:03}.", occurred_at=T0 + timedelta(seconds=number // 3))
    pages = [text(staff, ada, page=number) for number in (1, 2, 3)]
    assert [sum(f"Line {number:03}." in page for page in pages) for number in range(120)] == [1] * 120
    assert "Older" in pages[0] and "Older" not in pages[2]


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "²"])
def test_an_odd_page_number_is_no_error(staff: Client, ada: Subscriber, page: str) -> None:
    assert staff.get(address("", ada), {"page": page}).status_code == 200


def test_unsubscribe_asks_first_and_wants_a_reason(staff: Client, ada: Subscriber) -> None:
    news = MailingList.objects.get(slug="news")
    where = f"{address('unsubscribe', ada)}?list={news.pk}"
    assert "From: News." in staff.get(where).content.decode()
    assert "This field is required" in staff.post(where, {"why": " "}).content.decode()
    assert on(ada, "news").status == Status.CONFIRMED


def test_unsubscribe_from_one_list_leaves_the_other_and_names_the_manager(
    staff: Client, boss: User, ada: Subscriber
) -> None:
    news = MailingList.objects.get(slug="news")
    staff.post(f"{address('unsubscribe', ada)}?list={news.pk}", {"why": "She called."})
    assert (on(ada, "news").status, on(ada, "tips").status) == (Status.UNSUBSCRIBED, Status.CONFIRMED)
    assert on(ada, "news").unsubscribe_reason == Reason.MANAGER
    change = last_change("subscription")
    assert (change.actor, change.user, change.why) == ("user", boss, "She called.")
    assert "She called." in text(staff, ada)


def test_unsubscribe_from_all(staff: Client, ada: Subscriber) -> None:
    answer = staff.post(address("unsubscribe", ada), {"why": "She wrote."}, follow=True).content.decode()
    assert "2 subscriptions ended." in answer
    assert not ada.subscriptions.exclude(status=Status.UNSUBSCRIBED).exists()


def test_suppress_and_release_name_the_manager(staff: Client, boss: User, ada: Subscriber) -> None:
    staff.post(address("suppress", ada), {"why": "Asked for by their lawyer."})
    assert suppression.is_suppressed(ada)
    assert last_change("suppression").user == boss
    staff.post(address("release", ada), {"why": "Taken back."})
    assert not suppression.is_suppressed(ada)
    assert (last_change("suppression").user, last_change("suppression").why) == (boss, "Taken back.")


def test_release_after_a_complaint_warns(staff: Client, ada: Subscriber) -> None:
    make_suppressed(ada)
    Suppression.objects.update(reason="complaint")
    assert "reported a mail as spam" in staff.get(address("release", ada)).content.decode()


def test_release_of_what_is_not_suppressed_says_so(staff: Client, ada: Subscriber) -> None:
    answer = staff.post(address("release", ada), {"why": "x"}, follow=True).content.decode()
    assert "This address is not suppressed." in answer


def test_restore_brings_back_what_a_bounce_ended(staff: Client, boss: User, ada: Subscriber) -> None:
    row = end(ada, Reason.HARD_BOUNCE)
    staff.post(address("restore", ada, row.pk), {"why": "Their server was down."})
    assert on(ada, "news").status == Status.CONFIRMED
    assert (last_change("subscription").user, last_change("subscription").after) == (boss, "confirmed")
    assert "Subscription to News restored" in text(staff, ada)


def test_restore_of_ones_own_choice_is_not_offered_and_refused_with_a_sentence(
    staff: Client, ada: Subscriber
) -> None:
    row = end(ada, Reason.ONE_CLICK)
    assert address("restore", ada, row.pk) not in text(staff, ada)
    answer = staff.post(address("restore", ada, row.pk), {"why": "Please!"}, follow=True).content.decode()
    assert "left by their own choice" in answer
    assert on(ada, "news").status == Status.UNSUBSCRIBED


def test_restore_warns_when_the_address_is_still_suppressed(staff: Client, ada: Subscriber) -> None:
    row = end(ada, Reason.HARD_BOUNCE)
    make_suppressed(ada)
    assert "release it too" in staff.get(address("restore", ada, row.pk)).content.decode()
    done = staff.post(address("restore", ada, row.pk), {"why": "A mistake."}, follow=True).content.decode()
    assert "is back. The address is still suppressed" in done


def test_a_subscription_of_somebody_else_cannot_be_restored_here(staff: Client, ada: Subscriber) -> None:
    row = end(ada, Reason.HARD_BOUNCE)
    bob = make_subscriber("bob@post.example")
    assert staff.post(address("restore", bob, row.pk), {"why": "x"}).status_code == 404


def test_send_again_queues_a_mail_in_doubt(staff: Client, boss: User, ada: Subscriber) -> None:
    delivery = Delivery.objects.get(state="unknown")
    assert "gets it twice" in staff.get(address("resend", ada, delivery.pk)).content.decode()
    staff.post(address("resend", ada, delivery.pk))
    delivery.refresh_from_db()
    assert delivery.state == "queued"
    assert last_change("delivery").user == boss


def test_send_again_of_a_delivered_mail_is_refused_with_a_sentence(staff: Client, ada: Subscriber) -> None:
    delivery = make_delivery(make_started(MailingList.objects.get(slug="news"), name="Old"), ada, "delivered")
    answer = staff.post(address("resend", ada, delivery.pk), follow=True).content.decode()
    assert "can be sent again" in answer
    delivery.refresh_from_db()
    assert delivery.state == "delivered"


def test_nobody_there_is_not_found(staff: Client) -> None:
    assert staff.get(reverse("admin:bounces_recipient", args=[999])).status_code == 404
