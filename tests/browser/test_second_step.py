"""A manager sets up the second step and logs in with it, at a desk and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from mailinglist import second_step
from tests.browser.conftest import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def present_code(secret: str, ahead: int) -> str:
    counter = list(totp.yield_hotp_counters_from_time())[1] + ahead
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def test_set_up_the_second_step_log_out_and_in_again(
    window: Callable[..., Page], live_server: Any, boss: User
) -> None:
    page = window(390, admin=True)
    page.goto("/admin/auth/user/second-step/")
    log_in(page)
    expect(page.locator(".ml-qr svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    secret = page.locator("code.ml-break").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(present_code(secret, -1))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Your recovery codes").last).to_be_visible()
    expect(page.locator(".ml-codes li")).to_have_count(10)
    assert second_step.is_on(boss)

    page.context.clear_cookies()
    page.goto("/admin/mailinglist/campaign/")
    log_in(page)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("Code").fill(present_code(secret, 0))
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page).to_have_url(f"{live_server.url}/admin/mailinglist/campaign/")
