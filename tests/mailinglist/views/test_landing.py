"""What a sign-up form of another site posts: shown on our page, stored by the button there and by nothing else."""

import re

import pytest
from django.test import Client

from mailinglist.models import Change, Subscriber, Subscription
from mailinglist.views import landing
from tests.factories import make_list

pytestmark = pytest.mark.django_db
SHOP = {
    "HTTP_ORIGIN": "https://shop.example",
    "HTTP_REFERER": "https://shop.example/contact?mail=ada@post.example",
}
FORM = "/lists/news/subscribe"


@pytest.fixture
def browser() -> Client:
    make_list()
    return Client(enforce_csrf_checks=True)


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))


def test_a_foreign_form_is_shown_filled_in_and_nothing_is_stored(browser: Client) -> None:
    answer = browser.post(FORM, {"email": "ada@post.example", "name": "Ada <3"}, **SHOP)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "One more step" in page
    assert 'value="ada@post.example"' in page and 'value="Ada &lt;3"' in page
    assert not Subscriber.objects.exists()


def test_the_button_there_signs_up_and_the_evidence_names_the_other_site(browser: Client) -> None:
    page = browser.post(FORM, {"email": "ada@post.example"}, **SHOP).content.decode()
    answer = browser.post(FORM, {"email": "ada@post.example", **hidden(page)})
    assert answer.status_code == 302
    assert Subscription.objects.get().source == "embed-html"
    evidence = Change.objects.get(noun="subscription").evidence
    assert (evidence["form"], evidence["came_from"]) == ("embed-html", "https://shop.example/contact")


def test_a_mistake_is_shown_at_once_and_where_it_came_from_survives_the_second_try(browser: Client) -> None:
    page = browser.post(FORM, {"email": "ada"}, **SHOP).content.decode()
    assert "The address has no @ sign." in page and "One more step" not in page
    page = browser.post(FORM, {"email": "ada@", **hidden(page)}).content.decode()
    browser.post(FORM, {"email": "ada@post.example", **hidden(page)})
    assert Subscription.objects.get().source == "embed-html"


def test_a_browser_that_names_no_page_lands_as_well(browser: Client) -> None:
    page = browser.post(FORM, {"email": "ada@post.example"}, HTTP_ORIGIN="null").content.decode()
    browser.post(FORM, {"email": "ada@post.example", **hidden(page)})
    evidence = Change.objects.get(noun="subscription").evidence
    assert evidence["form"] == "embed-html" and "came_from" not in evidence


def test_the_trap_stays_filled_in_so_that_a_robot_gets_nowhere(browser: Client) -> None:
    page = browser.post(FORM, {"email": "ada@post.example", "website": "spam"}, **SHOP).content.decode()
    assert 'value="spam"' in page
    browser.post(FORM, {"email": "ada@post.example", "website": "spam", **hidden(page)})
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("ticket", ["", "forged", "\x00", "WyJ4Il0:1abcde:" + "x" * 43])
def test_a_ticket_that_is_none_of_ours_counts_for_nothing(browser: Client, ticket: str) -> None:
    assert landing.read(ticket) is None
    token = hidden(browser.get(FORM).content.decode())
    page = browser.post(FORM, {"email": "ada", "came_from": ticket, **token}).content.decode()
    assert "came_from" not in page
    browser.post(FORM, {"email": "ada@post.example", "came_from": ticket, **token})
    assert Subscription.objects.get().source == "form"


def test_a_form_of_ours_with_a_bad_token_still_says_that_it_was_open_too_long(browser: Client) -> None:
    answer = browser.post(FORM, {"email": "ada@post.example", "csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 403
    assert "The form was open too long" in answer.content.decode()


def test_no_other_page_lands_anywhere(browser: Client) -> None:
    assert browser.post("/admin/login/", {"username": "boss"}).status_code == 403
    assert browser.put(FORM).status_code == 403


def test_a_list_that_is_not_public_has_no_landing(browser: Client) -> None:
    make_list("staff", is_public=False)
    assert browser.post("/lists/staff/subscribe", {"email": "ada@post.example"}, **SHOP).status_code == 404


def test_the_landing_keeps_the_policy_of_public_pages(browser: Client) -> None:
    answer = browser.post(FORM, {"email": "ada@post.example"}, **SHOP)
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
