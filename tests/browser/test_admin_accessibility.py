"""axe finds nothing to complain about on any page of the staff, with something on each of them."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

from tests import test_get_changes_nothing as every_route
from tests.browser.test_accessibility import EVERYTHING, canvas, show
from tests.public_pages import Shown

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]
#: What is nothing but a picture in a font.
UNHEARD = [".material-symbols-outlined"]
#: The same entries on each page.
NAVIGATION = ["#nav-sidebar"]
#: The main part of a page in the frame that is there: drawing all of it takes twice as long as looking at it.
PUT_IN_THE_FRAME = """html => {
    const other = new DOMParser().parseFromString(html, "text/html");
    document.getElementById("main").replaceWith(other.getElementById("main"));
    document.title = other.title;
}"""
#: Django's own table of what happened to a row, the same for all; and mails, which are seen in a frame.
ELSEWHERE = ("_history", "_preview_html")
#: Forms that are the same for a new row as for one that is there, which is looked at.
SAME = (
    "attribute_add",
    "tag_add",
    "segment_add",
    "template_add",
    "policy_add",
    "mailinglist_add",
    "group_add",
    "suppression_add",
)


def test_axe_finds_nothing_on_any_staff_page(window: Callable[..., Page], client: Client, boss: User) -> None:
    client.force_login(boss)
    page = canvas(window(admin=True))
    findings, pages = defaultdict(list), 0
    for shown in every_page(client):
        pages += 1
        if pages == 1 or needs_its_scripts(shown):
            show(page, shown)
            found = violations(page, "html", UNHEARD if pages == 1 else UNHEARD + NAVIGATION)
        else:
            page.evaluate(PUT_IN_THE_FRAME, shown.html)
            found = violations(page, "#main", UNHEARD)
        for one in found:
            findings[one].append(shown.name)
    assert pages > 80
    assert findings == {}


def needs_its_scripts(shown: Shown) -> bool:
    """Whether it is drawn anew, with its scripts and the frame around it: fields are, whose widgets scripts make."""
    return shown.name.endswith(("_change", "_add")) or 'id="nav-sidebar"' not in shown.html


def every_page(client: Client) -> Iterator[Shown]:
    """Each staff page once, with the first of the rows that it can be about."""
    done: set[str] = set()
    for name, path in every_route.addresses(every_route.cast()):
        if not name.startswith("admin:") or name.endswith((*ELSEWHERE, *SAME)) or name in done:
            continue
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            done.add(name)
            html = answer.content.decode()
            if "<html" in html:  # and not a piece of a page
                yield Shown(name, path, html)


def violations(page: Page, part: str, without: list[str]) -> list[str]:
    where = {"include": [[part]], "exclude": [[one] for one in without]}
    found: list[str] = page.evaluate(
        f"axe.run({json.dumps(where)}, {json.dumps(EVERYTHING)}).then(found => found.violations.flatMap("
        "one => one.nodes.map(node => `${one.id} ${node.target} ${node.html.slice(0, 200)}`)))"
    )
    return found
