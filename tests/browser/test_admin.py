"""A manager logs in, looks at a person and unsubscribes them, at a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from mailinglist.models import Campaign, Change, ListDay, Subscription
from tests.staff import make_story

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (390, 1280)


@pytest.fixture(params=WIDTHS)
def page(chromium: Browser, live_server: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": request.param, "height": 800}, base_url=live_server.url)
    page = context.new_page()
    foreign: list[str] = []
    page.on(
        "request", lambda sent: foreign.append(sent.url) if not sent.url.startswith(live_server.url) else None
    )
    yield page
    context.close()
    assert foreign == [], "the pages load something from elsewhere"


def test_log_in_open_a_person_and_unsubscribe_with_confirmation(page: Page) -> None:
    boss = User.objects.create_superuser("boss", "boss@acme.example", "secret-secret")
    ada = make_story()
    page.goto(reverse("admin:bounces_recipient", args=[ada.pk]))
    page.fill("input[name=username]", "boss")
    page.fill("input[name=password]", "secret-secret")
    page.click("button[type=submit]")

    expect(page.get_by_role("heading", name="ada@post.example").last).to_be_visible()
    expect(page.get_by_text("The mailbox is full.").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]

    page.get_by_role("link", name="Unsubscribe from News").click()
    page.get_by_label("Why?").fill("She called.")
    page.get_by_role("button", name="Unsubscribe").click()

    expect(page.get_by_text("1 subscription ended.")).to_be_visible()
    assert Subscription.objects.get(subscriber=ada, list__slug="news").status == "unsubscribed"
    assert Change.objects.get(noun="subscription", after="unsubscribed").user == boss


def test_on_a_phone_the_daily_pages_show_what_matters(chromium: Browser, live_server: Any) -> None:
    make_story()
    campaign = Campaign.objects.get(name="Week 47")
    today = timezone.now()
    ListDay.objects.create(list=campaign.lists.get(), day=today, joined=3, left=1)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    context = chromium.new_context(viewport={"width": 390, "height": 800}, base_url=live_server.url)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.goto(reverse("admin:index"))
    complaints = page.locator(".ml-cards td[data-label=Complaints]").first.bounding_box()
    newest = page.locator(".ml-chart circle").last.bounding_box()
    assert complaints and complaints["x"] + complaints["width"] <= 390
    assert newest and newest["x"] + newest["width"] <= 390
    page.goto(reverse("admin:mailinglist_subscriber_changelist"))
    row = page.locator("#result_list tbody tr").first.bounding_box()
    assert row and row["height"] < 150
    page.goto(reverse("admin:mailinglist_campaign_preview", args=[campaign.pk]))
    desk = page.locator(".ml-device--desk iframe").bounding_box()
    assert desk and desk["width"] >= 700
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
