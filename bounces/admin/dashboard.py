"""The first page after the login: what needs a look, and the last campaigns. Every number has an index.

Named in settings.UNFOLD["DASHBOARD_CALLBACK"].
"""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bounces import heartbeat, reputation
from bounces.admin.incidents import open_incidents
from bounces.models import Event, Notification
from mailinglist.models import Campaign, Delivery, FormStep, MailingList, Subscriber
from mailinglist.sending import pacing
from mailinglist.staff import COUNT_CAP

LAST_CAMPAIGNS = 5


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the template of the first page needs, for managers who may see campaigns."""
    may = request.user.has_perm
    if not (
        may("mailinglist.view_campaign") and may("mailinglist.view_delivery") and may("bounces.view_event")
    ):
        return context
    last = Event.objects.order_by("-pk").values_list("created_at", flat=True).first()
    return context | {
        "dashboard": True,
        "title": "Overview",
        "lines": [line for line in _lines() if line["count"]],
        "last_event": last,
        "pace": pacing.explain(),
        "silent_since": heartbeat.listen().silent_since,
        "reputation": reputation.rates(),
        "reputation_days": reputation.DAYS,
        "campaigns": Campaign.objects.prefetch_related("lists").order_by("-pk")[:LAST_CAMPAIGNS],
        "first_steps": not MailingList.objects.exists() or not Subscriber.objects.exists(),
    }


def _lines() -> list[dict[str, Any]]:
    deliveries = reverse("admin:mailinglist_delivery_changelist")
    campaigns = reverse("admin:mailinglist_campaign_changelist")
    notifications = reverse("admin:bounces_notification_changelist")
    events = reverse("admin:bounces_event_changelist")
    incidents = open_incidents()
    held = Event.objects.filter(effect_at__gt=timezone.now(), applied_at__isnull=True)
    return [
        _line(
            incidents["rows"],
            "warning",
            "refuse many people they took mail for before: decide whether to believe them",
            "providers",
            incidents["link"],
        ),
        _line(
            Campaign.objects.filter(status=Campaign.Status.PAUSED),
            "warning",
            "paused: nothing more is sent until somebody resumes or cancels",
            "campaigns",
            f"{campaigns}?status__exact=paused",
        ),
        _line(
            Delivery.objects.filter(state=Delivery.State.UNKNOWN),
            "warning",
            "in doubt: SES never answered; send again, or leave it",
            "mails",
            f"{deliveries}?state__exact=unknown",
        ),
        _line(
            Notification.objects.filter(state=Notification.State.QUARANTINED),
            "warning",
            "not understood: look, and process again",
            "notifications",
            f"{notifications}?state__exact=quarantined",
        ),
        _line(
            FormStep.objects.filter(step__gt=FormStep.Step.OPEN),
            "warning",
            "under a burst of sign-ups: they ask for a captcha or are closed, and go back by themselves",
            "sign-up forms",
            reverse("admin:mailinglist_mailinglist_changelist"),
        ),
        _line(
            held,
            "info",
            "held: believed when the time of the policy is over, or at a second one",
            "hard bounces",
            f"{events}?effect=held",
        ),
        _line(
            Delivery.objects.filter(state=Delivery.State.WAITING),
            "info",
            "waiting for a retry after a soft bounce; this goes on by itself",
            "mails",
            f"{deliveries}?state__exact=waiting",
        ),
    ]


def _line(rows: QuerySet[Any], tone: str, text: str, noun: str, link: str) -> dict[str, Any]:
    count = rows.order_by()[:COUNT_CAP].count()
    return {
        "count": count,
        "capped": count == COUNT_CAP,
        "tone": tone,
        "text": text,
        "noun": noun,
        "link": link,
    }
