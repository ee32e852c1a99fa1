"""Two to five campaigns beside each other: numbers, and rates as bars. URL name: ``admin:bounces_compare`` (?c= each).

Reads the same few numbers as the first page, two statements for all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from bounces import charts
from mailinglist import access, campaign_counts
from mailinglist.campaign_counts import Result
from mailinglist.models import Campaign, MailingList
from mailinglist.staff import page, require
from mailinglist.whole_numbers import whole_number

LEAST, MOST = 2, 5
#: Campaigns that are offered, the newest first; older ones are found by their name.
OFFERED = 30


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of a campaign as a share of ``whole``. ``read``: only where opens and clicks are noted."""

    label: str
    hint: str
    count: Callable[[Result], int]
    whole: Callable[[Result], int]
    read: bool = False


RATES = (
    Rate("Sent", "of the recipients", lambda found: found.sent, lambda found: found.total),
    Rate("Delivered", "of those sent", lambda found: found.delivered, lambda found: found.sent),
    Rate(
        "Opened",
        "by people, of those delivered",
        lambda found: found.opened,
        lambda found: found.delivered,
        True,
    ),
    Rate(
        "Followed a link",
        "people, of those delivered",
        lambda found: found.clicked,
        lambda found: found.delivered,
        True,
    ),
    Rate(
        "Bounced", "for good or for now, of those sent", lambda found: found.bounced, lambda found: found.sent
    ),
    Rate("Complaints", "of those sent", lambda found: found.complaints, lambda found: found.sent),
    Rate("Left after it", "by themselves, of those sent", lambda found: found.left, lambda found: found.sent),
)


def urls() -> list[URLPattern]:
    """The address of this page."""
    return [path("bounces/results/", admin.site.admin_view(show), name="bounces_compare")]


def show(request: HttpRequest) -> HttpResponse:
    """The campaigns to choose from, and the comparison of those that are chosen."""
    require(request, "mailinglist.view_campaign")
    asked = dict.fromkeys(pk for pk in map(whole_number, request.GET.getlist("c")) if pk)
    typed = request.GET.get("q", "").strip()[:100]
    started = access.visible(
        Campaign.objects.exclude(started_at=None).defer("body").prefetch_related("lists"),
        request.user,
        "mailinglist.view_campaign",
    )
    chosen = list(started.filter(pk__in=list(asked)[: MOST + 1]).order_by("started_at", "pk"))
    found = started.filter(Q(name__icontains=typed) | Q(subject__icontains=typed)) if typed else started
    context: dict[str, Any] = {
        "q": typed,
        "chosen_ids": {row.pk for row in chosen},
        "offered": list(found.exclude(pk__in=[row.pk for row in chosen]).order_by("-started_at")[:OFFERED]),
        "chosen": chosen,
        "least": LEAST,
        "most": MOST,
        "offered_most": OFFERED,
        "wrong_number": bool(asked) and not LEAST <= len(chosen) <= MOST,
    }
    if LEAST <= len(chosen) <= MOST:
        results = campaign_counts.results([row.pk for row in chosen])
        context |= {
            "results": [(row, results.get(row.pk)) for row in chosen],
            "rates": _rates(chosen, results),
        }
    return page(request, "admin/bounces/results/compare.html", "Compare campaigns", context)


def _rates(chosen: Sequence[Campaign], results: dict[int, Result]) -> list[tuple[Rate, list[dict[str, Any]]]]:
    """Each rate with a cell per campaign. The bars of a rate share a scale, so that small rates can be told apart."""
    table = []
    for rate in RATES:
        shares = {}
        for row in chosen:
            result = results.get(row.pk)
            if result and not (rate.read and _off(row, result)):
                whole = rate.whole(result)
                shares[row.pk] = rate.count(result) / whole if whole else 0.0
        longest = max(shares.values(), default=0.0)
        cells = [
            {
                "campaign": row,
                "result": (result := results.get(row.pk)),
                "off": row.pk not in shares,
                "count": rate.count(result) if result else None,
                "whole": rate.whole(result) if result else None,
                "bar": charts.bar(shares.get(row.pk, 0.0), longest),
            }
            for row in chosen
        ]
        table.append((rate, cells))
    return table


def _off(campaign: Campaign, result: Result) -> bool:
    """Nothing was to be noted, and nothing was."""
    modes = {found.tracking for found in campaign.lists.all()}
    return modes == {MailingList.Tracking.OFF} and not (result.opened or result.clicked)
