"""How each provider treats our mail: rates over time as a chart and a table, and its incidents.

URL names: ``admin:bounces_providers`` (all) and ``admin:bounces_provider`` (one, ?days=).
"""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from bounces import charts, provider_rates, providers, reputation
from bounces.models import Incident
from mailinglist.staff import page, require

#: What may be chosen, in days.
SPANS = (2, 7, 30, 90)
DEFAULT_DAYS = 30
VIEW = "bounces.view_providerslot"


def urls() -> list[URLPattern]:
    """The addresses under /admin/ that belong to these pages."""
    view = admin.site.admin_view
    return [
        path("bounces/providers/", view(show_all), name="bounces_providers"),
        path("bounces/providers/<str:provider>/", view(show_one), name="bounces_provider"),
    ]


def show_all(request: HttpRequest) -> HttpResponse:
    """The largest providers, with their rates; ?q= finds others by name."""
    require(request, VIEW)
    days, name = _days(request), request.GET.get("q", "").strip()[:100]
    context = {
        "rows": provider_rates.largest(days, name=name),
        "days": days,
        "spans": SPANS,
        "q": name,
        "shown": provider_rates.SHOWN,
        "reputation": reputation.rates(),
        "reputation_days": reputation.DAYS,
    }
    return page(request, "admin/bounces/providers.html", "Providers", context)


def show_one(request: HttpRequest, provider: str) -> HttpResponse:
    """One provider over time."""
    require(request, VIEW)
    if not provider_rates.is_known(provider):
        raise Http404(f"Nothing was ever reported about {provider}.")
    days = _days(request)
    points = provider_rates.over_time(provider, days)
    hourly = days <= provider_rates.HOURLY_DAYS
    chart = charts.shares(
        [point.at for point in points],
        [
            ("bounced (hard or soft)", "bounce", [point.counts.bounce_rate for point in points]),
            ("blocked", "block", [point.counts.block_rate for point in points]),
            ("delayed", "delay", [point.counts.delay_rate for point in points]),
        ],
        label="%d %b %H:%M" if hourly else "%d %b %Y",
    )
    context = {
        "provider": provider,
        "domains": providers.domains(provider),
        "chart": chart,
        "points": points[::-1],
        "total": provider_rates.total(points),
        "days": days,
        "spans": SPANS,
        "time_format": "d M H:i" if hourly else "d M Y",
        "incidents": Incident.objects.filter(provider=provider).order_by("-pk")[:10],
    }
    return page(request, "admin/bounces/provider.html", f"Mail to {provider}", context)


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, SPANS) else DEFAULT_DAYS
