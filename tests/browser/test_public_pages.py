"""The way of a subscriber through the public pages in a real browser, without JavaScript."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mailinglist import tokens
from mailinglist.models import MailingList, Subscription
from tests.browser.conftest import watched
from tests.factories import make_list, make_subscriber

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESK = 360, 1280
#: WCAG 2.2, 2.5.8: the least size of something to press, in CSS pixels.
LEAST_TARGET = 24


@pytest.fixture
def page(window: Callable[..., Page], live_server: Any) -> Iterator[Page]:
    page = window(PHONE, 740, scripts=False)
    with watched(page, live_server.url) as seen:
        yield page
    assert seen.foreign == [], "the pages load something from elsewhere"
    assert seen.complaints == [], "the browser complains, for example about the Content-Security-Policy"


@pytest.fixture
def news() -> MailingList:
    return make_list("news", name="The weekly letter", description="What happened, every Friday.")


def test_from_sign_up_to_undo(page: Page, news: MailingList) -> None:
    page.goto("/")
    fits(page)
    page.get_by_role("link", name="Subscribe").click()
    page.get_by_label("Email address").fill("ada.post.example")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("The address has no @ sign.")).to_be_visible()
    fits(page)

    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    fits(page)
    row = Subscription.objects.get()
    assert row.status == "pending"

    page.goto(tokens.confirm_url(row))
    fits(page)
    page.get_by_role("button", name="Yes, subscribe me").click()
    expect(page.get_by_role("heading", name="You are subscribed")).to_be_visible()
    row.refresh_from_db()
    assert row.status == "confirmed"

    page.goto(tokens.unsubscribe_url(row.subscriber, news))
    fits(page)
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    fits(page)
    row.refresh_from_db()
    assert (row.status, row.unsubscribe_reason) == ("unsubscribed", "page")

    page.get_by_role("button", name="Subscribe me again").click()
    expect(page.get_by_role("heading", name="Everything is as before")).to_be_visible()
    row.refresh_from_db()
    assert row.status == "confirmed"


def test_preferences_are_saved(page: Page, news: MailingList) -> None:
    other = make_list("other", name="A" * 60 + " is a long word in a long name of a list")
    ada = make_subscriber("ada@post.example", news, other)
    page.set_viewport_size({"width": DESK, "height": 740})
    page.goto(tokens.preferences_url(ada, news))
    fits(page)
    page.get_by_role("textbox", name="Name").fill("Ada Lovelace")
    page.get_by_label("A" * 60).uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. You left one list.")).to_be_visible()
    assert [found.list.slug for found in ada.subscriptions.filter(status="confirmed")] == ["news"]


def test_the_sign_up_form_works_by_keyboard_alone(page: Page, news: MailingList) -> None:
    page.goto("/lists/news/subscribe")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.get_by_label("Email address").focus()
    page.keyboard.type("ada@post.example")
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    expect(page.locator(":focus"), "the trap must not take the focus").to_have_text("Subscribe")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check-your-mail")


def test_errors_are_pages_too(page: Page, news: MailingList) -> None:
    for address in ("/no-such-page", "/confirm/damaged"):
        answer = page.context.request.get(address)
        assert answer.status == 404
        page.set_content(answer.text())
        expect(page.get_by_role("heading", level=1)).to_have_count(1)


#: [right edge, height, class of the parent, HTML] of each element, by one question to the browser.
BOXES = """
elements => elements.map(element => {
    const box = element.getBoundingClientRect();
    return [box.right, box.height, element.parentElement.className, element.outerHTML];
})
"""


def fits(page: Page) -> None:
    """At both widths nothing hangs over the edge, one main heading, a language, and targets that a thumb can hit."""
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.locator("html").get_attribute("lang")
    now = page.viewport_size
    assert now
    for width in (PHONE + DESK - now["width"], now["width"]):  # it goes on at the width that it had
        page.set_viewport_size({"width": width, "height": now["height"]})
        shown = page.locator("main *:visible, .masthead *:visible, .footer *:visible").evaluate_all(BOXES)
        assert [html for right, _, parent, html in shown if right > width + 1 and "trap" not in parent] == []
        targets = page.locator("button:visible, .button:visible, .footer a:visible, .masthead a:visible")
        found = targets.evaluate_all(BOXES)
        assert shown and found
        assert [html for _, height, _, html in found if height < LEAST_TARGET] == []
