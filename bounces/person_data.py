"""What bounces knows about a person, as a part of the data that they can download."""

from collections.abc import Iterator
from typing import Any

from bounces.models import AddressHealth, Event
from mailinglist.models import Subscriber
from mailinglist.person_data import plain, source


@source
def reports(subscriber: Subscriber) -> Iterator[tuple[str, Any]]:
    """What came back about their mails, opens and clicks among it, and the health of the address."""
    rows = Event.objects.filter(subscriber=subscriber).select_related("notification")
    yield "events", [_event(row) for row in rows.order_by("occurred_at", "pk")]
    health = AddressHealth.objects.filter(subscriber=subscriber).first()
    yield (
        "health",
        {
            "state": health.get_state_display(),
            "soft_bounces_since_the_last_delivery": health.consecutive_soft,
            "last_delivered_at": plain(health.last_delivered_at),
            "last_bounce_at": plain(health.last_bounce_at),
        }
        if health
        else None,
    )


def _event(row: Event) -> dict[str, Any]:
    return {
        "at": plain(row.occurred_at),
        "what": row.kind,
        "reported_for": row.recipient,
        "type": f"{row.type} {row.subtype}".strip(),
        "status": row.status,
        "server_said": row.diagnostic,
        "server": row.mta,
        "details": row.extra,
        "judged": row.verdict,
        "because": row.explanation,
        "effect": row.effect_text,
        "the_report_itself_is_kept": row.notification.raw is not None,
    }
