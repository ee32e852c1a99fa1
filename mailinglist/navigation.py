"""Composition root: what stands where in the navigation of the staff pages. Read by settings.py."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _page(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Mailinglist",
    "SITE_HEADER": "Mailinglist",
    "SITE_SYMBOL": "mail",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("mailinglist/admin.css")],
    "DASHBOARD_CALLBACK": "bounces.admin.dashboard.context",
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Campaigns",
                "items": [
                    _page("Campaigns", "campaign", "mailinglist", "campaign"),
                    _page("Recipients", "outbox", "mailinglist", "delivery"),
                    _page("Templates", "dashboard_customize", "mailinglist", "template"),
                    _page("Pictures", "image", "mailinglist", "mailimage"),
                ],
            },
            {
                "title": "Subscribers",
                "separator": True,
                "items": [
                    _page("Subscribers", "group", "mailinglist", "subscriber"),
                    _page("Lists", "list_alt", "mailinglist", "mailinglist"),
                    _page("Suppressions", "block", "mailinglist", "suppression"),
                    _page("Changes", "history", "mailinglist", "change"),
                ],
            },
            {
                "title": "Bounces",
                "separator": True,
                "items": [
                    _page("Events", "undo", "bounces", "event"),
                    _page("Incidents", "crisis_alert", "bounces", "incident"),
                    {
                        "title": "Providers",
                        "icon": "monitoring",
                        "link": reverse_lazy("admin:bounces_providers"),
                        "permission": lambda request: request.user.has_perm("bounces.view_event"),
                    },
                    _page("Ended subscriptions", "person_remove", "mailinglist", "subscription"),
                    _page("Notifications", "inbox", "bounces", "notification"),
                    {
                        "title": "Take back bounces",
                        "icon": "restore",
                        "link": reverse_lazy("admin:bounces_restore"),
                        "permission": lambda request: request.user.has_perm("mailinglist.change_suppression"),
                    },
                ],
            },
            {
                "title": "Settings",
                "separator": True,
                "items": [
                    _page("Bounce policies", "rule", "bounces", "policy"),
                    _page("Managers", "manage_accounts", "auth", "user"),
                ],
            },
        ],
    },
}
