"""The review pages: filters and actions of the bounce inbox, ended subscriptions, providers, what-if, one person."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bounces import incidents, slots
from bounces.models import Event, ProviderSlot
from mailinglist import subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Delivery, MailingList, Subscriber, Subscription, Suppression
from tests import ses_events as ses
from tests.bounces.helpers import DAY, send_to, state_of, subscription, take
from tests.bounces.outage import OUTAGE, history, mail_all, refuse
from tests.factories import make_list

pytestmark = pytest.mark.django_db
EVENTS = "/admin/bounces/event/"
ENDED = "/admin/mailinglist/subscription/"


def text(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def bounce(email: str, slug: str = "news") -> Delivery:
    mailing_list = MailingList.objects.filter(slug=slug).first() or make_list(slug)
    delivery = send_to(email, mailing_list)
    take(ses.bounced(delivery))
    return delivery


def act(client: Client, address: str, action: str, rows: list[int], **values: str) -> str:
    answer = client.post(
        address, {"action": action, "_selected_action": [str(pk) for pk in rows], **values}, follow=True
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


def hard_events() -> list[int]:
    return list(Event.objects.filter(verdict="hard").order_by("pk").values_list("pk", flat=True))


def test_who_left_stays_among_the_ended_until_they_confirm_again(staff: Client) -> None:
    delivery = send_to("ada@post.example")
    left = subscriptions.Reason.PAGE
    subscriptions.unsubscribe(delivery.subscriber_id, reason=left, by=SYSTEM, why="x")
    Subscription.objects.update(status="pending")
    assert "the unsubscribe page; asked to come back, not confirmed" in text(staff, ENDED)
    subscriptions.confirm(delivery.subscriber, delivery.list, ip=None, by=SYSTEM)
    assert "ada@post.example" not in text(staff, ENDED)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"verdict": "bounces"}, {"ada@gmail.com", "bob@googlemail.com", "eve@post.example"}),
        ({"verdict": "soft"}, {"eve@post.example"}),
        ({"provider": "gmail.com"}, {"ada@gmail.com", "bob@googlemail.com"}),
        ({"provider": "nobody.example"}, set()),
        ({"list": "tips"}, {"bob@googlemail.com"}),
        ({"effect": "applied"}, {"ada@gmail.com", "bob@googlemail.com"}),
        ({"effect": "held"}, set()),
        ({"effect": "ruled"}, set()),
        ({"reason": "mailbox-full"}, {"eve@post.example"}),
        ({"list": "x"}, set()),
    ],
)
def test_the_inbox_is_filtered(staff: Client, query: dict[str, str], shown: set[str]) -> None:
    bounce("ada@gmail.com")
    bounce("bob@googlemail.com", "tips")
    take(ses.full(send_to("eve@post.example")))
    if query.get("list") == "tips":
        query = {"list": str(MailingList.objects.get(slug="tips").pk)}
    page = text(staff, EVENTS, **query)
    assert {
        email for email in ("ada@gmail.com", "bob@googlemail.com", "eve@post.example") if f">{email}<" in page
    } == shown


def test_chosen_bounces_are_taken_back_with_a_reason(staff: Client, boss: User) -> None:
    first, second = bounce("ada@post.example"), bounce("bob@post.example")
    chosen = hard_events()[:1]
    asked = act(staff, EVENTS, "take_back", chosen)
    assert "You chose <strong>1</strong> row." in asked
    assert subscription(first).status == "unsubscribed"
    assert "This field is required" in act(staff, EVENTS, "take_back", chosen, why=" ")
    done = act(staff, EVENTS, "take_back", chosen, why="An outage.")
    assert "1 people: 1 subscriptions are back, 1 addresses released." in done
    assert (subscription(first).status, subscription(second).status) == ("confirmed", "unsubscribed")
    change = Change.objects.filter(noun="subscription", after="confirmed").latest("pk")
    assert (change.why, change.user) == ("An outage.", boss)
    assert not suppression.is_suppressed(first.subscriber)


def test_who_may_not_change_people_takes_nothing_back(client: Client) -> None:
    delivery = bounce("ada@post.example")
    viewer = User.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    act(client, EVENTS, "take_back", hard_events(), why="x")
    act(client, ENDED, "restore_chosen", [subscription(delivery).pk], why="x")
    assert subscription(delivery).status == "unsubscribed"


def test_chosen_subscriptions_come_back_and_a_persons_own_choice_does_not(staff: Client) -> None:
    lost, left = subscription(bounce("ada@post.example")), subscription(send_to("bob@post.example"))
    Subscription.objects.filter(pk=left.pk).update(status="unsubscribed", unsubscribe_reason="page")
    page = text(staff, ENDED)
    assert "ada@post.example" in page and "bob@post.example" in page
    assert "bob@post.example" not in text(staff, ENDED, reason="bounces")
    done = act(staff, ENDED, "restore_chosen", [lost.pk, left.pk], why="An outage.")
    assert "1 subscriptions are back, 1 addresses released. 1 were left alone" in done
    assert Subscription.objects.get(pk=lost.pk).status == "confirmed"
    assert Subscription.objects.get(pk=left.pk).status == "unsubscribed"


def test_chosen_suppressions_are_released_but_complaints(staff: Client) -> None:
    bounce("ada@post.example")
    take(ses.complained(send_to("bob@post.example")))
    rows = list(Suppression.objects.values_list("pk", flat=True))
    done = act(staff, "/admin/mailinglist/suppression/", "release_chosen", rows)
    assert "1 addresses released" in done and "1 complaints and erasures were left alone" in done
    assert list(Suppression.objects.filter(released_at=None).values_list("reason", flat=True)) == [
        "complaint"
    ]
    page = text(staff, "/admin/mailinglist/suppression/")
    assert "to be taken off SES&#x27;s list" in page and "to be put on SES&#x27;s list" in page


def test_the_provider_pages_show_rates_a_chart_and_the_same_figures_as_a_table(staff: Client) -> None:
    assert "Nothing came back in this time" in text(staff, "/admin/bounces/providers/")
    take(ses.bounced(send_to("ada@gmail.com", at=timezone.now()), at=timezone.now() - timedelta(hours=1)))
    slots.refresh()
    ProviderSlot.objects.create(
        provider="gmail.com", starts_at=timezone.now() - 3 * DAY, delivered=30, soft=6, delayed=4
    )
    listed = text(staff, "/admin/bounces/providers/")
    assert "gmail.com" in listed and "37" in listed
    page = text(staff, "/admin/bounces/providers/gmail.com/")
    assert 'role="img"' in page and "<title" in page and "<polyline" in page
    assert "googlemail.com" in page
    assert page.count('<th scope="row" class="ml-nowrap">') == 2
    for days in ("2", "90", "x"):
        text(staff, "/admin/bounces/providers/gmail.com/", days=days)
    assert staff.get("/admin/bounces/providers/nobody.example/").status_code == 404
    assert "No provider whose name contains" in text(staff, "/admin/bounces/providers/", q="zzz")


def test_what_if_compares_and_changes_nothing(staff: Client) -> None:
    now = timezone.now()
    for days in (40, 30, 20):
        take(ses.full(send_to("ada@post.example", at=now - days * DAY), at=now - days * DAY))
    news, where = MailingList.objects.get(slug="news"), reverse("admin:bounces_policy_simulate")
    before = Change.objects.count()
    page = text(staff, where, mailing_list=news.pk, repeated_soft="0")
    assert "Kept by the other one: 1" in page and "ada@post.example" in page
    assert "Soft bounces in several campaigns running have no effect." in page
    kept = text(staff, where, mailing_list=news.pk, soft_exhausted_unsubscribes="no")
    assert '<option value="no" selected>no</option>' in kept and "The other policy in words" in kept
    assert "less than or equal to 365" in text(staff, where, mailing_list=news.pk, hold_hours="999")
    assert Change.objects.count() == before
    assert "What if it were another one?" in text(staff, "/admin/bounces/policy/")


def test_what_if_on_very_many_bounces_points_to_the_command(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bounces.admin.simulation.MOST_EVENTS", 0)
    bounce("ada@post.example")
    news = MailingList.objects.get(slug="news")
    page = text(staff, reverse("admin:bounces_policy_simulate"), mailing_list=news.pk)
    assert "manage.py simulate_policy --list news" in page and "Kept by" not in page


@pytest.mark.usefixtures("small_waves")
def test_a_held_bounce_of_one_person_is_left_alone_or_believed(staff: Client) -> None:
    refuse(mail_all(history(), OUTAGE), OUTAGE)
    incidents.watch()
    ada, bob = Subscriber.objects.order_by("pk")[:2]
    page = text(staff, reverse("admin:bounces_recipient", args=[ada.pk]))
    assert "Leave alone …" in page and "until a manager decides about the incident" in page
    for person, name in ((ada, "leave_alone"), (bob, "let_count")):
        event = Event.objects.get(subscriber=person, verdict="hard")
        where = reverse(f"admin:bounces_recipient_{name}", args=[person.pk, event.pk])
        assert person.email in text(staff, where)
        assert subscription(person.deliveries.latest("pk")).status == "confirmed"
        staff.post(where, {"why": "She called."})
    assert [person.subscriptions.get().status for person in (ada, bob)] == ["confirmed", "unsubscribed"]
    assert "Leave alone …" not in text(staff, reverse("admin:bounces_recipient", args=[ada.pk]))
    foreign = reverse(
        "admin:bounces_recipient_leave_alone",
        args=[ada.pk, Event.objects.get(subscriber=bob, verdict="hard").pk],
    )
    assert staff.get(foreign).status_code == 404


def test_everything_that_bounces_did_to_one_person_is_taken_back(staff: Client) -> None:
    delivery = bounce("ada@post.example")
    page = reverse("admin:bounces_recipient", args=[delivery.subscriber_id])
    assert "Take back what bounces did" in text(staff, page)
    where = reverse("admin:bounces_recipient_take_back", args=[delivery.subscriber_id])
    answer = staff.post(where, {"why": "She called."}, follow=True).content.decode()
    assert "1 subscriptions are back, 1 suppressions released." in answer
    assert subscription(delivery).status == "confirmed"
    assert "Take back what bounces did …" not in text(staff, page)


def test_a_retry_is_tried_now(staff: Client) -> None:
    delivery = send_to("ada@post.example", at=timezone.now())
    take(ses.full(delivery, at=timezone.now()))
    assert state_of(delivery) == "waiting"
    where = reverse("admin:bounces_recipient_try_now", args=[delivery.subscriber_id, delivery.pk])
    assert "Try now …" in text(staff, reverse("admin:bounces_recipient", args=[delivery.subscriber_id]))
    text(staff, where)
    assert state_of(delivery) == "waiting"
    staff.post(where, {"why": "She made room."})
    assert state_of(delivery) == "queued"
    assert Change.objects.get(noun="delivery").why == "She made room."
    refused = staff.post(where, {"why": "Again."}, follow=True).content.decode()
    assert "does not wait for a retry" in refused


def test_a_mail_that_ses_swallowed_is_shown_as_such(staff: Client) -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery, subtype="OnAccountSuppressionList", action=""))
    page = text(staff, reverse("admin:bounces_recipient", args=[delivery.subscriber_id]))
    assert "swallowed by SES" in page and "SES accepted 1 mail to this address and sent none" in page


def test_silence_after_mails_and_the_reputation_stand_on_the_first_page(staff: Client) -> None:
    assert "nothing came back about them" not in text(staff, "/admin/")
    send_to("ada@post.example", at=timezone.now() - timedelta(hours=2))
    ProviderSlot.objects.create(provider="gmail.com", starts_at=timezone.now(), delivered=940, hard=60)
    page = text(staff, "/admin/")
    assert "nothing came back about them" in page
    assert "6.00 % of 1,000 mails" in page and "ml-badge--danger" in page
