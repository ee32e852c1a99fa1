"""Sign-up, confirmation, unsubscribe and preferences as strangers and mail programs meet them."""

import random
import string
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from mailinglist import subscriptions, suppression, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Delivery, MailingList, Subscriber, Subscription, Suppression
from mailinglist.views.public import masked
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db
Status, Reason = Subscription.Status, Subscription.Reason
BROWSER = {"HTTP_USER_AGENT": "Firefox/140"}


def path(url: str) -> str:
    return urlsplit(url).path


def unsubscribe_path(subscriber: Subscriber, mailing_list: MailingList) -> str:
    return path(tokens.unsubscribe_url(subscriber, mailing_list))


def preferences_path(subscriber: Subscriber, mailing_list: MailingList) -> str:
    return path(tokens.preferences_url(subscriber, mailing_list))


def subscription(subscriber: Subscriber, mailing_list: MailingList) -> Subscription:
    return Subscription.objects.get(subscriber=subscriber, list=mailing_list)


def pending(email: str, mailing_list: MailingList) -> Subscription:
    consent = subscriptions.Consent(at=timezone.now())
    subscriptions.subscribe(mailing_list, email, consent=consent, source="form", by=SYSTEM)
    return Subscription.objects.get(list=mailing_list, subscriber__email=email)


