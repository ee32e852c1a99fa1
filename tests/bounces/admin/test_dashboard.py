"""The first page: what each manager sees of it, how far campaigns are, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bounces.models import ProviderSlot
from mailinglist import campaign_counts, list_counts
from mailinglist.changes import SYSTEM, Noun, record
from mailinglist.models import Campaign, Delivery, Engagement, MailingList, SendBudget
from tests.factories import make_campaign, make_list, make_subscriber
from tests.staff import make_delivery, make_quarantined, make_started

pytestmark = pytest.mark.django_db
PARTS = {
    "Under way": "view_campaign",
    "Last campaigns": "view_campaign",
    "Reputation": "view_providerslot",
    "Growth": "view_mailinglist",
}


def manager(client: Client, *codenames: str) -> Client:
    """Somebody who has these rights through a group, logged in."""
    group = Group.objects.create(name="those")
    group.permissions.set(Permission.objects.filter(codename__in=codenames))
    user = User.objects.create_user("mia", password="secret-secret", is_staff=True)
    user.groups.add(group)
    client.force_login(user)
    return client


def page(client: Client, **query: str) -> str:
    answer = client.get(reverse("admin:index"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def with_states(name: str, **states: int) -> Campaign:
    campaign = make_started(make_list(f"list-{MailingList.objects.count()}"), name=name)
    for state, count in states.items():
        for number in range(count):
            person = make_subscriber(f"{campaign.pk}-{state}{number}@post.example")
            make_delivery(campaign, person, state)
    return campaign


@pytest.mark.parametrize("right", ["view_campaign", "view_providerslot", "view_mailinglist"])
def test_each_manager_sees_the_parts_they_have_the_right_to(client: Client, right: str) -> None:
    with_states("Secret plan", queued=1)
    shown = page(manager(client, right))
    assert {part for part in PARTS if f'aria-label="{part}"' in shown} == {
        part for part, needed in PARTS.items() if needed == right
    }
    assert ("Secret plan" in shown) == (right == "view_campaign")


def test_the_navigation_is_by_task_and_leads_to_what_the_manager_may_see(client: Client) -> None:
    answer = manager(client, "view_event", "view_providerslot").get(reverse("admin:index"))
    groups = [group["title"] for group in answer.context["sidebar_navigation"]]
    assert groups == ["Campaigns", "Subscribers", "Bounces", "Deliverability", "Settings"]
    shown = answer.content.decode()
    assert reverse("admin:bounces_providers") in shown
    assert reverse("admin:mailinglist_subscriber_changelist") not in shown


def test_who_may_see_nothing_is_told_so(client: Client) -> None:
    shown = page(manager(client))
    assert "Ask a manager for more rights" in shown and "<section" in shown
    assert not any(f'aria-label="{part}"' in shown for part in [*PARTS, "Needs a look", "First steps"])


def test_things_to_do_are_those_of_the_manager(client: Client) -> None:
    make_quarantined()
    Campaign.objects.filter(pk=with_states("Stopped").pk).update(status="paused", status_reason="manager")
    shown = page(manager(client, "view_notification"))
    assert "not understood" in shown and "paused:" not in shown


def test_retries_that_ses_does_not_take_are_a_thing_to_do(staff: Client) -> None:
    held = {
        "held_until": timezone.now(),
        "status_reason": "ses-paused",
        "status_detail": "SES has paused us.",
    }
    campaign = with_states("Last week", queued=2)
    Campaign.objects.filter(pk=campaign.pk).update(status="finished", **held)
    assert "whose retries Amazon SES does not take" in page(staff)
    found = staff.get(reverse("admin:mailinglist_campaign_changelist") + "?status__exact=finished")
    assert "retries wait for SES" in found.content.decode()
    shown = staff.get(reverse("admin:mailinglist_campaign_change", args=[campaign.pk])).content.decode()
    assert "SES has paused us." in shown and "Try the retries now" in shown


def test_a_confirmation_that_does_not_leave_is_a_thing_to_do(staff: Client) -> None:
    waits = Delivery.objects.create(list=make_list(), subscriber=make_subscriber(), purpose="confirmation")
    assert "look whether the workers run" not in page(staff)
    Delivery.objects.filter(pk=waits.pk).update(created_at=timezone.now() - timedelta(minutes=11))
    assert "look whether the workers run" in page(staff)
    found = staff.get(reverse("admin:mailinglist_delivery_changelist") + "?campaign=none&state__exact=queued")
    assert found.context["cl"].result_count == 1


def test_a_new_installation_explains_each_part(staff: Client) -> None:
    shown = page(staff)
    for words in (
        "Make a list",
        "No campaign is being sent, paused or planned.",
        "No campaign was sent yet.",
        "Nobody is counted here yet.",
        "SES has not reported anything yet.",
        "Too few mails to say anything.",
    ):
        assert words in shown, words


def test_progress_tells_how_far_how_fast_and_how_long(staff: Client) -> None:
    campaign = with_states("Week 47", queued=3, sending=1, sent=2, delivered=2)
    now = timezone.now()
    SendBudget.objects.create(
        name="ses us-east-1", max_send_rate=10, max_24_hour=-1, refilled_at=now, fetched_at=now,
        takers={str(campaign.pk): [0, 20, now.timestamp()]},
    )  # fmt: skip
    row = staff.get(reverse("admin:bounces_progress")).json()["campaigns"][0]
    assert (row["id"], row["status"], row["done"], row["total"], row["share"]) == (
        campaign.pk, "sending", 4, 8, 50.0,
    )  # fmt: skip
    assert row["rate"] > 0 and row["left"].startswith("about ")
    shown = page(staff)
    assert "4 of 8 mails done" in shown and 'aria-valuenow="50.0"' in shown


def test_progress_says_what_a_campaign_waits_for(staff: Client) -> None:
    paused = with_states("Paused", queued=1)
    Campaign.objects.filter(pk=paused.pk).update(
        status="paused", status_reason="manager", status_detail="The link was wrong."
    )
    planned = make_campaign(make_list("tips"), name="Planned")
    at = timezone.now() + timedelta(days=1)
    Campaign.objects.filter(pk=planned.pk).update(status="scheduled", scheduled_at=at)
    now = timezone.now()
    SendBudget.objects.create(
        name="ses us-east-1", max_24_hour=200, sent_24_hour=199, refilled_at=now, fetched_at=now
    )
    with_states("Slow", queued=1)
    found = {
        row["status"]: row["waits"]
        for row in staff.get(reverse("admin:bounces_progress")).json()["campaigns"]
    }
    assert list(found) == ["sending", "paused", "scheduled"]
    assert "of the last 24 hours are used" in found["sending"][0]
    assert found["paused"] == ["The link was wrong."]
    assert found["scheduled"] == [f"It starts by itself at {at:%d %b %Y %H:%M} UTC."]


def test_progress_is_for_who_may_see_campaigns(client: Client) -> None:
    address = reverse("admin:bounces_progress")
    assert client.get(address).status_code == 302
    assert manager(client, "view_event").get(address).status_code == 403


def test_a_big_campaign_is_counted_in_the_background(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_counts, "LIVE_MOST", 2)
    campaign = with_states("Big", queued=2, delivered=2)
    first = staff.get(reverse("admin:bounces_progress")).json()["campaigns"][0]
    assert (first["done"], first["total"]) == (None, None)
    assert "being counted" in page(staff)
    own = reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
    assert "its numbers are being counted" in staff.get(own).content.decode()

    campaign_counts.refresh()
    row = staff.get(reverse("admin:bounces_progress")).json()["campaigns"][0]
    assert (row["done"], row["total"]) == (2, 4)
    shown = staff.get(own).content.decode()
    assert "4 recipients" in shown and "counted in the background" in shown


def test_results_of_the_last_campaigns(staff: Client) -> None:
    campaign = with_states("Week 46", delivered=3, bounced=1, waiting=1, complained=1, skipped=1)
    Campaign.objects.filter(pk=campaign.pk).update(status="finished")
    mails = Delivery.objects.filter(campaign=campaign, state="delivered")
    for number, mail in enumerate(mails):
        clicked = "person" if number == 0 else ""
        Engagement.objects.create(
            delivery=mail, campaign=campaign, opened="person", clicked=clicked, opens=1, clicks=len(clicked)
        )
    result = staff.get(reverse("admin:index")).context["campaigns"][0][1]
    assert (result.sent, result.delivered, result.bounced, result.complaints) == (6, 3, 2, 1)
    assert (result.opened, result.clicked) == (3, 1)
    assert "Opened" in page(staff)


def test_growth_is_shown_by_week_for_all_lists_or_one(staff: Client) -> None:
    news, tips = make_list("news"), make_list("tips")
    for list_, after in (
        (news, "confirmed"),
        (news, "confirmed"),
        (tips, "confirmed"),
        (news, "unsubscribed"),
    ):
        before = "confirmed" if after == "unsubscribed" else "pending"
        record(
            Noun.SUBSCRIPTION, 1, before=before, after=after, why="x", by=SYSTEM, list_id=list_.pk,
            at=timezone.now() - timedelta(days=7),
        )  # fmt: skip
    list_counts.refresh()
    assert "3 came and 1 left." in page(staff)
    one = page(staff, list=str(tips.pk))
    assert "1 came and 0 left." in one and "<svg" in one and "Week from" in one


def test_reputation_stands_beside_the_marks_of_ses(staff: Client) -> None:
    ProviderSlot.objects.create(provider="post.example", starts_at=timezone.now(), delivered=970, hard=30)
    shown = page(staff)
    assert "3.00 % of 1,000 mails" in shown and "ml-meter--warning" in shown


def test_a_rate_that_ses_acts_upon_is_a_thing_to_do(staff: Client) -> None:
    slot = ProviderSlot.objects.create(
        provider="post.example", starts_at=timezone.now(), delivered=1000, complaint=2
    )
    assert "are more than Amazon SES accepts (0.20 % of 1,000 mails)" in page(staff)
    ProviderSlot.objects.filter(pk=slot.pk).update(complaint=0)
    assert "Nothing needs you" in page(staff)


def test_people_who_are_not_counted_yet_are_not_said_to_be_missing(staff: Client) -> None:
    news = make_list()
    assert "Nobody is counted here yet" in page(staff)
    person = make_subscriber("ada@post.example", news)
    record(
        Noun.SUBSCRIPTION, 1, before="pending", after="confirmed", why="", by=SYSTEM,
        subscriber_id=person.pk, list_id=news.pk,
    )  # fmt: skip
    list_counts.refresh()
    assert "1 came and 0 left." in page(staff)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("bounces_results", "Campaigns"),
        ("bounces_results_people", "Campaigns"),
        ("bounces_compare", "Compare"),
    ],
)
def test_the_navigation_shows_where_one_is(staff: Client, name: str, chosen: str) -> None:
    campaign = with_states("Week 47", delivered=1)
    answer = staff.get(reverse(f"admin:{name}", args=[] if chosen == "Compare" else [campaign.pk]))
    items = [item for group in answer.context["sidebar_navigation"] for item in group["items"]]
    assert [item["title"] for item in items if item["active"]] == [chosen]


def test_the_page_takes_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(7):
        with_states(f"Week {number}", queued=2, delivered=2)
    list_counts.refresh()
    rights = (
        "view_campaign view_event view_providerslot view_delivery view_mailinglist view_notification view_incident "
        "add_mailinglist add_subscriber add_campaign"
    )
    logged_in = manager(client, *rights.split())
    with django_assert_max_num_queries(15):
        page(logged_in)
    with django_assert_max_num_queries(11):
        logged_in.get(reverse("admin:bounces_progress"))
