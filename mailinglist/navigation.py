"""Composition root: what stands where in the navigation of the staff pages. Read by settings.py."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse


@dataclass(frozen=True, slots=True)
class _Page:
    """An entry: its title and icon, the name of its address, the right that it takes ("": none), and whether a page of it
    is open (None: all below its address are its own).
    """

    title: str
    icon: str
    name: str
    permission: str = ""
    is_open: Callable[[HttpRequest], bool] | None = None

    def shown(self, request: HttpRequest) -> dict[str, Any]:
        """For templates/unfold/helpers/app_list.html."""
        link = _link(self.name)
        is_open = self.is_open(request) if self.is_open else request.path.startswith(link)
        return {"title": self.title, "icon": self.icon, "link": link, "active": is_open}


def _link(name: str) -> str:
    """``reverse`` for the few names of this file: every page asks for all of them."""
    return _link_below(name, get_script_prefix())


@cache
def _link_below(name: str, prefix: str) -> str:
    return reverse(name)


def _table(title: str, icon: str, app: str, model: str, **more: Any) -> _Page:
    return _Page(title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}", **more)


def _is_compare(request: HttpRequest) -> bool:
    return request.path == _link("admin:bounces_compare")


def _is_overview(request: HttpRequest) -> bool:
    """Everything is below it."""
    return request.path == _link("admin:index")


def _is_campaigns(request: HttpRequest) -> bool:
    """The pages of campaigns, and the results of one; those beside each other are Compare."""
    campaigns, results = _link("admin:mailinglist_campaign_changelist"), _link("admin:bounces_compare")
    return request.path.startswith(campaigns) or (
        request.path.startswith(results) and not _is_compare(request)
    )


def _is_managers(request: HttpRequest) -> bool:
    """All pages about managers but that of one's own second step."""
    own = request.path.startswith(_link("admin:second_step"))
    return request.path.startswith(_link("admin:auth_user_changelist")) and not own


_GROUPS = {
    "Campaigns": (
        _Page("Overview", "home", "admin:index", is_open=_is_overview),
        _table("Campaigns", "campaign", "mailinglist", "campaign", is_open=_is_campaigns),
        _table("Recipients", "outbox", "mailinglist", "delivery"),
        _table("Templates", "dashboard_customize", "mailinglist", "template"),
        _table("Pictures", "image", "mailinglist", "mailimage"),
        _Page(
            "Compare",
            "compare_arrows",
            "admin:bounces_compare",
            "mailinglist.view_campaign",
            is_open=_is_compare,
        ),
    ),
    "Subscribers": (
        _table("Subscribers", "group", "mailinglist", "subscriber"),
        _table("Segments", "filter_alt", "mailinglist", "segment"),
        _table("Tags", "sell", "mailinglist", "tag"),
        _table("Lists", "list_alt", "mailinglist", "mailinglist"),
        _table("Imports", "upload_file", "mailinglist", "import"),
        _table("Who left, and why", "person_remove", "mailinglist", "subscription"),
        _table("History", "history", "mailinglist", "change"),
    ),
    "Bounces": (
        _table("What came back", "undo", "bounces", "event"),
        _table("Received notifications", "inbox", "bounces", "notification"),
        _Page("Take back bounces", "restore", "admin:bounces_restore", "mailinglist.change_suppression"),
    ),
    "Deliverability": (
        _Page("Providers", "monitoring", "admin:bounces_providers", "bounces.view_providerslot"),
        _table("Incidents", "crisis_alert", "bounces", "incident"),
        _table("Suppressed addresses", "block", "mailinglist", "suppression"),
    ),
    "Settings": (
        _table("Values of subscribers", "data_object", "mailinglist", "attribute"),
        _table("Bounce policies", "rule", "bounces", "policy"),
        _Page("Try another policy", "science", "admin:bounces_policy_simulate", "bounces.view_policy"),
        _table("Managers", "manage_accounts", "auth", "user", is_open=_is_managers),
        _Page("Your second step", "phonelink_lock", "admin:second_step"),
        _table("Groups of managers", "groups", "auth", "group"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups, each with what this manager may see."""
    may = request.user.has_perm
    return [
        {
            "title": title,
            "separator": number > 0,
            "items": [page.shown(request) for page in pages if not page.permission or may(page.permission)],
        }
        for number, (title, pages) in enumerate(_GROUPS.items())
    ]


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
    "SIDEBAR": {"navigation": navigation},
}
