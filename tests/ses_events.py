"""Builders of SES event JSON for mails of our own: signed tags, one recipient, the shape of event publishing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from mailinglist import tokens
from mailinglist.models import Attempt, Delivery
from mailinglist.sending import queue
from mailinglist.sending.outcomes import Accepted

T0 = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def message_id(delivery: Delivery, attempt: int = 1) -> str:
    return f"0100-{delivery.pk}-{attempt}"


def accept(delivery: Delivery, *, at: datetime | None = None) -> int:
    """Claim a queued delivery and let SES accept it. Returns the number of the attempt."""
    claimed = [
        row
        for row in queue.claim(1000, campaign_id=delivery.campaign_id, lease_seconds=60)
        if row.delivery_id == delivery.pk
    ]
    attempt = claimed[0].attempt
    queue.finish([(claimed[0], Accepted(message_id(delivery, attempt)))])
    if at:
        Attempt.objects.filter(delivery=delivery, number=attempt).update(started_at=at)
    return attempt


def accept_all(campaign_id: int) -> list[Delivery]:
    """Claim everything of a campaign and let SES accept it."""
    claimed = queue.claim(5000, campaign_id=campaign_id, lease_seconds=60)
    queue.finish([(row, Accepted(f"0100-{row.delivery_id}-{row.attempt}")) for row in claimed])
    return list(Delivery.objects.filter(pk__in=[row.delivery_id for row in claimed]).order_by("pk"))


def event(
    kind: str, delivery: Delivery, body: dict[str, Any], *, attempt: int = 1, key: str = ""
) -> dict[str, Any]:
    """An event of ``kind`` about one attempt of a delivery; ``key`` names its part where it is not the kind."""
    return {
        "eventType": kind,
        "mail": {
            "timestamp": stamp(T0),
            "source": "Acme News <news@acme.example>",
            "messageId": message_id(delivery, attempt),
            "destination": [delivery.subscriber.email],
            "tags": {
                "delivery": [tokens.sign_delivery(delivery.pk, attempt)],
                "attempt": [str(attempt)],
                "ses:configuration-set": ["mailinglist"],
            },
        },
        key or kind.lower(): body,
    }


def sent(delivery: Delivery, *, attempt: int = 1) -> dict[str, Any]:
    return event("Send", delivery, {}, attempt=attempt)


def delivered(
    delivery: Delivery, *, attempt: int = 1, at: datetime = T0 + timedelta(seconds=2)
) -> dict[str, Any]:
    body = {"timestamp": stamp(at), "recipients": [delivery.subscriber.email], "smtpResponse": "250 OK"}
    return event("Delivery", delivery, body, attempt=attempt)


def bounced(
    delivery: Delivery,
    type: str = "Permanent",
    subtype: str = "General",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 user unknown",
    *,
    attempt: int = 1,
    at: datetime = T0 + timedelta(seconds=5),
    action: str = "failed",
) -> dict[str, Any]:
    recipient = {"emailAddress": delivery.subscriber.email}
    if action:
        recipient |= {"action": action, "status": status, "diagnosticCode": diagnostic}
    body = {
        "feedbackId": f"feedback-{type}-{subtype}-{delivery.pk}-{attempt}",
        "bounceType": type,
        "bounceSubType": subtype,
        "bouncedRecipients": [recipient],
        "timestamp": stamp(at),
    }
    return event("Bounce", delivery, body, attempt=attempt)


def full(delivery: Delivery, *, attempt: int = 1, at: datetime = T0 + timedelta(seconds=5)) -> dict[str, Any]:
    diagnostic = "smtp; 552 5.2.2 The mailbox is over quota"
    return bounced(delivery, "Transient", "MailboxFull", "5.2.2", diagnostic, attempt=attempt, at=at)


def blocked(
    delivery: Delivery, *, attempt: int = 1, at: datetime = T0 + timedelta(seconds=5)
) -> dict[str, Any]:
    diagnostic = "smtp; 550 5.7.1 Message rejected due to local policy, see our blocklist"
    return bounced(delivery, "Permanent", "General", "5.7.1", diagnostic, attempt=attempt, at=at)


def out_of_office(delivery: Delivery, *, attempt: int = 1) -> dict[str, Any]:
    return bounced(delivery, "Transient", "General", action="", attempt=attempt)


def complained(
    delivery: Delivery, kind: str = "abuse", *, attempt: int = 1, at: datetime = T0 + timedelta(seconds=60)
) -> dict[str, Any]:
    body = {
        "feedbackId": f"complaint-{kind}-{delivery.pk}-{attempt}",
        "complainedRecipients": [{"emailAddress": delivery.subscriber.email}],
        "complaintFeedbackType": kind,
        "timestamp": stamp(at),
    }
    return event("Complaint", delivery, body, attempt=attempt)


def opened(
    delivery: Delivery, kind: str = "Open", *, at: datetime = T0 + timedelta(seconds=90)
) -> dict[str, Any]:
    """An Open, or with the same facts a Click."""
    body = {"timestamp": stamp(at), "ipAddress": "192.0.2.1", "userAgent": "Mozilla/5.0"}
    return event(kind, delivery, body | ({"link": "https://www.example.org/"} if kind == "Click" else {}))


def raw(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
