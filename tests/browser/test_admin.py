"""A manager logs in, looks at a person and unsubscribes them, at a desk and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailinglist.models import Campaign, Change, ListDay, Subscription
from tests.browser.conftest import log_in, watched
from tests.staff import make_story

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_log_in_open_a_person_and_unsubscribe_with_confirmation(
    window: Callable[..., Page], live_server: Any, boss: User
) -> None:
    ada = make_story()
    page = window(admin=True)
    with watched(page, live_server.url) as seen:
        page.goto(reverse("admin:bounces_recipient", args=[ada.pk]))
        log_in(page)

        expect(page.get_by_role("heading", name="ada@post.example").last).to_be_visible()
        expect(page.get_by_text("The mailbox is full.").first).to_be_visible()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width

        page.get_by_role("link", name="Unsubscribe from News").click()
        page.get_by_label("Why?").fill("She called.")
        page.get_by_role("button", name="Unsubscribe").click()

        expect(page.get_by_text("1 subscription ended.")).to_be_visible()
    assert seen.foreign == [], "the pages load something from elsewhere"
    assert Subscription.objects.get(subscriber=ada, list__slug="news").status == "unsubscribed"
    assert Change.objects.get(noun="subscription", after="unsubscribed").user == boss


def test_on_a_phone_the_daily_pages_show_what_matters(desk: Page) -> None:
    make_story()
    campaign = Campaign.objects.get(name="Week 47")
    today = timezone.now()
    ListDay.objects.create(list=campaign.lists.get(), day=today, joined=3, left=1)
    page = desk
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(reverse("admin:index"))
    complaints = page.locator(".ml-cards td[data-label=Complaints]").first.bounding_box()
    newest = page.locator(".ml-chart circle").last.bounding_box()
    assert complaints and complaints["x"] + complaints["width"] <= 390
    assert newest and newest["x"] + newest["width"] <= 390
    page.goto(reverse("admin:mailinglist_subscriber_changelist"))
    row = page.locator("#result_list tbody tr").first.bounding_box()
    assert row and row["height"] < 150
    page.goto(reverse("admin:mailinglist_campaign_preview", args=[campaign.pk]))
    wide = page.locator(".ml-device--desk iframe").bounding_box()
    assert wide and wide["width"] >= 700
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
