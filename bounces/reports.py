"""Read-only sums over events, for ``bounce_report`` and the admin."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.expressions import RawSQL
from django.utils import timezone

from bounces.models import Event, Notification
from mailinglist.models import Subscription, Suppression

#: What counts as not delivered, or as said against us.
BOUNCED = ("hard", "soft", "block", "message", "complaint", "suppressed", "unknown")
_BY_BOUNCES = ["hard-bounce", "soft-exhausted", "unreachable", "complaint"]


def bounce_report(*, list_id: int | None = None, since: datetime | None = None) -> dict[str, Any]:
    """Counts of bounce events since ``since`` (default: 30 days): by verdict, reason and the 20 worst domains."""
    since = since or timezone.now() - timedelta(days=30)
    events = Event.objects.filter(occurred_at__gte=since, verdict__in=BOUNCED)
    ended = Subscription.objects.filter(unsubscribe_reason__in=_BY_BOUNCES, unsubscribed_at__gte=since)
    if list_id is not None:
        events = events.filter(delivery__list_id=list_id)
        ended = ended.filter(list_id=list_id)
    domain = RawSQL("lower(split_part(recipient, '@', 2))", [])
    return {
        "since": since.isoformat(),
        "events": events.count(),
        "by_verdict": _counts(
            events.values_list("verdict").annotate(n=Count("pk")).order_by("-n", "verdict")
        ),
        "by_reason": _counts(events.values_list("reason").annotate(n=Count("pk")).order_by("-n", "reason")),
        "by_domain": _counts(
            events.annotate(domain=domain)
            .values_list("domain")
            .annotate(n=Count("pk"))
            .order_by("-n", "domain")[:20]
        ),
        "unsubscribed": ended.count(),
        "suppressed": Suppression.objects.filter(released_at__isnull=True, since__gte=since).count(),
        "held": Event.objects.filter(effect_at__gt=timezone.now(), applied_at__isnull=True).count(),
        "quarantined": Notification.objects.filter(state=Notification.State.QUARANTINED).count(),
    }


def _counts(rows: Any) -> dict[str, int]:
    return {name or "not said": count for name, count in rows}
