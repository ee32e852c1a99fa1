"""A manager reads a campaign's results, goes to the people behind a number, asks for an address, and compares."""

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mailinglist.models import Attempt, Engagement
from tests.browser.test_accessibility import AXE, EVERYTHING, LOOKS, violations
from tests.factories import make_list, make_subscriber
from tests.staff import T0, make_delivery, make_event, make_started

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: Our part of the page: the frame around it is unfold's.
OURS = ".ml-page"


def look(page: Page) -> None:
    """Fits the phone and the desk; axe has nothing to complain about, light or dark."""
    page.evaluate(AXE)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for dark in (False, True):
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
            rules = LOOKS if dark or width > 390 else EVERYTHING
            assert violations(page, rules, OURS) == [], (page.url, width, dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_from_a_number_to_the_people_and_why_somebody_got_nothing(desk: Page) -> None:
    news = make_list()
    campaign, other = make_started(news), make_started(news, name="Week 48")
    for name, state, reason in (
        ("ada", "delivered", ""),
        ("bob", "bounced", "hard:no-such-user"),
        ("eve", "skipped", "suppressed"),
    ):
        mail = make_delivery(campaign, make_subscriber(f"{name}@post.example", news), state, reason=reason)
        make_delivery(other, mail.subscriber, "delivered")
        if state == "bounced":
            Attempt.objects.filter(delivery=mail).update(verdict="hard", reason="no-such-user")
            make_event(mail, "hard", "", occurred_at=T0 + timedelta(hours=5))
        if state == "delivered":
            Engagement.objects.create(delivery=mail, campaign=campaign, opened="person", opens=1)
            make_event(mail, "not-a-bounce", "", kind="open", occurred_at=T0)
    page = desk
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(reverse("admin:mailinglist_campaign_change", args=[campaign.pk]))
    page.get_by_role("link", name="Results", exact=True).click()
    expect(page.get_by_role("img", name="Bounces over time")).to_be_visible()
    look(page)

    # On paper only the results are left.
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text("Recovered by retry")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).not_to_be_visible()
    expect(page.get_by_role("link", name="Suppressed addresses")).not_to_be_visible()
    page.emulate_media(media="screen")

    page.get_by_role("link", name="1 no such user").click()
    expect(page.get_by_role("link", name="bob@post.example")).to_be_visible()
    expect(
        page.get_by_text("It came back and is not tried again: hard bounce: no such user.")
    ).to_be_visible()
    expect(page.get_by_text("ada@post.example")).not_to_be_visible()
    look(page)

    page.get_by_label("Address", exact=True).fill("eve@post.example")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("It was not sent: the address is suppressed.")).to_be_visible()
    page.get_by_label("Address", exact=True).fill("zoe@post.example")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Nobody with this address is known here.")).to_be_visible()

    page.goto(reverse("admin:bounces_compare"))
    page.get_by_label("Week 47").check()
    page.get_by_label("Week 48").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Beside each other")).to_be_visible()
    look(page)
