"""The addresses behind the embedded script: who may use them, what they take, and that all answers are alike."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from mailinglist import fill_time, subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Delivery, MailingList, Subscriber, Subscription, Suppression
from mailinglist.views import embedding
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import BROWSER, pending

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"
POST, FORM = "/lists/news/subscribe.json", "/lists/news/form.json"
ADA = {"email": "ada@post.example"}


@pytest.fixture
def news() -> MailingList:
    return make_list(allowed_origins=f"https://other.example\n{SHOP}/")


def send(client: Client, body: Any, *, origin: str = SHOP, kind: str = "application/json") -> HttpResponse:
    raw = body if isinstance(body, str | bytes) else json.dumps(with_stamp(body))
    headers = {"origin": origin} if origin else {}
    return client.post(POST, raw, content_type=kind, headers=headers, **BROWSER)


def with_stamp(body: Any) -> Any:
    """As the script sends it back, out of form.json."""
    return {"stamp": fill_time.stamp(), **body} if isinstance(body, dict) else body


def errors(answer: HttpResponse) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(answer.content)["errors"]
    return found


class TestSignUp:
    def test_a_new_address_waits_for_its_confirmation(self, news: MailingList) -> None:
        page = f"{SHOP}/contact?x=1"
        answer = send(Client(enforce_csrf_checks=True), {**ADA, "name": "Ada", "website": "", "page": page})
        assert answer.status_code == 200
        assert "a mail with a link is on its way" in json.loads(answer.content)["message"]
        row = Subscription.objects.get(list=news)
        assert (row.status, row.source, row.subscriber.name) == ("pending", "embed-script", "Ada")
        assert (row.consent_ip, row.consent_user_agent) == ("127.0.0.1", "Firefox/140")
        evidence = Change.objects.get(noun="subscription").evidence
        assert (evidence["form"], evidence["came_from"]) == ("embed-script", f"{SHOP}/contact")

    def test_the_text_that_was_shown_is_the_text_that_is_kept(
        self, client: Client, news: MailingList
    ) -> None:
        shown = client.get(FORM).json()["consent"]
        send(client, ADA)
        assert Subscription.objects.get().consent_text == shown

    def test_known_unknown_and_suppressed_addresses_get_the_same_answer(
        self, client: Client, news: MailingList
    ) -> None:
        make_subscriber("known@post.example", news)
        pending("pending@post.example", news)
        blocked = make_subscriber("blocked@post.example")
        suppression.suppress(blocked.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="Spam report.")
        left = make_subscriber("left@post.example", news)
        subscriptions.unsubscribe(left.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="Left.")
        answers = set()
        for who in ("known", "pending", "blocked", "left", "never-seen"):
            answer = send(client, {"email": f"{who}@post.example"})
            answers.add((answer.status_code, answer.content, str(sorted(answer.headers.items()))))
        answer = send(client, {"email": "robot@post.example", "website": "x"})
        answers.add((answer.status_code, answer.content, str(sorted(answer.headers.items()))))
        assert len(answers) == 1
        assert not Subscriber.objects.filter(email__startswith="robot").exists()
        assert not Delivery.objects.filter(subscriber=blocked).exists()

    def test_a_page_of_another_site_than_the_browser_says_is_not_believed(
        self, client: Client, news: MailingList
    ) -> None:
        for number, page in enumerate((f"{SHOP}.evil.example/x", "https://evil.example/", "\x00", True, 7)):
            send(client, {"email": f"a{number}@post.example", "page": page})
        found = {change.evidence["came_from"] for change in Change.objects.filter(noun="subscription")}
        assert found == {SHOP}

    def test_a_program_without_a_browser_may_sign_up_too(self, client: Client, news: MailingList) -> None:
        answer = send(client, {**ADA, "page": f"{SHOP}/x"}, origin="")
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "came_from" not in Change.objects.get(noun="subscription").evidence

    def test_no_cookie_is_set_or_read(self, client: Client, news: MailingList) -> None:
        client.force_login(User.objects.create_user("ann"))
        for answer in (send(client, ADA), client.get(FORM), client.options(POST, headers={"origin": SHOP})):
            assert not answer.cookies
            assert answer["Vary"] == "Origin"
            assert "no-store" in answer["Cache-Control"]
            assert "Access-Control-Allow-Credentials" not in answer.headers

    def test_errors_are_in_the_language_of_the_list(self, client: Client, news: MailingList) -> None:
        MailingList.objects.update(language="de")
        assert errors(send(client, {**ADA, "name": "x" * 201}))["name"][0].startswith("Bitte")
        assert client.get(FORM).json()["language"] == "de"


class TestBadBodies:
    @pytest.mark.parametrize(
        ("body", "field", "words"),
        [
            ({}, "email", "Write your email address here."),
            ({"email": None}, "email", "Write your email address here."),
            ({"email": "ada"}, "email", "The address has no @ sign."),
            ({"email": "a\x00@post.example"}, "email", "Null characters are not allowed."),
            ({"email": ["ada@post.example"]}, "email", "Write this as text."),
            ({"email": 7}, "email", "Write this as text."),
            ('{"email": NaN}', "email", "Write this as text."),
            ({**ADA, "name": "Ada\r\nBcc: x"}, "name", "one line"),
            ({**ADA, "name": "x" * 201}, "name", "at most 200 characters"),
            ({**ADA, "status": "confirmed"}, "status", "The form has no such field."),
            ({**ADA, "\x00": "x"}, "\x00", "The form has no such field."),
            ('{"email": "\\ud800@post.example"}', "__all__", "half of a surrogate pair"),
            ('{"\\ud800": "x"}', "__all__", "half of a surrogate pair"),
            (" ", "__all__", "is not JSON"),
            ("email=ada@post.example", "__all__", "is not JSON"),
            (b'\xff\xfe{"email"', "__all__", "is not JSON"),
            (b"\x1f\x8b\x08\x00", "__all__", "is not JSON"),
            ("\x00", "__all__", "is not JSON"),
            ("[" * 9000, "__all__", "is not JSON"),
            ('{"a":' * 1900, "__all__", "is not JSON"),
            ('{"email": ' + "9" * 9000 + "}", "__all__", "is not JSON"),
            ("[]", "__all__", "no JSON object"),
            ('"ada@post.example"', "__all__", "no JSON object"),
            ("null", "__all__", "no JSON object"),
        ],
    )
    def test_a_bad_body_is_refused_in_words(
        self, client: Client, news: MailingList, body: Any, field: str, words: str
    ) -> None:
        answer = send(client, body)
        assert answer.status_code == 400
        assert words in errors(answer)[field][0]
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert not Subscriber.objects.exists()

    def test_nesting_that_json_takes_is_still_no_text(self, client: Client, news: MailingList) -> None:
        answer = send(client, '{"email": ' + "[" * 500 + "]" * 500 + "}")
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
    )
    def test_only_json_is_taken(self, client: Client, news: MailingList, kind: str) -> None:
        answer = send(client, json.dumps(ADA), kind=kind)
        assert answer.status_code == 415
        assert "Content-Type: application/json" in errors(answer)["__all__"][0]
        assert not Subscriber.objects.exists()

    def test_a_long_body_is_not_read_to_its_end(self, client: Client, news: MailingList) -> None:
        body = json.dumps(with_stamp(ADA))
        assert send(client, body + " " * (embedding.BODY_LIMIT - len(body))).status_code == 200
        answer = send(client, body + " " * (embedding.BODY_LIMIT - len(body) + 1))
        assert answer.status_code == 413
        assert "longer than 10000 bytes" in errors(answer)["__all__"][0]

    def test_other_methods_are_told_which_to_use(self, client: Client, news: MailingList) -> None:
        for answer, method in (
            (client.get(POST), "POST"),
            (client.delete(POST), "POST"),
            (client.put(FORM), "GET"),
        ):
            assert answer.status_code == 405
            assert answer["Allow"].startswith(method)
            assert errors(answer) == {"__all__": [f"Use {method} here."]}


class TestOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "http://shop.example",
            f"{SHOP}:8443",
            f"{SHOP}/",
            f"{SHOP}.evil.example",
            "null",
            "*",
        ],
    )
    def test_a_site_that_is_not_allowed_is_refused_by_the_server_itself(
        self, client: Client, news: MailingList, origin: str
    ) -> None:
        headers = {"origin": origin}
        for answer in (
            send(client, ADA, origin=origin),
            client.get(FORM, headers=headers),
            client.options(POST, headers={**headers, "access-control-request-method": "POST"}),
        ):
            assert answer.status_code == 403
            assert answer["Vary"] == "Origin"
            assert not [name for name in answer.headers if name.startswith("Access-Control")]
            assert f"{origin} may not sign people up. A manager can allow it" in errors(answer)["__all__"][0]
        assert not Subscriber.objects.exists()

    def test_no_site_is_allowed_at_first_but_our_own(self, client: Client, settings: Any) -> None:
        make_list()
        settings.PUBLIC_URL = "https://lists.example:443"
        assert send(client, ADA).status_code == 403
        for own in ("https://lists.example", "https://testserver", "http://testserver"):
            answer = send(client, ADA, origin=own)
            assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, own)
        settings.LOCAL = False
        assert send(client, ADA, origin="https://testserver").status_code == 200
        assert send(client, ADA, origin="http://testserver").status_code == 403

    def test_a_browser_asks_first_and_is_told_what_it_may(self, client: Client, news: MailingList) -> None:
        asked = {"origin": SHOP, "access-control-request-method": "POST"}
        answer = client.options(POST, headers=asked)
        assert (answer.status_code, answer.content) == (204, b"")
        found = {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}
        assert found == {
            "Access-Control-Allow-Origin": SHOP,
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "600",
        }

    def test_what_one_list_allows_no_other_does(self, client: Client, news: MailingList) -> None:
        make_list("tips")
        assert client.get("/lists/tips/form.json", headers={"origin": SHOP}).status_code == 403

    @pytest.mark.parametrize("slug", ["staff", "no-such-list"])
    def test_a_list_that_is_not_public_looks_like_none(self, client: Client, slug: str) -> None:
        make_list("staff", is_public=False, allowed_origins=SHOP)
        for tail in ("form.json", "subscribe.json"):
            answer = client.get(f"/lists/{slug}/{tail}", headers={"origin": SHOP})
            assert answer.status_code == 404
            assert "There is no such list" in errors(answer)["__all__"][0]
        assert client.get(f"/lists/{slug}/embed-preview/short").status_code == 404


class TestScript:
    def test_it_is_small_and_cached_and_other_sites_may_load_it(self, client: Client) -> None:
        answer = client.get("/embed.js")
        assert answer.status_code == 200
        assert len(answer.content) < 5000
        assert answer["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer["Cache-Control"] == "public, max-age=3600"
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "Vary" not in answer.headers and not answer.cookies
        again = client.get("/embed.js", headers={"if-none-match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize(
        "word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "cookie", "localStorage"]
    )
    def test_it_makes_no_markup_from_strings_and_keeps_nothing(self, client: Client, word: str) -> None:
        assert word not in client.get("/embed.js").content.decode()

    def test_the_form_is_described_field_by_field(
        self, client: Client, news: MailingList, settings: Any
    ) -> None:
        settings.PUBLIC_URL = "https://lists.example"
        found = client.get(FORM, headers={"origin": SHOP}).json()
        assert found["action"] == "https://lists.example/lists/news/subscribe"
        fields = {field["name"]: field for field in found["fields"]}
        assert list(fields) == ["email", "name", "website", "stamp", "altcha", "keep"]
        assert fields["email"] == {
            "name": "email",
            "label": "Email address",
            "help": "",
            "type": "email",
            "value": "",
            "required": True,
            "autocomplete": "email",
            "trap": False,
        }
        assert fields["website"]["trap"] is True

    def test_a_hidden_field_is_given_with_its_value_and_never_pasted(
        self, client: Client, news: MailingList
    ) -> None:
        fields = {field["name"]: field for field in client.get(FORM).json()["fields"]}
        assert fields["stamp"]["type"] == "hidden"
        assert fill_time.seconds(fields["stamp"]["value"]) is not None
        assert "stamp" not in client.get("/lists/news/embed-preview/html").content.decode()


class TestPreview:
    @pytest.mark.parametrize("way", ["html", "script", "short"])
    def test_it_may_be_framed_by_us_alone_and_runs_nothing_inline(
        self, client: Client, news: MailingList, way: str
    ) -> None:
        answer = client.get(f"/lists/news/embed-preview/{way}")
        assert answer.status_code == 200
        policy = answer["Content-Security-Policy"]
        assert (
            "script-src 'self';" in policy and "frame-ancestors 'self'" in policy and "unsafe" not in policy
        )
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert "noindex" in answer["X-Robots-Tag"]
        assert answer.content.decode().count("<script") == (way != "html")

    def test_another_way_is_no_page(self, client: Client, news: MailingList) -> None:
        assert client.get("/lists/news/embed-preview/iframe").status_code == 404


class TestGate:
    def test_a_mistyped_domain_and_a_form_under_pressure_lead_to_the_page(
        self, client: Client, news: MailingList, settings: Any
    ) -> None:
        answer = send(client, {"email": "ada@gmial.com"})
        assert answer.status_code == 409
        assert errors(answer)["email"] == ["Did you mean ada@gmail.com?"]
        assert send(client, {"email": "ada@gmial.com", "keep": "ada@gmial.com"}).status_code == 200
        answer = send(client, {**ADA, "stamp": ""})
        assert answer.status_code == 429
        assert errors(answer)["__all__"][0]
        assert Subscription.objects.count() == 1
