"""The first page after the login: what is under way, what needs a look, and how it went. Nothing big is counted here.

Named in settings.UNFOLD["DASHBOARD_CALLBACK"]. Each part is for managers who may see what it is about. URL name of the
numbers that the page asks for again: ``admin:bounces_progress``.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path

from bounces import charts, heartbeat, reputation
from bounces.admin import to_do
from mailinglist import access, campaign_counts, list_counts, progress
from mailinglist.models import Campaign, Subscriber
from mailinglist.staff import require
from mailinglist.whole_numbers import whole_number

LAST_CAMPAIGNS = 5
#: How often the page asks for the progress, in seconds.
ASKED_EVERY = 4
#: The list of growth can be narrowed to one of so many; all others have their own pages.
NAMED_LISTS = 50


def urls() -> list[URLPattern]:
    return [path("bounces/progress/", admin.site.admin_view(show_progress), name="bounces_progress")]


def show_progress(request: HttpRequest) -> HttpResponse:
    """JSON: {"campaigns": [progress.Progress.as_json, …]} of what is under way."""
    require(request, "mailinglist.view_campaign")
    campaigns = progress.under_way(_seen(request))
    results = campaign_counts.results([row.pk for row in campaigns])
    found = progress.of(campaigns, progress.pace_for(request.user), results)
    answer = JsonResponse({"campaigns": [row.as_json() for row in found]})
    answer["Cache-Control"] = "no-store"
    return answer


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the template of the first page needs; parts that the manager may not see are left out."""
    may = request.user.has_perm
    found: dict[str, Any] = {"title": "Overview", "lines": to_do.lines(request), "asked_every": ASKED_EVERY}
    if may("mailinglist.view_campaign"):
        found |= _campaigns(request)
    if may("bounces.view_providerslot"):
        rates = reputation.rates()
        found |= {
            "lines": [*to_do.of_rates(rates), *found["lines"]],
            "pulse": heartbeat.listen(),
            "reputation": [(rate, charts.meter(rate.share, rate.marks)) for rate in rates],
            "reputation_days": reputation.DAYS,
        }
    if may("mailinglist.view_mailinglist"):
        found |= _growth(request)
        found["first_steps"] = not found.get("campaigns") and _first_steps(request, found["lists"])
    found["nothing"] = not any(
        part in found for part in ("campaigns", "pulse", "growth")
    ) and not to_do.may_see(request)
    return context | found


def _seen(request: HttpRequest) -> QuerySet[Campaign]:
    return access.visible(Campaign.objects.all(), request.user, "mailinglist.view_campaign")


def _campaigns(request: HttpRequest) -> dict[str, Any]:
    seen, pace = _seen(request), progress.pace_for(request.user)
    campaigns = progress.under_way(seen)
    last = list(
        seen.exclude(started_at=None)
        .defer("body")
        .prefetch_related("lists")
        .order_by("-started_at")[:LAST_CAMPAIGNS]
    )
    results = campaign_counts.results({row.pk for row in [*campaigns, *last]})
    return {
        "pace": pace,
        "under_way": progress.of(campaigns, pace, results),
        "campaigns": [(row, results.get(row.pk)) for row in last],
        "any_read": any(found.opened or found.clicked for found in results.values()),
    }


def _growth(request: HttpRequest) -> dict[str, Any]:
    own = access.lists_for(request.user, "mailinglist.view_mailinglist")
    named = access.mailing_lists(request.user, "mailinglist.view_mailinglist").order_by("name")
    lists = list(named.values_list("pk", "name")[:NAMED_LISTS])
    chosen = whole_number(request.GET.get("list", ""))
    chosen = chosen if chosen in dict(lists) else 0
    weeks = list_counts.weeks([chosen] if chosen else own)
    joined, left = list_counts.total(weeks)
    chart = charts.numbers(
        [week.moment for week in weeks],
        [
            ("came", "new", [week.joined for week in weeks]),
            ("left", "bounce", [week.left for week in weeks]),
        ],
        label="%d %b %Y",
    )
    return {
        "growth": weeks[::-1],
        "growth_chart": chart,
        "joined": joined,
        "left": left,
        "lists": lists,
        "chosen_list": chosen,
        "growth_weeks": list_counts.WEEKS,
    }


def _first_steps(request: HttpRequest, lists: Sequence[Any]) -> bool:
    may = request.user.has_perms(
        ("mailinglist.add_mailinglist", "mailinglist.add_subscriber", "mailinglist.add_campaign")
    )
    return may and not (lists and Subscriber.objects.exists())
