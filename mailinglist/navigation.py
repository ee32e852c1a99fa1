"""Composition root: what stands where in the navigation of the staff pages. Read by settings.py."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class _Page:
    """An entry: its title and icon, the name of its address, the right that it takes ("": none), and whether it is the
    page that is open (None: the address tells).
    """

    title: str
    icon: str
    name: str
    permission: str = ""
    is_open: Callable[[HttpRequest], bool] | None = None

    def shown(self, request: HttpRequest) -> dict[str, Any]:
        """As unfold wants it."""
        item = {"title": self.title, "icon": self.icon, "link": reverse(self.name)}
        return item if self.is_open is None else {**item, "active": self.is_open(request)}


def _table(title: str, icon: str, app: str, model: str, **more: Any) -> _Page:
    return _Page(title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}", **more)


def _is_compare(request: HttpRequest) -> bool:
    return request.path == reverse("admin:bounces_compare")


def _is_campaigns(request: HttpRequest) -> bool:
    """The pages of campaigns, and the results of one; those beside each other are Compare."""
    campaigns, results = reverse("admin:mailinglist_campaign_changelist"), reverse("admin:bounces_compare")
    return request.path.startswith(campaigns) or (
        request.path.startswith(results) and not _is_compare(request)
    )


_GROUPS = {
    "Campaigns": (
        _Page("Overview", "home", "admin:index"),
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
        _table("Managers", "manage_accounts", "auth", "user"),
        _Page("Your second step", "phonelink_lock", "admin:second_step"),
        _table("Groups of managers", "groups", "auth", "group"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups, each with what this manager may see. Asked here, because unfold makes a class for each answer."""
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
