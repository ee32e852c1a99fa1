"""axe finds nothing to complain about on any page of the staff, with something on each of them."""

import json
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser

from tests import test_get_changes_nothing as every_route

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet")]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"resultTypes": ["violations"], "iframes": False}
PAGE = {"exclude": [[".material-symbols-outlined"]]}


def test_axe_finds_nothing_on_any_staff_page(chromium: Browser, live_server: Any, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    context = chromium.new_context(base_url=live_server.url, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    findings, seen = {}, set()
    for name, path in every_route.addresses(every_route.cast()):
        if not name.startswith("admin:") or name in seen or name.endswith(("_history", "preview_html")):
            continue
        answer = client.get(path)
        html = answer.content.decode(errors="replace") if not answer.streaming else ""
        if answer.status_code != 200 or "<html" not in html:
            continue
        seen.add(name)
        address = f"{live_server.url}{path}"

        page.route(address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        page.goto(address, wait_until="load")
        page.unroute(address)
        page.evaluate(AXE)
        found = page.evaluate(
            f"axe.run({json.dumps(PAGE)}, {json.dumps(RULES)}).then(found => found.violations.flatMap("
            "one => one.nodes.map(node => one.id + ' ' + node.target + ' :: ' + node.html.slice(0, 160))))"
        )
        for one in found:
            findings.setdefault(one, []).append(name)
    context.close()
    for one, where in sorted(findings.items(), key=lambda x: -len(x[1])):
        print(len(where), one, where[:3])
    print(len(seen))
    assert findings == {}
