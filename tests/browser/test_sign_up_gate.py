"""A form under pressure in a real browser: the captcha solves itself under a strict policy."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailinglist.models import FormStep, MailingList, Subscriber
from tests.browser.conftest import watched
from tests.browser.test_public_pages import PHONE, fits
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
def page(window: Callable[..., Page], live_server: Any) -> Iterator[Page]:
    page = window(PHONE, 840)
    with watched(page, live_server.url) as seen:
        yield page
    assert seen.complaints + seen.errors == []
    assert seen.foreign == [], "the captcha loads something from elsewhere"


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
    window: Callable[..., Page], pressed: MailingList
) -> None:
    page = window(scripts=False)
    page.goto("/lists/news/subscribe")
    expect(page.get_by_text("come back in an hour")).to_be_visible()
    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("Many people sign up here right now. Your browser")).to_be_visible()
    assert not Subscriber.objects.exists()


def test_a_mistyped_domain_is_mended_by_one_button(window: Callable[..., Page], news: MailingList) -> None:
    page = window(PHONE, 840, scripts=False)
    page.goto("/lists/news/subscribe")
    page.get_by_label("Email address").fill("Ada@gmial.com")
    page.get_by_role("button", name="Subscribe").click()
    fits(page)
    page.get_by_role("button", name="Yes, take Ada@gmail.com").click()
    page.wait_for_url("**/check-your-mail")
    assert Subscriber.objects.get().email == "Ada@gmail.com"
