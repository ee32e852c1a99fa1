"""What holds for all public pages: tokens, headers, hosts."""

import random
import string
import time
from statistics import quantiles

import pytest
from django.core import signing
from django.test import Client

from mailinglist import fill_time, tokens
from mailinglist.models import Subscription
from mailinglist.views.pages import masked
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import (
    path,
    pending,
    preferences_path,
    unsubscribe_path,
)

pytestmark = pytest.mark.django_db
Status, Reason = Subscription.Status, Subscription.Reason


class TestTokens:
    @pytest.mark.no_cover
    @pytest.mark.parametrize("purpose", ["confirm", "unsubscribe", "preferences"])
    def test_no_damaged_token_is_read(self, purpose: str) -> None:
        good = good_token(purpose)
        chance = random.Random(8058)
        tokens.read_link(purpose, good)
        for _ in range(34_000):
            bad = damage(good, chance)
            try:
                tokens.read_link(purpose, bad)
            except tokens.BadToken:
                continue
            pytest.fail(f"{bad} was read")

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

    @pytest.mark.parametrize("purpose", ["confirm", "unsubscribe", "preferences"])
    def test_the_time_of_the_answer_does_not_tell_what_was_wrong(self, client: Client, purpose: str) -> None:
        good = good_token(purpose)
        body, _, signature = good.rpartition(":")
        wrong = {
            "nonsense": "x" * len(good),
            "its first half": good[: len(good) // 2],
            "a signature nearly right": f"{body}:{signature[:-2]}xx",
            "a signature all wrong": f"{body}:{'x' * len(signature)}",
            "another person": f"{'x' * 22}.{body.partition('.')[2]}:{signature}",
        }
        spent: dict[str, list[float]] = {name: [] for name in wrong}
        for _ in range(40):
            for name, token in wrong.items():
                began = time.process_time()  # of our own; what else the machine does tells nobody anything
                assert client.get(f"/{purpose}/{token}").status_code == 404
                spent[name].append(time.process_time() - began)
        p95 = {name: quantiles(times, n=20)[-1] for name, times in spent.items()}
        assert max(p95.values()) - min(p95.values()) < 0.005, p95

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
        policy = client.get("/admin/login/").headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy and policy != client.get("/").headers["Content-Security-Policy"]

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
        answer = client.post(
            "/lists/news/subscribe", {"email": "ada@post.example", "stamp": fill_time.stamp()}, **evil
        )
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
        client.post(
            "/lists/news/subscribe", {"email": "ada@post.example", "stamp": fill_time.stamp()}, **sent
        )
        assert Subscription.objects.get().consent_ip == "203.0.113.9"

    def test_without_a_trusted_proxy_the_header_is_not_believed(self, client: Client) -> None:
        make_list()
        client.post(
            "/lists/news/subscribe",
            {"email": "ada@post.example", "stamp": fill_time.stamp()},
            HTTP_X_FORWARDED_FOR="1.1.1.1",
        )
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
    other = chance.choice(signs.replace(token[at], ""))
    if kind == 0:
        damaged = token[:at] + other + token[at + 1 :]
    elif kind == 1:
        damaged = token[:at] + token[at + 1 :]
    elif kind == 2:
        damaged = token[:at] + other + token[at:]
    elif kind == 3:
        damaged = token[: at + 1] if at + 1 < len(token) else token + "x"
    else:
        damaged = signing.Signer(salt="mailinglist.else").sign(token.rpartition(":")[0])
    return damaged if damaged != token else damaged + "x"
