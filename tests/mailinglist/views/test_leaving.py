"""Leaving by a mail program and by the page, and coming back."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailinglist import farewell, subscriptions, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Subscription
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import pending, subscription, unsubscribe_path

pytestmark = pytest.mark.django_db
Status, Reason = Subscription.Status, Subscription.Reason


class TestOneClick:
    """RFC 8058 section 3: the body List-Unsubscribe=One-Click, either encoding, no cookies, no redirect."""

    @pytest.mark.parametrize("encoding", ["urlencoded", "multipart", "in pieces"])
    def test_the_button_of_a_mail_program_ends_the_subscription(self, encoding: str) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        client = Client(enforce_csrf_checks=True)
        link = unsubscribe_path(ada, news)
        if encoding == "urlencoded":
            answer = client.post(
                link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
            )
        elif encoding == "in pieces":
            given: dict[str, Any] = {
                "wsgi.input": BytesIO(b"List-Unsubscribe=One-Click"),
                "wsgi.input_terminated": True,
            }
            given |= {
                "CONTENT_TYPE": "application/x-www-form-urlencoded",
                "HTTP_TRANSFER_ENCODING": "chunked",
            }
            answer = client.generic("POST", link, **given)
        else:
            answer = client.post(link, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert not answer.cookies
        row = subscription(ada, news)
        assert (row.status, row.unsubscribe_reason) == (Status.UNSUBSCRIBED, Reason.ONE_CLICK)
        assert Change.objects.get(after="unsubscribed").actor == "person"

    def test_other_lists_are_left_alone(self, client: Client) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news, other)
        client.post(unsubscribe_path(ada, news), {"List-Unsubscribe": "One-Click", "scope": "all"})
        assert subscription(ada, other).status == Status.CONFIRMED

    def test_a_second_post_answers_the_same(self, client: Client) -> None:
        news = make_list()
        link = unsubscribe_path(make_subscriber("ada@post.example", news), news)
        answers = [client.post(link, {"List-Unsubscribe": "One-Click"}).status_code for _ in range(2)]
        assert answers == [200, 200]
        assert Change.objects.filter(after="unsubscribed").count() == 1

    @pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "No"}, {"scope": "all"}, {"x": "y"}])
    def test_another_body_shows_the_page_and_changes_nothing(
        self, client: Client, body: dict[str, str]
    ) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        page = client.post(unsubscribe_path(ada, news), body)
        assert page.status_code == 200
        assert 'name="confirm"' in page.content.decode()
        assert subscription(ada, news).status == Status.CONFIRMED

    def test_the_token_of_a_confirmation_does_not_unsubscribe(self, client: Client) -> None:
        row = pending("ada@post.example", make_list())
        token = tokens.confirm_url(row).rpartition("/")[2]
        assert client.post(f"/unsubscribe/{token}", {"List-Unsubscribe": "One-Click"}).status_code == 404
        row.refresh_from_db()
        assert row.status == Status.PENDING


class TestUnsubscribePage:
    def test_get_says_what_will_happen_and_changes_nothing(self, client: Client) -> None:
        news, other = make_list("news"), make_list("other", name="The other list")
        ada = make_subscriber("ada@post.example", news, other)
        page = client.get(unsubscribe_path(ada, news)).content.decode()
        assert "a•••@post.example" in page
        assert "ada@post.example" not in page
        assert "The other list" in page
        assert subscription(ada, news).status == Status.CONFIRMED

    def test_the_button_ends_this_list_only(self) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news, other)
        client = Client(enforce_csrf_checks=True)
        page = client.post(unsubscribe_path(ada, news), {"confirm": "1", "scope": "list"})
        assert "You are unsubscribed" in page.content.decode()
        assert not page.cookies
        row = subscription(ada, news)
        assert (row.status, row.unsubscribe_reason) == (Status.UNSUBSCRIBED, Reason.PAGE)
        assert subscription(ada, other).status == Status.CONFIRMED

    def test_the_other_button_ends_all_lists(self, client: Client) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news, other)
        client.post(unsubscribe_path(ada, news), {"confirm": "1", "scope": "all"})
        assert set(ada.subscriptions.values_list("status", flat=True)) == {Status.UNSUBSCRIBED}

    def test_undo_brings_back_what_the_button_ended_and_no_more(self, client: Client) -> None:
        news, other, older = make_list("news"), make_list("other"), make_list("older")
        ada = make_subscriber("ada@post.example", news, other, older)
        client.post(unsubscribe_path(ada, older), {"confirm": "1", "scope": "list"})
        link = unsubscribe_path(ada, news)
        page = client.post(link, {"confirm": "1", "scope": "all"}).content.decode()
        offered = [slug for slug in ("news", "other", "older") if f'name="rejoin" value="{slug}"' in page]
        assert offered == ["news", "other"]
        page = client.post(link, {"rejoin": offered}).content.decode()
        assert "Everything is as before" in page
        assert subscription(ada, news).status == subscription(ada, other).status == Status.CONFIRMED
        assert subscription(ada, older).status == Status.UNSUBSCRIBED

    def test_undo_pressed_twice_still_says_that_all_is_well(self, client: Client) -> None:
        news = make_list()
        link = unsubscribe_path(make_subscriber("ada@post.example", news), news)
        client.post(link, {"confirm": "1", "scope": "list"})
        client.post(link, {"rejoin": "news"})
        assert "Everything is as before" in client.post(link, {"rejoin": "news"}).content.decode()

    def test_undo_is_offered_on_the_page_again_for_a_day(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        client.post(link, {"List-Unsubscribe": "One-Click"})
        assert 'name="rejoin"' in client.get(link).content.decode()
        Subscription.objects.update(unsubscribed_at=timezone.now() - timedelta(hours=25))
        assert 'name="rejoin"' not in client.get(link).content.decode()
        assert "cannot be taken back" in client.post(link, {"rejoin": "news"}).content.decode()
        assert subscription(ada, news).status == Status.UNSUBSCRIBED

    def test_undo_of_a_list_that_does_not_exist_does_nothing(self, client: Client) -> None:
        news = make_list()
        link = unsubscribe_path(make_subscriber("ada@post.example", news), news)
        assert "cannot be taken back" in client.post(link, {"rejoin": "nothing"}).content.decode()


class TestWhy:
    def test_it_is_asked_when_it_is_done_and_kept(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        page = client.post(link, {"confirm": "1", "scope": "list"}).content.decode()
        assert page.count('name="because"') == 5 and 'name="words"' in page
        page = client.post(
            link, {"tell": "1", "because": "too-often", "words": "Once a\nmonth!"}
        ).content.decode()
        assert "Thank you for telling us." in page and "Subscribe me again" in page
        row = subscription(ada, news)
        assert (row.left_because, row.left_words) == ("too-often", "Once a\nmonth!")
        assert farewell.counts(news.pk) == [("The mails come too often", 1)]
        told = Change.objects.order_by("-pk")[0]
        assert told.why == "Told why they left: The mails come too often." and "month" not in str(
            told.evidence
        )

    def test_nothing_is_asked_before(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        assert b'name="because"' not in client.get(link).content
        client.post(link, {"tell": "1", "because": "other", "words": "Hello"})
        row = subscription(ada, news)
        assert (row.status, row.left_because, row.left_words) == (Status.CONFIRMED, "", "")

    def test_who_leaves_everything_tells_it_once_for_all(self, client: Client) -> None:
        news, other, before = make_list("news"), make_list("other"), make_list("before")
        ada = make_subscriber("ada@post.example", news, other, before)
        client.post(unsubscribe_path(ada, before), {"confirm": "1"})
        link = unsubscribe_path(ada, news)
        client.post(link, {"confirm": "1", "scope": "all"})
        client.post(link, {"tell": "1", "scope": "all", "because": "never-asked"})
        assert [subscription(ada, found).left_because for found in (news, other, before)] == [
            "never-asked",
            "never-asked",
            "",
        ]

    @pytest.mark.parametrize(
        "body", [{"words": "x" * 501}, {"because": "nonsense"}, {"words": "bell \x07"}, {"words": "\x00"}]
    )
    def test_what_cannot_be_kept_is_said_and_not_kept(self, client: Client, body: dict[str, str]) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        client.post(link, {"confirm": "1"})
        page = client.post(link, {"tell": "1", **body}).content.decode()
        assert 'class="field__errors"' in page
        row = subscription(ada, news)
        assert (row.left_because, row.left_words) == ("", "")

    def test_only_those_who_left_by_themselves_are_believed(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        subscriptions.unsubscribe(
            ada.pk, reason=Subscription.Reason.HARD_BOUNCE, by=SYSTEM, why="It bounced."
        )
        assert farewell.tell(ada, [news.pk], because="other", words="Hello", by=SYSTEM) == 0
        row = subscription(ada, news)
        assert (row.left_because, row.left_words) == ("", "")

    def test_who_has_come_back_is_not_told_that_they_left(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        client.post(link, {"confirm": "1"})
        client.post(link, {"rejoin": news.slug})
        page = client.post(link, {"tell": "1", "words": "late"}).content.decode()
        assert "You are unsubscribed" not in page and 'name="confirm"' in page

    def test_an_empty_form_is_fine(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        client.post(link, {"confirm": "1"})
        assert client.post(link, {"tell": "1"}).status_code == 200
        assert Change.objects.filter(why__startswith="Told").count() == 0

    def test_who_comes_back_leaves_no_reason_behind(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        link = unsubscribe_path(ada, news)
        client.post(link, {"confirm": "1"})
        client.post(link, {"tell": "1", "because": "other", "words": "Bye"})
        client.post(link, {"rejoin": "news"})
        row = subscription(ada, news)
        assert (row.status, row.left_because, row.left_words) == (Status.CONFIRMED, "", "")
        assert farewell.counts(news.pk) == []
