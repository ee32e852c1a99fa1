"""What waits for a manager, as lines with a capped number and a link; one statement counts all. For the first page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bounces.models import Event, Incident, Notification
from bounces.reputation import Rate
from mailinglist import access
from mailinglist.models import Campaign, Delivery, FormStep
from mailinglist.staff import COUNT_CAP, capped_counts

#: A mail that somebody waits for, such as a confirmation, leaves within seconds where all is well.
LATE_MINUTES = 10


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of work: who may see it, its tone, what it is called and means, where it is done."""

    permission: str
    tone: str
    noun: str
    text: str
    page: str
    query: str
    rows: Callable[[], QuerySet[Any]]


_KINDS = (
    _Kind(
        "bounces.view_incident",
        "warning",
        "providers",
        "refuse many people they took mail for before: decide whether to believe them",
        "bounces_incident",
        "?state__exact=open",
        lambda: Incident.objects.filter(state=Incident.State.OPEN),
    ),
    _Kind(
        "mailinglist.view_campaign",
        "warning",
        "campaigns",
        "paused: nothing more is sent until somebody resumes or cancels",
        "mailinglist_campaign",
        "?status__exact=paused",
        lambda: Campaign.objects.filter(status=Campaign.Status.PAUSED),
    ),
    _Kind(
        "mailinglist.view_campaign",
        "warning",
        "finished campaigns",
        "whose retries Amazon SES does not take: they wait, and are tried again every quarter of an hour",
        "mailinglist_campaign",
        "?status__exact=finished",
        lambda: Campaign.objects.filter(held_until__isnull=False),
    ),
    _Kind(
        "mailinglist.change_campaign",
        "warning",
        "campaigns",
        "waiting for a second manager to look and approve",
        "mailinglist_campaign",
        "?status__exact=draft",
        lambda: Campaign.objects.filter(
            approval__approved_at__isnull=True, approval__isnull=False, status="draft"
        ),
    ),
    _Kind(
        "mailinglist.view_delivery",
        "warning",
        "mails",
        "in doubt: SES never answered; send again, or leave it",
        "mailinglist_delivery",
        "?state__exact=unknown",
        lambda: Delivery.objects.filter(state=Delivery.State.UNKNOWN),
    ),
    _Kind(
        "mailinglist.view_delivery",
        "warning",
        "confirmations and other single mails",
        f"have waited for more than {LATE_MINUTES} minutes: look whether the workers run and Amazon SES sends for you",
        "mailinglist_delivery",
        "?campaign=none&state__exact=queued",
        lambda: Delivery.objects.filter(
            campaign__isnull=True,
            state=Delivery.State.QUEUED,
            created_at__lt=timezone.now() - timedelta(minutes=LATE_MINUTES),
        ),
    ),
    _Kind(
        "bounces.view_notification",
        "warning",
        "notifications",
        "not understood: look, and process again",
        "bounces_notification",
        "?state__exact=quarantined",
        lambda: Notification.objects.filter(state=Notification.State.QUARANTINED),
    ),
    _Kind(
        "mailinglist.view_mailinglist",
        "warning",
        "sign-up forms",
        "under a burst of sign-ups: they ask for a captcha or are closed, and go back by themselves",
        "mailinglist_mailinglist",
        "",
        lambda: FormStep.objects.filter(step__gt=FormStep.Step.OPEN),
    ),
    _Kind(
        "bounces.view_event",
        "info",
        "hard bounces",
        "held: believed when the time of the policy is over, or at a second one",
        "bounces_event",
        "?effect=held",
        lambda: Event.objects.filter(effect_at__gt=timezone.now(), applied_at__isnull=True),
    ),
    _Kind(
        "mailinglist.view_delivery",
        "info",
        "mails",
        "waiting for a retry after a soft bounce; this goes on by itself",
        "mailinglist_delivery",
        "?state__exact=waiting",
        lambda: Delivery.objects.filter(state=Delivery.State.WAITING),
    ),
)


def may_see(request: HttpRequest) -> bool:
    """Whether any of it is for this manager."""
    return any(request.user.has_perm(kind.permission) for kind in _KINDS)


def of_rates(rates: Iterable[Rate]) -> list[dict[str, Any]]:
    """A line for each rate that Amazon SES may act upon."""
    return [
        {
            "count": rate.count,
            "capped": False,
            "tone": rate.tone,
            "text": f"are more than Amazon SES accepts ({100 * rate.share:.2f} % of {rate.sent:,} mails): send to people "
            "who confirmed lately, and look which provider they come from",
            "noun": rate.name,
            "link": reverse("admin:bounces_providers"),
        }
        for rate in rates
        if rate.tone == "danger"
    ]


def lines(request: HttpRequest) -> list[dict[str, Any]]:
    """What there is to do for this manager, the urgent first."""
    kinds = [kind for kind in _KINDS if request.user.has_perm(kind.permission)]
    counts = capped_counts([access.visible(kind.rows(), request.user, kind.permission) for kind in kinds])
    return [
        {
            "count": count,
            "capped": count >= COUNT_CAP,
            "tone": kind.tone,
            "text": kind.text,
            "noun": kind.noun,
            "link": reverse(f"admin:{kind.page}_changelist") + kind.query,
        }
        for kind, count in zip(kinds, counts, strict=True)
        if count
    ]
