"""The sign-up form on somebody else's site, in a real browser: another origin, with and without JavaScript."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django import forms
from django.urls import reverse
from playwright.sync_api import Page, expect

from mailinglist import embedding, fill_time
from mailinglist.forms import SignUpForm
from mailinglist.models import Change, MailingList, Subscription
from tests.factories import make_list

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WAYS = {way.name: way for way in embedding.WAYS}
THANKS = "Thank you. If your address still has to be confirmed"


class Site:
    """A web site of somebody else: one page, whatever its address, and a policy of its own."""

    def __init__(self) -> None:
        self.page, self.policy = "", ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>{site.page}".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    yield found
    found.close()


@pytest.fixture
def news(site: Site, live_server: Any, settings: Any) -> MailingList:
    settings.PUBLIC_URL = live_server.url
    ours = live_server.url
    # As strict as a site can be: nothing inline, and we only where the page in the admin says.
    site.policy = f"default-src 'none'; script-src {ours}; connect-src {ours}; form-action {ours}; frame-ancestors 'none'"
    return make_list("news", name="The weekly letter", allowed_origins=site.origin)


@pytest.fixture
def visit(window: Callable[..., Page], site: Site, news: MailingList) -> Iterator[Callable[..., Page]]:
    """Opens the page of the site that has the form in one of the ways."""
    pages = []

    def visit(way: str, *, scripts: bool = True, html: str = "") -> Page:
        site.page = html or embedding.snippet(news, WAYS[way])
        pages.append(window(scripts=scripts))
        pages[-1].goto(f"{site.origin}/contact?from=ada@post.example")
        return pages[-1]

    yield visit
    for page in pages:
        assert [cookie["name"] for cookie in page.context.cookies() if cookie["name"] != "csrftoken"] == []


@pytest.mark.parametrize("way", ["script", "short"])
def test_a_visitor_signs_up_and_stays_on_the_page(
    visit: Callable[..., Page], site: Site, news: MailingList, way: str
) -> None:
    page = visit(way)
    status = page.get_by_role("status")
    expect(status).to_be_attached()
    expect(page.get_by_text("Yes, send me the mails of “The weekly letter”.")).to_be_visible()
    expect(page.locator("[name=website]")).to_be_hidden()
    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_label("Name (optional)").fill("Ada")
    page.get_by_role("button", name="Subscribe").click()
    expect(status).to_contain_text(THANKS)
    expect(status).to_be_focused()
    expect(page.locator("form")).to_be_hidden()
    assert page.url.startswith(f"{site.origin}/contact")
    assert page.context.cookies() == []
    row = Subscription.objects.get(list=news)
    assert (row.subscriber.name, row.status, row.source) == ("Ada", "pending", "embed-script")
    assert Change.objects.get(noun="subscription").evidence["came_from"] == f"{site.origin}/contact"


def test_an_error_stands_at_its_field_and_by_keyboard_alone_it_is_mended(visit: Callable[..., Page]) -> None:
    page = visit("script")
    field = page.get_by_label("Email address")
    expect(page.get_by_role("status")).to_be_attached()
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    page.keyboard.type("ada.post.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The address has no @ sign.")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("That did not work yet.")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("The address has no @ sign.")
    page.keyboard.press("End")
    page.keyboard.press("Control+A")
    page.keyboard.type("ada@post.example")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Subscribe")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text(THANKS)
    assert Subscription.objects.count() == 1


def test_while_it_is_sent_the_button_is_off_and_a_second_press_sends_nothing(
    visit: Callable[..., Page],
) -> None:
    page = visit("script")
    expect(page.get_by_role("status")).to_be_attached()
    held: list[Any] = []
    page.route("**/subscribe.json", lambda route: held.append(route))
    page.get_by_label("Email address").fill("ada@post.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button")).to_be_disabled()
    expect(page.get_by_role("status")).to_have_text("One moment …")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_role("status")).to_contain_text(THANKS)


def test_fields_that_are_newer_than_the_pasted_form_are_added_and_sent(
    visit: Callable[..., Page], news: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = embedding.snippet(news, WAYS["script"])
    agree = forms.BooleanField(label="You may count what I read", required=False)
    monkeypatch.setitem(SignUpForm.base_fields, "agree", agree)
    page = visit("script", html=old)
    expect(page.locator("[name=stamp]")).to_be_attached()
    expect(page.locator("[name=stamp]")).to_be_hidden()
    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_label("You may count what I read").check()
    with page.expect_request("**/subscribe.json") as sent:
        page.get_by_role("button", name="Subscribe").click()
    values = sent.value.post_data_json
    assert fill_time.seconds(values["stamp"]) is not None
    assert (values["agree"], values["website"]) == (True, "")
    expect(page.get_by_role("status")).to_contain_text(THANKS)


def test_a_site_that_is_not_allowed_keeps_the_link_and_the_ordinary_form(
    visit: Callable[..., Page], news: MailingList
) -> None:
    MailingList.objects.update(allowed_origins="https://other.example")
    page = visit("short")
    page.wait_for_load_state("networkidle")
    expect(page.locator("form")).to_have_count(0)
    page.get_by_role("link", name="Subscribe to The weekly letter").click()
    page.wait_for_url("**/lists/news/subscribe")
    page = visit("script")
    page.wait_for_load_state("networkidle")
    sign_up_by_the_ordinary_form(page, news)


def test_when_the_way_breaks_off_what_was_typed_goes_the_ordinary_way(
    visit: Callable[..., Page], news: MailingList
) -> None:
    page = visit("short")
    expect(page.get_by_role("status")).to_be_attached()
    page.route("**/subscribe.json", lambda route: route.abort())
    sign_up_by_the_ordinary_form(page, news)


@pytest.mark.parametrize("way", ["html", "script"])
def test_without_javascript_the_form_lands_on_our_page_with_one_button_left(
    visit: Callable[..., Page], news: MailingList, way: str
) -> None:
    sign_up_by_the_ordinary_form(visit(way, scripts=False), news)


def test_a_manager_tries_the_form_on_the_page_to_copy_from(desk: Page, news: MailingList) -> None:
    page = desk
    page.goto(reverse("admin:mailinglist_mailinglist_embed", args=[news.pk]))
    expect(page.get_by_label("Copy this").first).to_have_value(embedding.snippet(news, WAYS["html"]))
    page.get_by_title("Short form with script").scroll_into_view_if_needed()
    frame = page.frame_locator('iframe[title="Short form with script"]')
    frame.get_by_label("Email address").fill("ada@post.example")
    frame.get_by_role("button", name="Subscribe").click()
    expect(frame.get_by_role("status")).to_contain_text(THANKS)


def sign_up_by_the_ordinary_form(page: Page, news: MailingList) -> None:
    page.get_by_label("Email address").fill("ada@post.example")
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("One more step")).to_be_visible()
    assert page.url.endswith("/lists/news/subscribe")
    assert not Subscription.objects.exists(), "nothing may be stored before the button of our page"
    expect(page.get_by_label("Email address")).to_have_value("ada@post.example")
    expect(page.get_by_label("Name")).to_have_value("Ada")
    page.get_by_role("button", name="Subscribe").click()
    page.wait_for_url("**/check-your-mail")
    assert Subscription.objects.get(list=news).source == "embed-html"
