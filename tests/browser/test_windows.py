"""The windows of conftest.py go from test to test: nothing of one test may be seen by the next."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from mailinglist.models import MailingList
from tests.browser.conftest import Kind, Windows
from tests.factories import make_list

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_window_forgets_what_the_pages_of_a_test_left(
    window: Callable[..., Page], windows: Windows
) -> None:
    make_list("news", name="Beans", has_archive=True)
    page = window(360)
    page.goto("/archive/news/")  # which browsers keep for a minute
    page.evaluate("document.cookie = 'seen=1', localStorage.seen = sessionStorage.seen = 1")
    page.emulate_media(color_scheme="dark", media="print")
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.route("**/*", lambda route: route.abort())
    MailingList.objects.update(name="Peas")

    windows.clear(Kind(scripts=True, admin=False))
    assert window() is page
    page.goto("/archive/news/")
    assert "Peas" in page.inner_text("main") and "Beans" not in page.inner_text("main")
    assert page.locator("html").get_attribute("lang") == "en"
    left = (
        "[document.cookie, localStorage.seen, sessionStorage.seen, innerWidth, matchMedia('print').matches, \
        matchMedia('(prefers-color-scheme: dark)').matches]"
    )
    assert page.evaluate(left) == ["", None, None, 1280, False, False]


def test_a_window_that_cannot_be_cleared_is_replaced(window: Callable[..., Page], windows: Windows) -> None:
    page = window()
    page.close()
    windows.clear(Kind(scripts=True, admin=False))
    other = window()
    assert other is not page and other.goto("/healthz")
