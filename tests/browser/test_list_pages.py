"""Looking around in a real browser: a list with its look, its archive, and a break from the preferences page.

With and without JavaScript, on a phone and on a desk, and by keyboard.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mailinglist import looks, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import MailingList, Subscriber
from tests import logos, public_pages
from tests.browser.conftest import Seen, watched
from tests.factories import make_list, make_subscriber
from tests.public_pages import Stage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]
GREEN = "#1a7f5a"


@pytest.fixture(params=[(360, False), (1280, True)], ids=["phone without scripts", "desk"])
def page(window: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    width, scripts = request.param
    return window(width, 740, scripts=scripts)


@pytest.fixture(autouse=True)
def seen(page: Page, live_server: Any) -> Iterator[Seen]:
    """What the browser complains about; a test that provokes it takes it out."""
    with watched(page, live_server.url) as seen:
        yield seen
    assert seen.complaints + seen.failed == []


@pytest.fixture
def news() -> MailingList:
    news = make_list("news", name="The weekly letter", accent=GREEN)
    looks.set_logo(news.pk, logos.png(320, 96), by=SYSTEM)
    return news


@pytest.fixture
def on_stage(settings: Any, live_server: Any) -> Stage:
    settings.PUBLIC_URL = live_server.url
    return public_pages.stage()


def fits(page: Page) -> None:
    """Nothing hangs over the edge."""
    wide = page.locator("body").evaluate("body => document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"]  # type: ignore[index]


def test_a_list_shows_its_logo_and_its_colour(page: Page, news: MailingList) -> None:
    page.goto("/lists/news/")
    fits(page)
    picture = page.get_by_role("img", name="The weekly letter")
    assert picture.evaluate("image => [image.naturalWidth, image.width, image.height]") == [320, 213, 64]
    button = page.get_by_role("link", name="Subscribe")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert button.evaluate(colour) == "rgb(26, 127, 90)"
    button.click()
    fits(page)
    assert page.get_by_role("button", name="Subscribe").evaluate(colour) == "rgb(26, 127, 90)"
    page.goto("/")
    fits(page)
    assert page.get_by_role("link", name="Subscribe").evaluate(colour) == "rgb(26, 127, 90)"


def test_the_archive_is_read_from_issue_to_issue(page: Page, on_stage: Stage) -> None:
    page.goto("/archive/news/")
    fits(page)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    page.get_by_role("link", name="The first letter for friends").click()
    fits(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("The first letter for friends")
    mail = page.frame_locator("iframe.mail")
    expect(mail.get_by_role("heading", name="Hello")).to_be_visible()
    assert mail.get_by_role("link", name="Unsubscribe").get_attribute("href").endswith("/lists/news/")  # type: ignore[union-attr]
    page.get_by_text("The mail as plain text").press("Enter")
    page.locator(".plain__text").get_by_text("A line of what happened this week.").wait_for()
    page.get_by_role("link", name="Newer Letter 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Letter 1")
    alone = page.get_by_role("link", name="The mail on a page of its own")
    alone.scroll_into_view_if_needed()
    # A sealed frame is a process of its own: where a click lands is known a moment after the page has moved.
    page.wait_for_timeout(300)
    alone.click()
    page.get_by_role("heading", name="Hello").wait_for(timeout=10_000)


def test_a_script_in_an_archived_mail_would_not_run(page: Page, on_stage: Stage, seen: Seen) -> None:
    version = on_stage.newest.version
    assert version
    type(version).objects.filter(pk=version.pk).update(
        html="<!DOCTYPE html><html><head><title>x</title></head><body><p id=p>still</p>"
        "<img src='data:image/gif;base64,R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=' alt='' "
        "onload=\"document.getElementById('p').textContent='ran'\"></body></html>"
    )
    page.goto(f"/archive/news/{on_stage.newest.public_id}/")
    mail = page.frame_locator("iframe.mail")
    expect(mail.get_by_text("still")).to_be_visible()
    assert mail.get_by_text("ran").count() == 0
    found = seen.complaints
    assert found and all("sandbox" in text or "inline" in text for text in found), found
    found.clear()


def test_a_break_is_taken_and_ended(page: Page, news: MailingList) -> None:
    ada = make_subscriber("ada@post.example", news)
    page.goto(tokens.preferences_url(ada, news))
    fits(page)
    page.get_by_label("Time zone").select_option(label="Berlin (Europe)")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("button", name="30 days").click()
    expect(page.get_by_role("heading", name="You are taking a break")).to_be_visible()
    fits(page)
    found = Subscriber.objects.get(pk=ada.pk)
    assert found.paused_until and found.time_zone == "Europe/Berlin"
    page.get_by_role("button", name="End the break now").click()
    expect(page.get_by_text("Welcome back.")).to_be_visible()
    assert Subscriber.objects.get(pk=ada.pk).paused_until is None
    page.get_by_label("Language").select_option(label="Deutsch")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Gespeichert.")).to_be_visible()
    assert Subscriber.objects.get(pk=ada.pk).language == "de"


def test_leaving_breaks_and_reasons_work_by_keyboard_alone(page: Page, news: MailingList) -> None:
    ada = make_subscriber("ada@post.example", news)
    page.goto(tokens.preferences_url(ada, news))
    press_tab_until(page, "7 days")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=You are taking a break")
    page.goto(tokens.unsubscribe_url(ada, news))
    press_tab_until(page, "Unsubscribe")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Why did you leave?")
    while page.locator("input[name=because]:focus").count() == 0:
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    press_tab_until(page, "Send")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Thank you for telling us.")
    assert ada.subscriptions.get().left_because == "not-interesting"


def press_tab_until(page: Page, text: str) -> None:
    """Go through the page by the Tab key until what is focused reads so, and can be seen to be focused."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.inner_text() == text:
            assert focused.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
    raise AssertionError(f"The Tab key never comes to “{text}”.")
