"""The first page while a campaign is sent: its progress moves by itself, and stands still without the script."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mailinglist.models import Delivery
from tests.factories import make_list, make_subscriber
from tests.staff import make_delivery, make_started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_progress_moves_while_the_page_is_open(desk: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounces.admin.dashboard.ASKED_EVERY", 0.2)
    campaign = make_started(make_list())
    for number in range(4):
        make_delivery(campaign, make_subscriber(f"p{number}@post.example"), "queued")
    page = desk
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(reverse("admin:index"))
    bar = page.get_by_role("progressbar")
    expect(page.get_by_text("0 of 4 mails done")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    Delivery.objects.filter(pk__in=Delivery.objects.order_by("pk")[:3]).update(state="sent")
    expect(page.get_by_text("3 of 4 mails done")).to_be_visible()
    expect(bar).to_have_attribute("aria-valuenow", "75")

    # One that stops is shown with its reason: the whole page is loaded again.
    type(campaign).objects.filter(pk=campaign.pk).update(
        status="paused", status_reason="manager", status_detail="The link was wrong."
    )
    expect(page.get_by_text("The link was wrong.")).to_be_visible()
