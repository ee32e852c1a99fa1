"""Mails in the language of the person, else of the list; the frame of a campaign in that of the list."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation

from mailinglist import person_data, subscriptions
from mailinglist.changes import SYSTEM
from mailinglist.models import Delivery, MailingList, Subscriber
from mailinglist.sending import messages, queue
from mailinglist.sending.messages import Builder
from tests import catalogues
from tests.factories import make_list, make_subscriber
from tests.mailinglist.sending.helpers import claim, reparsed, started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]


def notice(purpose: str, *, own: str = "de", of_list: str = "en", name: str = "News") -> EmailMessage:
    """A mail of this purpose to a person with language ``own``."""
    news = make_list(language=of_list, name=name)
    if purpose == Delivery.Purpose.DATA:
        person_data.ask(make_subscriber("ada@post.example", news), news, by=SYSTEM)
    else:
        consent = subscriptions.Consent(timezone.now())
        subscriptions.subscribe(news, "ada@post.example", consent=consent, source="form", by=SYSTEM)
    Delivery.objects.update(purpose=purpose)
    Subscriber.objects.update(language=own)
    [row] = queue.claim(5, campaign_id=None, lease_seconds=60)
    [(_, mail)] = Builder().build([row])
    return reparsed(mail)  # type: ignore[arg-type]


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Text and HTML."""
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text and page
    return text.get_content(), page.get_content()


@pytest.mark.parametrize(
    ("purpose", "subject", "text", "button"),
    [
        (
            "confirmation",
            "Bitte bestätigen Sie Ihr Abonnement von News",
            ["möchte mit dieser Adresse News abonnieren", "Zum Bestätigen", "Der Link gilt 7 Tage lang."],
            "Abonnement bestätigen",
        ),
        (
            "reminder",
            "Sie haben noch nicht bestätigt: News",
            ["wollte vor einigen Tagen", "die einzige Erinnerung", "Der Link gilt 7 Tage lang."],
            "Abonnement bestätigen",
        ),
        (
            "data",
            "Der Link zu Ihren Daten bei Acme News",
            ["Jemand, hoffentlich Sie, hat den Link", "Der Link gilt 24 Stunden lang."],
            "Meine Daten ansehen",
        ),
    ],
)
def test_all_of_a_notice_is_in_the_persons_language(
    purpose: str, subject: str, text: list[str], button: str
) -> None:
    mail = notice(purpose)
    plain, page = parts(mail)
    assert mail["Subject"] == subject and f"<title>{subject}</title>" in page
    assert '<html lang="de">' in page and f">{button}</a>" in page
    flat = " ".join(plain.split())
    assert all(part in flat for part in text), flat
    assert max(map(len, (line for line in plain.splitlines() if "http" not in line))) <= 78
    assert translation.get_language() == "en"


@pytest.mark.parametrize(
    ("own", "of_list", "german"),
    [("", "de", True), ("", "en", False), ("en", "de", False), ("fr", "de-AT", True), ("fr", "it", False)],
)
def test_without_a_language_of_ours_it_is_that_of_the_list(own: str, of_list: str, german: bool) -> None:
    mail = notice("confirmation", own=own, of_list=of_list)
    assert mail["Subject"].startswith("Bitte" if german else "Please confirm")


def test_one_day_is_no_plural(settings: Any) -> None:
    settings.CONFIRM_TOKEN_DAYS = 1.0
    assert "Der Link gilt einen Tag lang." in parts(notice("confirmation"))[0]


def test_the_name_of_a_list_is_no_markup_and_no_entity() -> None:
    mail = notice("confirmation", name="A & <b>B</b>")
    plain, page = parts(mail)
    assert mail["Subject"].endswith("von A & <b>B</b>") and "A & <b>B</b>" in plain
    assert "<b>" not in page and page.count("A &amp; &lt;b&gt;B&lt;/b&gt;") == 2


def campaign_mail(mailing_list: MailingList) -> tuple[str, str]:
    campaign = started(1, mailing_list=mailing_list)
    [(_, mail)] = messages.Builder().build([claim(campaign)[0]])
    return parts(reparsed(mail))  # type: ignore[arg-type]


def test_the_frame_of_a_campaign_speaks_the_language_of_the_list() -> None:
    plain, page = campaign_mail(make_list(language="de", name="A & B"))
    assert "Sie bekommen diese Mail, weil Sie A & B abonniert haben." in plain
    assert "\nAbbestellen: http" in plain and "\nIhre Abonnements: http" in plain
    assert "weil Sie A &amp; B abonniert haben." in page and ">Abbestellen</a>" in page
    assert '<html lang="de" dir="ltr">' in page
    assert "frame_" not in page + plain


def test_one_campaign_to_two_lists_has_two_frames() -> None:
    news, nachrichten = make_list("news"), make_list("nachrichten", language="de")
    make_subscriber("bob@post.example", nachrichten)
    campaign = started(1, mailing_list=news)
    version = campaign.version
    assert version is not None
    parsed = messages.parse(subject=version.subject, html=version.html, text=version.text)
    for mailing_list, word in ((news, "Unsubscribe: "), (nachrichten, "Abbestellen: ")):
        assert word in parsed.fill(messages.values_for(Subscriber(token="t"), mailing_list)).text


def test_a_list_without_a_catalogue_keeps_its_language_and_gets_english_words() -> None:
    _, page = campaign_mail(make_list(language="ar"))
    assert '<html lang="ar" dir="rtl">' in page and 'align="right"' in page
    footer = page.partition('class="ml-footer"')[2].partition(">")[0]
    assert 'lang="en"' in footer and 'dir="ltr"' in footer and ">Unsubscribe</a>" in page


def test_mails_from_the_right(settings: Any, tmp_path: Path) -> None:
    catalogues.pseudo(tmp_path, "ar")
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English"), ("ar", "العربيّة")]
    _, page = parts(notice("confirmation", own="ar"))
    assert '<html lang="ar" dir="rtl">' in page and "text-align: right" in page
