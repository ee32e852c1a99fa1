"""The Content-Security-Policy of the admin: no page breaks it, and it lets no script of a page run."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page

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


def test_no_page_of_the_admin_breaks_its_policy(desk: Page) -> None:
    ada = make_story()
    broken = {}
    with desk.add_init_script(_LISTEN):
        for address in pages(ada.pk):
            answer = desk.goto(address, wait_until="load")
            assert answer and answer.status == 200, address
            assert answer.headers["content-security-policy"] == middleware.ADMIN_SECURITY_POLICY
            desk.wait_for_timeout(150)
            broken[address] = desk.evaluate("window.broken")
        # And a script that got into a page after all does nothing.
        desk.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=/none onerror=\"window.stolen = 1\">')"
        )
        desk.evaluate(
            "s = document.createElement('script'); s.text = 'window.stolen = 1'; document.body.append(s)"
        )
        desk.wait_for_timeout(200)
        assert desk.evaluate("window.stolen") is None
        assert desk.evaluate("window.broken"), "the listener hears nothing"
        desk.context.clear_cookies()
        desk.goto("/admin/login/")
        broken["login"] = desk.evaluate("window.broken")
    assert {address: found for address, found in broken.items() if found} == {}
