"""Filters that are written for big tables find the same rows as the plain ones would."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from bounces import list_events
from mailinglist import staff as tables
from mailinglist.models import Attempt, Campaign
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_event, make_started

pytestmark = pytest.mark.django_db


def found(client: Client, name: str, **query: Any) -> int:
    answer = client.get(reverse(f"admin:{name}_changelist"), query)
    assert answer.status_code == 200
    number: int = answer.context["cl"].result_count
    return number


@pytest.fixture
def two() -> list[Campaign]:
    """Two campaigns of two lists; of each one mail bounced softly and two were delivered."""
    campaigns = []
    for slug in ("news", "tips"):
        campaign = make_started(make_list(slug), name=slug)
        for state in ("waiting", "delivered", "delivered"):
            person = make_subscriber(f"{slug}{campaign.deliveries.count()}@post.example")
            mail = make_delivery(campaign, person, state)
            if state == "waiting":
                Attempt.objects.filter(delivery=mail).update(verdict="soft")
                make_event(mail, "soft", "The mailbox is full.")
        campaigns.append(campaign)
    return campaigns


def test_deliveries_by_campaign_state_and_what_came_back(staff: Client, two: list[Campaign]) -> None:
    first = two[0].pk
    for query, number in (
        ({}, 6),
        ({"campaign": first}, 3),
        ({"campaign": first, "state__exact": "delivered"}, 2),
        ({"campaign": first, "verdict": "soft"}, 1),
        ({"verdict": "soft"}, 2),
        ({"verdict": "hard"}, 0),
        ({"verdict": "soft", "state__exact": "delivered"}, 0),
        ({"campaign": 0}, 0),
        ({"campaign": "none"}, 0),
        ({"purpose": "campaign"}, 6),
        ({"purpose": "test"}, 0),
    ):
        assert found(staff, "mailinglist_delivery", **query) == number, query


def test_what_came_back_is_read_no_further_than_the_table_goes(
    staff: Client, two: list[Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailinglist.admin.deliveries.COUNT_CAP", 1)
    assert found(staff, "mailinglist_delivery", verdict="soft") == 1
    assert found(staff, "mailinglist_delivery", verdict="soft", state__exact="waiting") == 2


@pytest.mark.parametrize("few", [0, 100])
def test_events_by_list(
    staff: Client, two: list[Campaign], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_events, "FEW_MAILS", few)
    news = two[0].lists.get()
    assert found(staff, "bounces_event", list=news.pk) == 1
    assert found(staff, "bounces_event", list=news.pk + 1000) == 0


def test_every_table_teaches_what_it_shows_and_what_to_do_first(staff: Client) -> None:
    for model, shown in admin.site._registry.items():
        assert isinstance(shown, tables.PlainAdmin) and shown.empty_text and shown.first_step, model
        reverse(f"admin:{shown.first_step.page}")
    page = staff.get(reverse("admin:mailinglist_campaign_changelist")).content.decode()
    assert "Nothing here yet" in page and "It needs a list with people on it first." in page
    assert f'href="{reverse("admin:mailinglist_mailinglist_changelist")}">Lists</a>' in page
    assert "Add campaign" in page


def test_the_first_step_is_offered_to_who_may_take_it(client: Client) -> None:
    mia = User.objects.create_user("mia", password="secret-secret", is_staff=True)
    mia.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(mia)
    page = client.get(reverse("admin:mailinglist_campaign_changelist")).content.decode()
    assert "It needs a list with people on it first." in page and 'class="ml-btn' not in page
