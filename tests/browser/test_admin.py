"""A manager logs in, looks at a person and unsubscribes them, at a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from mailinglist.models import Change, Subscription
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
