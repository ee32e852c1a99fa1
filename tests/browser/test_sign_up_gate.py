"""A form under pressure in a real browser: the captcha solves itself under a strict policy."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from mailinglist.models import FormStep, MailingList, Subscriber
from tests.browser.test_public_pages import fits
from tests.factories import make_list

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def news() -> MailingList:
    return make_list("news", name="The weekly letter", description="What happened, every Friday.")


@pytest.fixture
def pressed(news: MailingList) -> MailingList:
    now = timezone.now()
    FormStep.objects.create(
        list=news, step=FormStep.Step.CAPTCHA, since=now, until=now + timedelta(hours=1), counted_from=now
    )
    return news


@pytest.fixture
def page(chromium: Browser, live_server: Any, settings: Any) -> Iterator[Page]:
    settings.PUBLIC_URL = live_server.url
    context = chromium.new_context(viewport={"width": 390, "height": 840}, base_url=live_server.url)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    foreign: list[str] = []
    page.on(
        "request", lambda sent: foreign.append(sent.url) if not sent.url.startswith(live_server.url) else None
    )
    yield page
    context.close()
    assert complaints == []
    assert foreign == [], "the captcha loads something from elsewhere"


def test_the_captcha_is_solved_by_the_browser_and_the_sign_up_goes_through(
    page: Page, pressed: MailingList
) -> None:
    answer = page.goto("/lists/news/subscribe")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; worker-src 'self'" in policy and "unsafe" not in policy
    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_text("Done: no robot.").wait_for(timeout=20_000)
    expect(page.get_by_text("come back in an hour")).not_to_be_visible()
    fits(page)
    page.get_by_role("button", name="Subscribe").click()
    page.wait_for_url("**/check-your-mail")
    assert Subscriber.objects.filter(email="ada@post.example").exists()


def test_without_scripts_a_sentence_says_what_to_do(
    chromium: Browser,
    live_server: Any,
    pressed: MailingList,
) -> None:
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto("/lists/news/subscribe")
    expect(page.get_by_text("come back in an hour")).to_be_visible()
    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("Many people sign up here right now. Your browser")).to_be_visible()
    assert not Subscriber.objects.exists()
    context.close()


def test_a_mistyped_domain_is_mended_by_one_button(
    chromium: Browser,
    live_server: Any,
    news: MailingList,
) -> None:
    context = chromium.new_context(
        java_script_enabled=False, base_url=live_server.url, viewport={"width": 390, "height": 840}
    )
    page = context.new_page()
    page.goto("/lists/news/subscribe")
    page.get_by_label("Email address").fill("Ada@gmial.com")
    page.get_by_role("button", name="Subscribe").click()
    fits(page)
    page.get_by_role("button", name="Yes, take Ada@gmail.com").click()
    page.wait_for_url("**/check-your-mail")
    assert Subscriber.objects.get().email == "Ada@gmail.com"
    context.close()
