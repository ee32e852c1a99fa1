"""The Content-Security-Policy of the admin: no page breaks it, and it lets no script of a page run."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser

from mailinglist import middleware
from mailinglist.models import Campaign, MailingList
from tests.staff import make_story

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
_LISTEN = (
    "window.broken = []; document.addEventListener('securitypolicyviolation', "
    "event => window.broken.push(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sourceFile))"
)


def pages(person: int) -> list[str]:
    """One page of each kind: tables, forms with every widget, our own pages, charts, frames."""
    campaign, mailing_list = Campaign.objects.all()[0].pk, MailingList.objects.all()[0].pk
    return [
        reverse("admin:index"),
        reverse("admin:mailinglist_subscriber_changelist"),
        reverse("admin:bounces_event_changelist"),
        reverse("admin:mailinglist_campaign_add"),
        reverse("admin:mailinglist_campaign_change", args=[campaign]),
        reverse("admin:mailinglist_campaign_preview", args=[campaign]),
        reverse("admin:mailinglist_mailinglist_change", args=[mailing_list]),
        reverse("admin:mailinglist_mailinglist_embed", args=[mailing_list]),
        reverse("admin:mailinglist_import_add"),
        reverse("admin:bounces_recipient", args=[person]),
        reverse("admin:bounces_providers"),
        reverse("admin:auth_user_add"),
        reverse("admin:auth_user_change", args=[User.objects.all()[0].pk]),
        reverse("admin:second_step"),
    ]


def test_no_page_of_the_admin_breaks_its_policy(chromium: Browser, live_server: Any) -> None:
    boss = User.objects.create_superuser("boss", "boss@acme.example", "secret-secret")
    ada = make_story()
    client = Client()
    client.force_login(boss)
    context = chromium.new_context(base_url=live_server.url)
    context.add_init_script(_LISTEN)
    page = context.new_page()
    broken = {}
    page.goto("/admin/login/")
    broken["login"] = page.evaluate("window.broken")
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    for address in pages(ada.pk):
        answer = page.goto(address, wait_until="load")
        assert answer and answer.status == 200, address
        assert answer.headers["content-security-policy"] == middleware.ADMIN_SECURITY_POLICY
        page.wait_for_timeout(150)
        broken[address] = page.evaluate("window.broken")
    # And a script that got into a page after all does nothing.
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=/none onerror=\"window.stolen = 1\">')"
    )
    page.evaluate(
        "s = document.createElement('script'); s.text = 'window.stolen = 1'; document.body.append(s)"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.stolen") is None
    context.close()
    assert {address: found for address, found in broken.items() if found} == {}
