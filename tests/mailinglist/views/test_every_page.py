"""What holds for every public page in every state: valid HTML, little to load, nothing of a person's."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import html5lib
import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client, RequestFactory

from mailinglist import doorbell
from mailinglist.models import Subscriber
from tests import lasting, public_pages
from tests.public_pages import Shown

STATIC = Path(settings.BASE_DIR) / "mailinglist/static/mailinglist"
#: Bytes of a page with its style sheets and icon, without pictures and compression.
MOST_WEIGHT = 60_000
_ADDRESS = re.compile(r'\b(?:href|src|action|formaction|content|data-[a-z-]+)="([^"]*[/:][^"]*)"')


@pytest.fixture(scope="module")
def all_pages(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Shown]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doorbell, "_send", lambda task, args: None)
        with lasting.rows(django_db_blocker, _pages) as found:
            yield found


@pytest.fixture
def pages(all_pages: list[Shown], db: None) -> list[Shown]:
    return all_pages


def _pages() -> list[Shown]:
    client, rf = Client(), RequestFactory()
    found = list(public_pages.empty_pages(client))
    on_stage = public_pages.stage()
    for visit in public_pages.visits(on_stage):
        with transaction.atomic():
            found.append(public_pages.shown(client, visit))
            transaction.set_rollback(True)
    return [*found, *public_pages.errors(rf)]


def test_every_page_is_valid_html_and_light(pages: list[Shown]) -> None:
    assert len(pages) > 50
    wrong, heavy = {}, {}
    always = sum((STATIC / name).stat().st_size for name in ("app.css", "favicon.svg"))
    for page in pages:
        parser = html5lib.HTMLParser()
        parser.parse(page.html)
        if parser.errors:
            wrong[page.name] = parser.errors
        ids = [part.split('"')[0] for part in page.html.split(' id="')[1:]]
        assert len(ids) == len(set(ids)), (page.name, ids)
        if page.special:
            continue
        weight = always + len(page.html.encode())
        if weight > MOST_WEIGHT:
            heavy[page.name] = weight
    assert wrong == {}
    assert heavy == {}


def test_no_address_of_a_page_names_anybody(pages: list[Shown]) -> None:
    assert Subscriber.objects.filter(email__endswith="@post.example").count() > 8
    found = 0
    for page in pages:
        for address in [page.path, *_ADDRESS.findall(page.html)]:
            found += 1
            plain = unquote(html.unescape(address))
            assert "post.example" not in plain, (page.name, address)
            assert "@" not in plain or plain.startswith("mailto:news@acme.example"), (page.name, address)
    assert found > 200


def test_every_page_has_a_way_on_one_heading_and_no_code(pages: list[Shown]) -> None:
    for page in pages:
        if page.special:
            continue
        assert page.html.count("<h1") == 1, page.name
        assert '<html lang="en' in page.html, page.name
        main = page.html[page.html.index("<main") :]
        assert "<a " in main or "<button" in main, (page.name, "no way on")
        for forbidden in ("<script", "<style", " style=", " onclick="):
            assert forbidden not in page.html, (page.name, forbidden)
