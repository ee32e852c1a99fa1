"""Public lists, sign-up and confirmation as strangers meet them."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from mailinglist import fill_time, subscriptions, suppression, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, ConsentRecord, Delivery, Subscriber, Subscription, Suppression
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import BROWSER, path, pending, sign_up

pytestmark = pytest.mark.django_db
Status, Reason = Subscription.Status, Subscription.Reason


class TestHome:
    def test_public_lists_are_shown_and_others_are_not(self, client: Client) -> None:
        make_list("news", description="All that is new.")
        make_list("staff", name="Secret circle", is_public=False)
        page = client.get("/").content.decode()
        assert "All that is new." in page
        assert "/lists/news/subscribe" in page
        assert "Secret circle" not in page

    def test_without_lists_the_page_says_how_to_make_one(self, client: Client) -> None:
        page = client.get("/").content.decode()
        assert "No list is open for sign-up yet" in page
        assert "/admin/" in page

    def test_what_a_manager_writes_is_escaped(self, client: Client) -> None:
        make_list("news", name="<b>N</b>", description="<script>alert(1)</script>")
        for address in ("/", "/lists/news/subscribe", "/lists/news/check-your-mail"):
            page = client.get(address).content.decode()
            assert "<script" not in page
            assert "<b>N" not in page


class TestSignUp:
    def test_a_new_address_waits_for_its_confirmation(self, client: Client) -> None:
        news = make_list()
        answer = sign_up(client, "Ada@Post.example", name="Ada")
        assert (answer.status_code, answer["Location"]) == (302, "/lists/news/check-your-mail")
        row = Subscription.objects.get(list=news)
        assert row.status == Status.PENDING
        assert row.subscriber.name == "Ada"
        assert Delivery.objects.get().purpose == Delivery.Purpose.CONFIRMATION

    def test_it_takes_five_statements(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """At a hundred a second each one is a tenth of what the machine can do."""
        make_list()
        sign_up(client, "ada@post.example")
        asked: list[object] = []
        execute = psycopg.Cursor.execute

        def noted(cursor: Any, query: Any, *args: Any, **more: Any) -> Any:
            asked.append(query)
            return execute(cursor, query, *args, **more)

        monkeypatch.setattr(psycopg.Cursor, "execute", noted)
        assert sign_up(client, "bob@post.example").status_code == 302
        # The list with its form's step; the counters; then, between two that begin and end it, the transaction.
        statements = [query for query in asked if "SAVEPOINT" not in str(query)]
        assert len(statements) == 5, statements
        assert Delivery.objects.count() == 2

    def test_the_evidence_of_consent_is_kept_in_the_words_of_the_form(self, client: Client) -> None:
        make_list()
        page = client.get("/lists/news/subscribe").content.decode()
        sign_up(client, "ada@post.example")
        row = Subscription.objects.get()
        assert row.consent_text in page
        assert (row.source, row.consent_ip, row.consent_user_agent) == ("form", "127.0.0.1", "Firefox/140")

    def test_known_unknown_and_suppressed_addresses_get_the_same_answer(self, client: Client) -> None:
        news = make_list()
        make_subscriber("known@post.example", news)
        pending("pending@post.example", news)
        blocked = make_subscriber("blocked@post.example")
        suppression.suppress(blocked.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="Spam report.")
        left = make_subscriber("left@post.example", news)
        subscriptions.unsubscribe(left.pk, reason=Reason.PAGE, by=SYSTEM, why="Left.")
        answers = set()
        for who in ("known", "pending", "blocked", "left", "never-seen"):
            answer = sign_up(client, f"{who}@post.example")
            after = client.get(answer["Location"])
            answers.add(
                (answer.status_code, answer["Location"], answer.content, after.status_code, after.content)
            )
        assert len(answers) == 1

    def test_a_suppressed_address_gets_no_mail(self, client: Client) -> None:
        make_list()
        blocked = make_subscriber("blocked@post.example")
        suppression.suppress(blocked.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="Spam report.")
        sign_up(client, "blocked@post.example")
        assert not Delivery.objects.exists()

    @pytest.mark.parametrize(
        ("email", "words"),
        [
            ("", "Write your email address here."),
            ("ada.post.example", "The address has no @ sign."),
            ("jürgen@post.example", "Letters outside ASCII before the @"),
            ("ada@localhost", "The part after the @"),
            ("a@post.example, b@post.example", "Write one address only."),
            ("x" * 300 + "@post.example", "longer than 254 characters"),
        ],
    )
    def test_a_bad_address_is_refused_in_words_next_to_the_field(
        self, client: Client, email: str, words: str
    ) -> None:
        make_list()
        page = sign_up(client, email).content.decode()
        error = page[page.index('id="id_email_error"') :]
        assert words in error[: error.index("</ul>")].replace("&#x27;", "'")
        assert 'aria-invalid="true"' in page
        assert 'aria-describedby="id_email_error"' in page
        assert not Subscriber.objects.exists()

    def test_what_was_typed_is_still_there_after_an_error(self, client: Client) -> None:
        make_list()
        page = sign_up(client, "ada.post.example", name="Ada Lovelace").content.decode()
        assert 'value="Ada Lovelace"' in page
        assert 'value="ada.post.example"' in page

    def test_a_name_over_two_lines_is_refused(self, client: Client) -> None:
        make_list()
        page = sign_up(client, "ada@post.example", name="Ada\r\nBcc: x@y.example").content.decode()
        assert "one line" in page
        assert not Subscriber.objects.exists()

    def test_who_fills_in_the_trap_gets_the_usual_answer_and_nothing_happens(self, client: Client) -> None:
        make_list()
        answer = sign_up(client, "ada@post.example", website="http://spam.example")
        assert (answer.status_code, answer["Location"]) == (302, "/lists/news/check-your-mail")
        assert not Subscriber.objects.exists()

    def test_a_list_that_is_not_public_has_no_form(self, client: Client) -> None:
        make_list("staff", is_public=False)
        assert client.get("/lists/staff/subscribe").status_code == 404
        assert sign_up(client, "ada@post.example", "staff").status_code == 404
        assert client.get("/lists/staff/check-your-mail").status_code == 404
        assert not Subscriber.objects.exists()

    def test_the_form_cannot_be_posted_from_another_site(self) -> None:
        make_list()
        answer = sign_up(Client(enforce_csrf_checks=True), "ada@post.example")
        assert answer.status_code == 200  # tests/mailinglist/views/test_landing.py
        assert not Subscriber.objects.exists()

    def test_a_strange_browser_name_does_no_harm(self, client: Client) -> None:
        make_list()
        client.post(
            "/lists/news/subscribe",
            {"email": "ada@post.example", "stamp": fill_time.stamp()},
            HTTP_USER_AGENT="Evil\x00\r\n" + "x" * 500,
        )
        assert Subscription.objects.get().consent_user_agent == ("Evil" + "x" * 500)[:255]


class TestConfirm:
    def test_get_shows_a_button_and_changes_nothing(self, client: Client) -> None:
        row = pending("ada@post.example", make_list())
        page = client.get(path(tokens.confirm_url(row)))
        assert page.status_code == 200
        assert '<form class="card" method="post">' in page.content.decode()
        row.refresh_from_db()
        assert row.status == Status.PENDING

    def test_post_confirms_and_keeps_the_evidence(self) -> None:
        row = pending("ada@post.example", make_list())
        page = Client(enforce_csrf_checks=True).post(path(tokens.confirm_url(row)), **BROWSER)
        assert "You are subscribed" in page.content.decode()
        row.refresh_from_db()
        assert (row.status, row.confirmed_ip) == (Status.CONFIRMED, "127.0.0.1")
        change = Change.objects.get(noun="subscription", after="confirmed")
        assert (change.actor, change.evidence["user_agent"]) == ("person", "Firefox/140")

    @pytest.mark.parametrize("agrees", [True, False])
    def test_only_who_reads_the_mail_agrees_to_tracking(self, client: Client, agrees: bool) -> None:
        """Whoever typed the address may have ticked the box."""
        news = make_list(tracking="consent")
        row = pending("ada@post.example", news)
        ConsentRecord.objects.filter(subscriber=row.subscriber).update(tracking=not agrees)
        link = path(tokens.confirm_url(row))
        page = client.get(link).content.decode()
        assert 'name="track"' in page and "checked" not in page
        client.post(link, {"track-shown": "1", **({"track": "1"} if agrees else {})})
        row.refresh_from_db()
        assert (row.status, row.tracking_consent) == (Status.CONFIRMED, agrees)

    def test_the_button_may_be_pressed_twice(self, client: Client) -> None:
        link = path(tokens.confirm_url(pending("ada@post.example", make_list())))
        client.post(link)
        assert "You are subscribed" in client.post(link).content.decode()

    def test_who_left_in_the_meantime_stays_away(self, client: Client) -> None:
        row = pending("ada@post.example", make_list())
        link = path(tokens.confirm_url(row))
        subscriptions.unsubscribe(row.subscriber_id, reason=Reason.PAGE, by=SYSTEM, why="Left.")
        page = client.get(link).content.decode()
        assert "Nothing to confirm" in page and "Yes, subscribe me" not in page
        assert "Nothing to confirm" in client.post(link).content.decode()
        row.refresh_from_db()
        assert row.status == Status.UNSUBSCRIBED

    def test_an_old_link_says_that_it_is_too_old(self, client: Client, settings: object) -> None:
        row = pending("ada@post.example", make_list())
        link = path(tokens.confirm_url(row))
        settings.CONFIRM_TOKEN_DAYS = -1  # type: ignore[attr-defined]
        page = client.post(link)
        assert page.status_code == 404
        assert "too old" in page.content.decode()
        row.refresh_from_db()
        assert row.status == Status.PENDING
