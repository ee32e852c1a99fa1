"""Which language a page is in, and that all of it is."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import translation

from mailinglist import tokens
from mailinglist.models import ConsentRecord, MailingList, Subscriber
from tests import catalogues, public_pages
from tests.factories import make_list, make_subscriber
from tests.mailinglist.views.visits import path, pending, preferences_path, sign_up, unsubscribe_path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}
#: Shorter ones may be German words, too.
LETTERS = 12


@pytest.fixture
def news() -> MailingList:
    return make_list("news", has_archive=True)


def language(page: str) -> str:
    return page.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("browser", "of_list", "shown"),
    [
        ("", "en", "en"),
        ("", "de", "de"),
        ("", "de-CH", "de"),
        ("", "fr", "en"),
        ("de", "en", "de"),
        ("de-AT", "en", "de"),
        ("DE-at", "en", "de"),
        ("en-GB,de;q=0.5", "de", "en"),
        ("fr,it;q=0.9", "de", "de"),
        ("fr;q=0.9,de;q=0.8", "en", "de"),
        ("de;q=0", "en", "en"),
        ("de;q=0.1,en;q=0.9", "de", "en"),
        ("*", "de", "de"),
        ("de;q=much", "en", "en"),
        (",;=\x01\u00e4", "de", "de"),
        ("x" * 5000, "de", "de"),
        ("de," * 5000, "en", "de"),
        ("../../de", "en", "en"),
    ],
)
def test_a_list_speaks_the_browsers_language_or_else_its_own(
    client: Client, news: MailingList, browser: str, of_list: str, shown: str
) -> None:
    MailingList.objects.update(language=of_list)
    for where in ("/lists/news/", "/lists/news/subscribe", "/archive/news/"):
        answer = client.get(where, HTTP_ACCEPT_LANGUAGE=browser)
        assert language(answer.content.decode()) == shown, where
        assert answer["Content-Language"] == shown and "Accept-Language" in answer["Vary"], where


@pytest.mark.parametrize(
    ("own", "of_list", "browser", "shown"),
    [
        ("de", "en", "en", "de"),
        ("de-AT", "en", "en", "de"),
        ("en", "de", "de", "en"),
        ("", "de", "en", "de"),
        ("", "en", "de", "en"),
        ("fr", "de", "en", "de"),
        ("fr", "fr", "de", "de"),
        ("", "fr", "", "en"),
    ],
)
def test_a_persons_page_speaks_theirs_then_the_lists_then_the_browsers(
    client: Client, news: MailingList, own: str, of_list: str, browser: str, shown: str
) -> None:
    MailingList.objects.update(language=of_list)
    ada = make_subscriber("ada@post.example", news, language=own)
    for where in (preferences_path(ada, news), unsubscribe_path(ada, news)):
        assert language(client.get(where, HTTP_ACCEPT_LANGUAGE=browser).content.decode()) == shown


def test_home_errors_and_damaged_links_speak_the_browsers_language(client: Client, news: MailingList) -> None:
    MailingList.objects.update(language="de")
    for where in ("/", "/no-such-page", "/confirm/damaged", "/lists/none/"):
        assert language(client.get(where).content.decode()) == "en", where
        german = client.get(where, **GERMAN)
        assert language(german.content.decode()) == "de" and german["Content-Language"] == "de", where
    assert "Dieser Link ist unvollständig" in client.get("/confirm/damaged", **GERMAN).content.decode()


def test_one_visitors_language_is_not_the_next_ones(client: Client, news: MailingList) -> None:
    client.get("/lists/news/", **GERMAN)
    assert language(client.get("/").content.decode()) == "en"
    assert translation.get_language() == "en"


def test_the_staff_pages_stay_english(client: Client, news: MailingList) -> None:
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    make_subscriber("ada@post.example", news, language="de")
    MailingList.objects.update(language="de")
    for where in ("/admin/", "/admin/mailinglist/mailinglist/", "/admin/mailinglist/subscriber/"):
        answer = client.get(where, **GERMAN)
        assert language(answer.content.decode()).startswith("en"), where
        for german in ("Abmelden", "Speichern", "Hinzufügen", "Suchen", "Startseite"):
            assert german not in answer.content.decode(), where


def test_what_is_the_same_for_everybody_is_kept_without_a_language(client: Client, news: MailingList) -> None:
    MailingList.objects.update(language="de", accent="#1a7f5a")
    for where in (
        "/lists/news/look.css",
        "/lists/looks.css",
        "/embed.js",
        "/healthz",
        "/archive/news/feed.atom",
    ):
        one, other = client.get(where), client.get(where, **{"HTTP_ACCEPT_LANGUAGE": "en"})
        texts = {re.sub(b"<updated>.*?</updated>", b"", answer.content) for answer in (one, other)}
        assert len(texts) == 1 and "Accept-Language" not in one.get("Vary", ""), where
    assert client.get("/archive/news/feed.atom")["Content-Language"] == "de"


def test_a_kept_archive_page_is_kept_by_language(client: Client, news: MailingList) -> None:
    english, german = client.get("/archive/news/"), client.get("/archive/news/", **GERMAN)
    assert english["ETag"] != german["ETag"]
    again = client.get("/archive/news/", HTTP_IF_NONE_MATCH=german["ETag"], **GERMAN)
    assert again.status_code == 304 and "Accept-Language" in again["Vary"]
    assert client.get("/archive/news/", HTTP_IF_NONE_MATCH=german["ETag"]).status_code == 200


def test_the_embedded_form_speaks_the_language_of_the_list_alone(client: Client, news: MailingList) -> None:
    for of_list, spoken, button in (
        ("de", "de", "Abonnieren"),
        ("en", "en", "Subscribe"),
        ("fr", "en", "Subscribe"),
    ):
        MailingList.objects.update(language=of_list)
        answer = client.get("/lists/news/form.json", **GERMAN)
        assert (answer.json()["language"], answer.json()["button"]) == (spoken, button)
        assert answer["Content-Language"] == spoken and "no-store" in answer["Cache-Control"]
    MailingList.objects.update(language="de")
    refused = client.post(
        "/lists/news/subscribe.json", {}, content_type="application/json", HTTP_ORIGIN="https://evil.example"
    )
    assert "Über die Website https://evil.example" in refused.json()["errors"]["__all__"][0]


class TestSignUp:
    def test_what_is_kept_as_evidence_is_what_was_shown(self, client: Client, news: MailingList) -> None:
        page = client.get("/lists/news/subscribe", **GERMAN).content.decode()
        shown = "Ja, ich möchte die Mails von „News“ bekommen. Ich kann sie jederzeit abbestellen."
        assert shown in page and '<input type="hidden" name="language" value="de">' in page
        # The visitor has set their browser to English since the page was shown.
        sign_up(Client(HTTP_ACCEPT_LANGUAGE="en"), "ada@post.example", language="de")
        assert ConsentRecord.objects.get().text == shown

    def test_a_new_person_has_the_language_of_the_page(self, news: MailingList) -> None:
        sign_up(Client(**GERMAN), "ada@post.example")
        sign_up(Client(), "bob@post.example")
        sign_up(Client(), "eve@post.example", language="klingon\x00")
        languages = dict(Subscriber.objects.values_list("email", "language"))
        assert languages == {"ada@post.example": "de", "bob@post.example": "en", "eve@post.example": "en"}

    def test_somebody_who_is_known_keeps_theirs(self, news: MailingList) -> None:
        make_subscriber("ada@post.example", language="")
        make_subscriber("bob@post.example", language="en")
        for email in ("ada@post.example", "bob@post.example"):
            sign_up(Client(**GERMAN), email)
        assert set(Subscriber.objects.values_list("language", flat=True)) == {"", "en"}

    @pytest.mark.parametrize(
        ("email", "said"),
        [
            ("", "Bitte tragen Sie hier Ihre E-Mail-Adresse ein."),
            ("ada", "In der Adresse fehlt das Zeichen @."),
            ("ada@po_st.example", "Nach dem @ darf '_' nicht stehen."),
            ("a" * 65 + "@post.example", "Der Teil vor dem @ ist länger als 64 Zeichen."),
            ("ada@mailinator.com", "Postfächer bei mailinator.com sind zum Wegwerfen gedacht."),
            ("ada@gmial.com", "Ja, ada@gmail.com nehmen"),
        ],
    )
    def test_what_is_wrong_is_said_in_the_language_of_the_page(
        self, news: MailingList, email: str, said: str
    ) -> None:
        answer = sign_up(Client(**GERMAN), email)
        assert said in html.unescape(answer.content.decode())

    def test_the_confirmation_says_what_its_button_said(self, client: Client, news: MailingList) -> None:
        row = pending("ada@post.example", news)
        Subscriber.objects.update(language="de")
        client.post(path(tokens.confirm_url(row)))
        confirmed = ConsentRecord.objects.get(kind=ConsentRecord.Kind.CONFIRMED)
        assert confirmed.text == "Ja, ich möchte abonnieren"


def test_the_preferences_answer_in_the_language_that_was_chosen(client: Client, news: MailingList) -> None:
    ada = make_subscriber("ada@post.example", news)
    page = client.post(preferences_path(ada, news), {"language": "de", "shown": ["news"], "keep": ["news"]})
    text = page.content.decode()
    assert language(text) == "de" and "Gespeichert." in text and "Berlin (Europa)" in text
    assert page["Content-Language"] == "de"


def test_no_english_is_left_on_any_german_page(client: Client, rf: RequestFactory) -> None:
    client.defaults.update(GERMAN)
    pages = list(public_pages.empty_pages(client))
    on_stage = public_pages.stage()
    MailingList.objects.update(language="de")
    for visit in public_pages.visits(on_stage):
        with transaction.atomic():
            pages.append(public_pages.shown(client, visit))
            transaction.set_rollback(True)
    with translation.override("de"):
        pages += public_pages.errors(rf)
    english = fragments()
    assert len(pages) > 40 and len(english) > 150
    for page in pages:
        assert '<html lang="de">' in page.html, page.name
        said = html.unescape(" ".join(page.html.split()))
        assert [text for text in english if text in said] == [], page.name


def test_a_made_up_language_from_the_right_is_spoken(
    client: Client, news: MailingList, settings: Any, tmp_path: Path
) -> None:
    catalogues.pseudo(tmp_path, "ar")
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English"), ("ar", "العربيّة")]
    answer = client.get("/lists/news/subscribe", HTTP_ACCEPT_LANGUAGE="ar-EG")
    assert '<html lang="ar" dir="rtl">' in answer.content.decode() and answer["Content-Language"] == "ar"
    assert [text for text in fragments() if text in html.unescape(answer.content.decode())] == []


def fragments() -> list[str]:
    """What English pages say, without values and tags: pieces with more than LETTERS letters."""
    pieces = (
        piece.strip()
        for sentence in catalogues.sentences()
        for text in sentence
        for piece in re.split(r"%\(\w+\)s|<[^>]*>", text)
    )
    return sorted({piece for piece in pieces if len(re.findall("[A-Za-z]", piece)) > LETTERS})
