"""axe finds nothing to complain about on any public page, in any state, narrow and wide, light and dark."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.db import transaction
from django.test import Client, RequestFactory
from playwright.sync_api import Page, Route, expect

from tests import public_pages
from tests.public_pages import Shown

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
#: WCAG 2.2 A and AA with axe's best practices. What a script could not see of a sealed frame is no finding.
EVERYTHING = {"resultTypes": ["violations"], "iframes": False}
#: What another width or another scheme of colours can break.
LOOKS = {
    **EVERYTHING,
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "link-in-text-block"]},
}
#: (width, colours, rules)
ROUNDS = [
    (360, "light", EVERYTHING),
    (360, "dark", LOOKS),
    (1280, "dark", LOOKS),
    (1280, "light", LOOKS),
]


@pytest.fixture
def page(window: Callable[..., Page]) -> Page:
    return canvas(window())


def test_axe_finds_nothing_on_any_page(page: Page, rf: RequestFactory) -> None:
    findings, pages = [], list(every_page(rf))
    assert len(pages) > 50
    for shown in pages:
        show(page, shown)
        for width, colours, rules in ROUNDS:
            page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 800})
            findings += [f"{shown.name}, {width} {colours}: {found}" for found in violations(page, rules)]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                findings.append(f"{shown.name}, {width}: {wide} px wide")
    assert findings == []


def test_axe_would_find_something(page: Page) -> None:
    html = "<!doctype html><html lang=en><title>x</title><main><h1>x</h1><p style='color:#999'>pale</p><img src=x>"
    show(page, Shown("broken", "/broken", html))
    assert {found.split(" ")[0] for found in violations(page, EVERYTHING)} == {"color-contrast", "image-alt"}


def test_pages_hold_from_the_right_in_forced_colours_and_on_paper(page: Page) -> None:
    client = Client()
    on_stage = public_pages.stage()
    page.set_viewport_size({"width": 360, "height": 800})
    for visit in public_pages.visits(on_stage):
        if visit.name not in ("home", "sign-up", "archived mail", "preferences"):
            continue
        shown = public_pages.shown(client, visit)
        turned = Shown(visit.name, visit.path, shown.html.replace("<html ", '<html dir="rtl" ', 1))
        show(page, turned)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, visit.name
        page.emulate_media(forced_colors="active")
        button = page.locator(".button").first
        border, paper = button.evaluate(
            "one => [getComputedStyle(one).borderTopColor, getComputedStyle(one.parentElement).backgroundColor]"
        )
        assert border != paper, visit.name
        page.emulate_media(forced_colors="none", media="print")
        expect(page.locator(".footer")).not_to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.emulate_media(media="screen")


def every_page(rf: RequestFactory) -> Iterator[Shown]:
    client = Client()
    yield from public_pages.empty_pages(client)
    on_stage = public_pages.stage()
    for visit in public_pages.visits(on_stage):
        with transaction.atomic():
            yield public_pages.shown(client, visit)
            transaction.set_rollback(True)
    yield from public_pages.errors(rf)


def canvas(page: Page) -> Page:
    """The window on an empty page of the server that has axe, and no policy of its own."""

    def answer(route: Route) -> None:
        route.fulfill(body="", content_type="text/html; charset=utf-8")

    page.route("/canvas", answer)
    page.goto("/canvas")
    page.unroute("/canvas")
    page.evaluate(AXE)
    return page


def show(page: Page, shown: Shown) -> None:
    """Show on a canvas what was answered, at its own address; all that it loads comes from the real server."""
    page.evaluate("path => history.replaceState(null, '', path)", shown.path)
    page.set_content(shown.html)
    page.wait_for_function("[...document.querySelectorAll('link[rel=stylesheet]')].every(one => one.sheet)")


def violations(page: Page, rules: dict[str, Any], part: str = "html") -> list[str]:
    found = page.evaluate(
        f"axe.run({json.dumps(part)}, {json.dumps(rules)}).then(found => found.violations.map("
        "one => one.id + ' ' + one.nodes.map(node => node.target + ' ' + node.failureSummary).join(' | ')))"
    )
    assert isinstance(found, list)
    return found
