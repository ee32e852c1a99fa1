"""A visitor whose browser asks for German, in a real browser; and pages that read from the right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from playwright.sync_api import Page, expect

from mailinglist import tokens
from mailinglist.models import ConsentRecord, MailingList, Subscription
from tests import catalogues, public_pages
from tests.browser.test_accessibility import EVERYTHING, canvas, show, violations
from tests.factories import make_list

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]
WIDTHS = (360, 1280)
#: By axe, which takes its time.
LOOKED_AT = {"sign-up with an error", "preferences"}


def test_from_sign_up_to_leaving_in_german(window: Callable[..., Page]) -> None:
    page = window(360, 740, language="de-AT")
    news = make_list("news", name="The weekly letter")
    page.goto("/")
    page.get_by_role("link", name="Abonnieren").click()
    page.get_by_label("E-Mail-Adresse").fill("ada.post.example")
    page.get_by_role("button", name="Abonnieren").click()
    expect(page.get_by_text("In der Adresse fehlt das Zeichen @.")).to_be_visible()
    page.get_by_label("E-Mail-Adresse").fill("ada@gmial.com")
    page.get_by_role("button", name="Abonnieren").click()
    page.get_by_role("button", name="Ja, ada@gmail.com nehmen").click()
    expect(page.get_by_role("heading", name="Sehen Sie in Ihr Postfach")).to_be_visible()
    row = Subscription.objects.get()
    assert row.subscriber.language == "de"
    assert ConsentRecord.objects.get().text.startswith("Ja, ich möchte die Mails von „The weekly letter“")

    page.goto(tokens.confirm_url(row))
    page.get_by_role("button", name="Ja, ich möchte abonnieren").click()
    expect(page.get_by_role("heading", name="Sie haben abonniert")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "de"

    page.goto(tokens.preferences_url(row.subscriber, news))
    page.get_by_label("Sprache").select_option(label="English")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    page.goto(tokens.unsubscribe_url(row.subscriber, news))
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()


def test_long_german_words_fit(window: Callable[..., Page]) -> None:
    hold(canvas(window()), "de")


def test_pages_from_the_right_hold(window: Callable[..., Page], settings: Any, tmp_path: Path) -> None:
    catalogues.pseudo(tmp_path, "ar")
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English"), ("ar", "العربيّة")]
    hold(canvas(window()), "ar", direction="rtl")


def hold(page: Page, language: str, *, direction: str = "ltr") -> None:
    """Every page in every state is as wide as the window, and nothing in it is wider than its place."""
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    on_stage = public_pages.stage()
    MailingList.objects.update(language=language)
    findings = []
    for visit in public_pages.visits(on_stage):
        with transaction.atomic():
            shown = public_pages.shown(client, visit)
            transaction.set_rollback(True)
        show(page, shown)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            reads, wide, outside = page.evaluate(LOOK)
            assert reads == direction, visit.name
            findings += [f"{visit.name}, {width}: {wide} px wide"] if wide > width else []
            findings += [f"{visit.name}, {width}: {what} hangs over" for what in outside]
        if direction == "rtl" and visit.name in LOOKED_AT:
            findings += [f"{visit.name}: {found}" for found in violations(page, EVERYTHING)]
    assert findings == []


#: The direction, the width, and buttons and labels whose text is wider than they are.
LOOK = """[
    getComputedStyle(document.body).direction,
    document.documentElement.scrollWidth,
    [...document.querySelectorAll("main .button, main label, main h1, main p")]
        .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
            && !one.closest(".trap"))
        .map(one => one.textContent.trim()),
]"""