def sign_up(client: Client, email: str, slug: str = "news", **fields: str) -> HttpResponse:
    return client.post(f"/lists/{slug}/subscribe", {"email": email, **fields}, **BROWSER)


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
            ("a@post.example, b@post.example", "invalid characters"),
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
        assert answer.status_code == 403
        assert "The form was open too long" in answer.content.decode()

    def test_a_strange_browser_name_does_no_harm(self, client: Client) -> None:
        make_list()
        client.post(
            "/lists/news/subscribe", {"email": "ada@post.example"}, HTTP_USER_AGENT="Evil\x00\r\n" + "x" * 500
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

    def test_the_button_may_be_pressed_twice(self, client: Client) -> None:
        link = path(tokens.confirm_url(pending("ada@post.example", make_list())))
        client.post(link)
        assert "You are subscribed" in client.post(link).content.decode()

    def test_who_left_in_the_meantime_stays_away(self, client: Client) -> None:
        row = pending("ada@post.example", make_list())
        link = path(tokens.confirm_url(row))
        subscriptions.unsubscribe(row.subscriber_id, reason=Reason.PAGE, by=SYSTEM, why="Left.")
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


class TestOneClick:
    """RFC 8058 section 3: the body List-Unsubscribe=One-Click, either encoding, no cookies, no redirect."""

    @pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
    def test_the_button_of_a_mail_program_ends_the_subscription(self, encoding: str) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        client = Client(enforce_csrf_checks=True)
        link = unsubscribe_path(ada, news)
        if encoding == "urlencoded":
            answer = client.post(
                link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
            )
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


class TestPreferences:
    def test_the_page_shows_the_name_and_the_present_lists(self, client: Client) -> None:
        news, gone = make_list("news"), make_list("gone", name="Long gone")
        ada = make_subscriber("ada@post.example", news, gone, name="Ada")
        subscriptions.unsubscribe(ada.pk, reason=Reason.PAGE, by=SYSTEM, why="Left.", list_ids=[gone.pk])
        page = client.get(preferences_path(ada, news)).content.decode()
        assert 'value="Ada"' in page
        assert "News" in page
        assert "Long gone" not in page
        assert "ada@post.example" not in page

    def test_saving_changes_the_name_and_leaves_unticked_lists(self) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news, other)
        client = Client(enforce_csrf_checks=True)
        body = {"name": "Ada L.", "shown": ["news", "other"], "keep": ["news"]}
        page = client.post(preferences_path(ada, news), body).content.decode()
        assert "Saved. You left one list." in page
        ada.refresh_from_db()
        assert ada.name == "Ada L."
        assert subscription(ada, news).status == Status.CONFIRMED
        assert subscription(ada, other).unsubscribe_reason == Reason.PAGE

    def test_a_list_joined_in_another_window_stays(self, client: Client) -> None:
        news, fresh = make_list("news"), make_list("fresh")
        ada = make_subscriber("ada@post.example", news, fresh)
        client.post(preferences_path(ada, news), {"name": "", "shown": ["news"], "keep": ["news"]})
        assert subscription(ada, fresh).status == Status.CONFIRMED

    def test_a_bad_name_is_refused_and_nothing_is_saved(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        page = client.post(preferences_path(ada, news), {"name": "A\x07", "shown": ["news"]}).content.decode()
        assert "one line" in page
        assert subscription(ada, news).status == Status.CONFIRMED

    def test_nobody_can_join_export_or_erase_here(self, client: Client) -> None:
        news, other = make_list("news"), make_list("other")
        ada = make_subscriber("ada@post.example", news)
        body = {"name": "", "shown": ["news", "other"], "keep": ["news", "other"]}
        page = client.post(preferences_path(ada, news), body).content.decode()
        assert not Subscription.objects.filter(list=other).exists()
        assert "rase" not in page
        assert "xport" not in page


class TestTokens:
    @pytest.mark.parametrize("purpose", ["confirm", "unsubscribe", "preferences"])
    def test_no_damaged_token_is_read(self, purpose: str) -> None:
        good = good_token(purpose)
        chance = random.Random(8058)
        tokens.read_link(purpose, good)
        for _ in range(34_000):
            with pytest.raises(tokens.BadToken):
                tokens.read_link(purpose, damage(good, chance))

    @pytest.mark.parametrize("purpose", ["confirm", "unsubscribe", "preferences"])
    def test_every_damaged_token_gets_the_same_answer(self, client: Client, purpose: str) -> None:
        good, chance = good_token(purpose), random.Random(2)
        before = Subscription.objects.values_list("status", flat=True).get()
        answers = set()
        for _ in range(50):
            for method in (client.get, client.post):
                answer = method(f"/{purpose}/{damage(good, chance)}", {"List-Unsubscribe": "One-Click"})
                answers.add((answer.status_code, answer.content))
        assert len(answers) == 1
        assert answers.pop()[0] == 404
        assert Subscription.objects.values_list("status", flat=True).get() == before

    def test_a_token_for_one_page_opens_no_other(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        token = tokens.unsubscribe_url(ada, news).rpartition("/")[2]
        for purpose in ("confirm", "preferences"):
            with pytest.raises(tokens.BadToken):
                tokens.read_link(purpose, token)

    def test_a_link_names_neither_address_nor_database_id(self) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        for url in (tokens.unsubscribe_url(ada, news), tokens.preferences_url(ada, news)):
            assert "ada" not in url.lower().rpartition("/")[2].partition(":")[0].replace(
                ada.token.lower(), ""
            )
            assert "@" not in url

    def test_unsubscribe_links_survive_a_change_of_the_key(self, client: Client, settings: object) -> None:
        news = make_list()
        link = unsubscribe_path(make_subscriber("ada@post.example", news), news)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
        settings.SECRET_KEY = "another-key-" + "y" * 40  # type: ignore[attr-defined]
        assert client.get(link).status_code == 200


class TestHeaders:
    def test_token_pages_are_private(self, client: Client) -> None:
        news = make_list()
        ada = make_subscriber("ada@post.example", news)
        for link in (unsubscribe_path(ada, news), preferences_path(ada, news), "/confirm/nonsense"):
            answer = client.get(link)
            assert answer["Referrer-Policy"] == "no-referrer"
            assert "no-store" in answer["Cache-Control"]
            assert "noindex" in answer["X-Robots-Tag"]
            assert not answer.cookies

    def test_no_public_page_may_be_framed_or_run_scripts(self, client: Client) -> None:
        make_list()
        for address in ("/", "/lists/news/subscribe", "/unsubscribe/x", "/no-such-page", "/healthz"):
            policy = client.get(address)["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy

    def test_the_admin_has_its_own_rules(self, client: Client) -> None:
        assert "Content-Security-Policy" not in client.get("/admin/login/").headers

    def test_pages_hold_nothing_that_the_policy_forbids(self, client: Client) -> None:
        news = make_list(description="Hello")
        ada = make_subscriber("ada@post.example", news)
        for link in (
            "/",
            "/lists/news/subscribe",
            unsubscribe_path(ada, news),
            preferences_path(ada, news),
            "/404",
        ):
            page = client.get(link).content.decode()
            for forbidden in ("<script", "<style", " style=", " onclick=", "http://", "https://", "//cdn"):
                assert forbidden not in page, (link, forbidden)


class TestForeignHosts:
    def test_a_foreign_host_is_refused(self, client: Client) -> None:
        make_list()
        for address in ("/", "/lists/news/subscribe"):
            answer = client.get(address, HTTP_HOST="evil.example")
            assert answer.status_code == 400
            assert b"evil.example" not in answer.content

    def test_a_forwarded_host_changes_no_link(self, client: Client, settings: object) -> None:
        news = make_list()
        evil = {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_FORWARDED": "host=evil.example"}
        answer = client.post("/lists/news/subscribe", {"email": "ada@post.example"}, **evil)
        assert answer["Location"] == "/lists/news/check-your-mail"
        row = Subscription.objects.get(list=news)
        assert tokens.confirm_url(row).startswith(settings.PUBLIC_URL + "/confirm/")  # type: ignore[attr-defined]
        assert b"evil" not in client.get(path(tokens.confirm_url(row)), **evil).content

    def test_behind_a_proxy_the_last_forwarded_address_is_the_visitors(
        self, client: Client, settings: object
    ) -> None:
        make_list()
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # type: ignore[attr-defined]
        sent = {"HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.9", "HTTP_X_FORWARDED_PROTO": "http"}
        client.post("/lists/news/subscribe", {"email": "ada@post.example"}, **sent)
        assert Subscription.objects.get().consent_ip == "203.0.113.9"

    def test_without_a_trusted_proxy_the_header_is_not_believed(self, client: Client) -> None:
        make_list()
        client.post("/lists/news/subscribe", {"email": "ada@post.example"}, HTTP_X_FORWARDED_FOR="1.1.1.1")
        assert Subscription.objects.get().consent_ip == "127.0.0.1"


@pytest.mark.parametrize(
    ("email", "shown"), [("ada@post.example", "a•••@post.example"), ("a@post.example", "a•••@post.example")]
)
def test_a_masked_address_is_known_to_its_owner_only(email: str, shown: str) -> None:
    assert masked(email) == shown


def good_token(purpose: str) -> str:
    news = make_list()
    row = pending("ada@post.example", news)
    url = {
        "confirm": lambda: tokens.confirm_url(row),
        "unsubscribe": lambda: tokens.unsubscribe_url(row.subscriber, news),
        "preferences": lambda: tokens.preferences_url(row.subscriber, news),
    }[purpose]()
    return url.rpartition("/")[2]


def damage(token: str, chance: random.Random) -> str:
    """The token with one sign changed, dropped or added, cut short, or with another signature."""
    signs = string.ascii_letters + string.digits + "-_:."
    at = chance.randrange(len(token))
    kind = chance.randrange(5)
    other = chance.choice([sign for sign in signs if sign != token[at]])
    damaged = [
        token[:at] + other + token[at + 1 :],
        token[:at] + token[at + 1 :],
        token[:at] + other + token[at:],
        token[: at + 1] if at + 1 < len(token) else token + "x",
        signing.Signer(salt="mailinglist.else").sign(token.rpartition(":")[0]),
    ][kind]
    return damaged if damaged != token else damaged + "x"
