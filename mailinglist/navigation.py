"""Composition root: what stands where in the navigation of the staff pages. Read by settings.py."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _page(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _address(title: str, icon: str, name: str, permission: str = "") -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(name),
        "permission": lambda request: not permission or request.user.has_perm(permission),
    }


def _is_campaigns(request: HttpRequest) -> bool:
    """The pages of campaigns, and the results of one; those beside each other are Compare."""
    results = reverse("admin:bounces_compare")
    campaigns = reverse("admin:mailinglist_campaign_changelist")
    return request.path.startswith(campaigns) or (
        request.path.startswith(results) and request.path != results
    )


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Mailinglist",
    "SITE_HEADER": "Mailinglist",
    "SITE_SYMBOL": "mail",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("mailinglist/favicon.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("mailinglist/admin.css")],
    "SCRIPTS": [lambda request: static("mailinglist/names.js")],
    "DASHBOARD_CALLBACK": "bounces.admin.dashboard.context",
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Campaigns",
                "items": [
                    _address("Overview", "home", "admin:index"),
                    _page("Campaigns", "campaign", "mailinglist", "campaign") | {"active": _is_campaigns},
                    _page("Recipients", "outbox", "mailinglist", "delivery"),
                    _page("Templates", "dashboard_customize", "mailinglist", "template"),
                    _page("Pictures", "image", "mailinglist", "mailimage"),
                    _address(
                        "Compare", "compare_arrows", "admin:bounces_compare", "mailinglist.view_campaign"
                    )
                    | {"active": lambda request: request.path == reverse("admin:bounces_compare")},
                ],
            },
            {
                "title": "Subscribers",
                "separator": True,
                "items": [
                    _page("Subscribers", "group", "mailinglist", "subscriber"),
                    _page("Segments", "filter_alt", "mailinglist", "segment"),
                    _page("Tags", "sell", "mailinglist", "tag"),
                    _page("Lists", "list_alt", "mailinglist", "mailinglist"),
                    _page("Imports", "upload_file", "mailinglist", "import"),
                    _page("Who left, and why", "person_remove", "mailinglist", "subscription"),
                    _page("History", "history", "mailinglist", "change"),
                ],
            },
            {
                "title": "Bounces",
                "separator": True,
                "items": [
                    _page("What came back", "undo", "bounces", "event"),
                    _page("Received notifications", "inbox", "bounces", "notification"),
                    _address(
                        "Take back bounces",
                        "restore",
                        "admin:bounces_restore",
                        "mailinglist.change_suppression",
                    ),
                ],
            },
            {
                "title": "Deliverability",
                "separator": True,
                "items": [
                    _address(
                        "Providers", "monitoring", "admin:bounces_providers", "bounces.view_providerslot"
                    ),
                    _page("Incidents", "crisis_alert", "bounces", "incident"),
                    _page("Suppressed addresses", "block", "mailinglist", "suppression"),
                ],
            },
            {
                "title": "Settings",
                "separator": True,
                "items": [
                    _page("Values of subscribers", "data_object", "mailinglist", "attribute"),
                    _page("Bounce policies", "rule", "bounces", "policy"),
                    _address(
                        "Try another policy",
                        "science",
                        "admin:bounces_policy_simulate",
                        "bounces.view_policy",
                    ),
                    _page("Managers", "manage_accounts", "auth", "user"),
                    _address("Your second step", "phonelink_lock", "admin:second_step"),
                    _page("Groups of managers", "groups", "auth", "group"),
                ],
            },
        ],
    },
}
