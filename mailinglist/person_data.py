"""Everything that is stored about one person, in words a person can read, and the mail with the link to it.

Called by the page behind that link and by the staff page. Read-only but for ``ask``. Apps above this one add what
they know with ``@source``.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import (
    Attempt,
    Change,
    ConsentRecord,
    Delivery,
    MailingList,
    Subscriber,
    Subscription,
    Suppression,
)
from mailinglist.sending import queue

#: One mail with the link in this time, however often it is asked for: anybody with an old mail can ask.
PAUSE = timedelta(days=1)

Source = Callable[[Subscriber], Iterable[tuple[str, Any]]]
_sources: list[Source] = []


def source(function: Source) -> Source:
    """Decorator: the (name, value) pairs that ``function`` gives for a person are part of their data."""
    if function not in _sources:
        _sources.append(function)
    return function


@transaction.atomic
def ask(subscriber: Subscriber, mailing_list: MailingList, *, by: Actor) -> bool:
    """Mail the person a fresh link to their data. False when one was mailed within PAUSE."""
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    purpose = Delivery.Purpose.DATA
    asked = Delivery.objects.filter(
        subscriber=subscriber, purpose=purpose, created_at__gt=timezone.now() - PAUSE
    )
    if asked.exists():
        return False
    queue.enqueue(subscriber_id=subscriber.pk, list_id=mailing_list.pk, purpose=purpose)
    record(
        Noun.SUBSCRIBER,
        subscriber.pk,
        before="",
        after="data asked for",
        why="Asked for the link to their data.",
        by=by,
        subscriber_id=subscriber.pk,
    )
    return True


def collect(subscriber: Subscriber) -> dict[str, Any]:
    """All of it as what JSON can hold; times in UTC as ISO 8601."""
    found = {
        "person": _person(subscriber),
        "subscriptions": [_subscription(row) for row in subscriber.subscriptions.select_related("list")],
        "consents": [
            _consent(row) for row in subscriber.consents.select_related("list").order_by("at", "pk")
        ],
        "mails": _mails(subscriber),
        "changes": [_change(row) for row in subscriber.changes.select_related("list").order_by("at", "pk")],
    }
    for gather in _sources:
        found.update(gather(subscriber))
    return found


def as_json(subscriber: Subscriber) -> str:
    """``collect`` as the file that people download."""
    return json.dumps(collect(subscriber), indent=2, ensure_ascii=False) + "\n"


def plain(at: datetime | None) -> str | None:
    """A time as the data have it."""
    return at.isoformat(timespec="seconds") if at else None


def _person(row: Subscriber) -> dict[str, Any]:
    block = Suppression.objects.filter(key=row.suppression_key, released_at__isnull=True).first()
    return {
        "address": row.email,
        "name": row.name,
        "language": row.language,
        "time_zone": row.time_zone,
        "values": row.attributes,
        "tags": [found.tag.name for found in row.tag_rows.select_related("tag").order_by("tag__name")],
        "known_since": plain(row.created_at),
        "changed_at": plain(row.updated_at),
        "gets_no_mail": (
            {"because": block.get_reason_display(), "since": plain(block.since), "evidence": block.evidence}
            if block
            else None
        ),
    }


def _subscription(row: Subscription) -> dict[str, Any]:
    return {
        "list": row.list.name,
        "status": row.get_status_display(),
        "came_by": row.source,
        "agreed_at": plain(row.consent_at),
        "agreed_from_ip": row.consent_ip,
        "agreed_with_browser": row.consent_user_agent,
        "agreed_to": row.consent_text,
        "confirmed_at": plain(row.confirmed_at),
        "confirmed_from_ip": row.confirmed_ip,
        "opens_and_clicks_may_be_noted": row.list.tracking == MailingList.Tracking.ON
        or (row.list.tracking == MailingList.Tracking.CONSENT and row.tracking_consent),
        "left_at": plain(row.unsubscribed_at),
        "left_because": row.get_unsubscribe_reason_display() if row.unsubscribe_reason else "",
    }


def _consent(row: ConsentRecord) -> dict[str, Any]:
    return {
        "at": plain(row.at),
        "what": row.get_kind_display(),
        "list": row.list.name,
        "text": row.text,
        "form": row.form,
        "came_by": row.source,
        "ip": row.ip,
        "browser": row.user_agent,
        "opens_and_clicks": row.tracking,
    }


def _mails(subscriber: Subscriber) -> list[dict[str, Any]]:
    attempts: dict[int, list[dict[str, Any]]] = {}
    for row in Attempt.objects.filter(delivery__subscriber=subscriber).order_by("delivery_id", "number"):
        attempts.setdefault(row.delivery_id, []).append(_attempt(row))
    mails = subscriber.deliveries.select_related("list", "version").order_by("pk")
    return [_mail(row, attempts.get(row.pk, [])) for row in mails]


def _mail(row: Delivery, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "list": row.list.name,
        "what": row.get_purpose_display(),
        "subject": row.version.subject if row.version else "",
        "queued_at": plain(row.created_at),
        "state": row.get_state_display(),
        "state_since": plain(row.changed_at),
        "reason": row.reason,
        "sent": attempts,
    }


def _attempt(row: Attempt) -> dict[str, Any]:
    return {
        "at": plain(row.started_at),
        "result": row.get_result_display(),
        "message_id": row.message_id,
        "error": f"{row.error_code} {row.error_text}".strip(),
        "came_back": row.verdict,
    }


def _change(row: Change) -> dict[str, Any]:
    return {
        "at": plain(row.at),
        "what": row.get_noun_display(),
        "list": row.list.name if row.list else "",
        "by": row.get_actor_display(),
        "before": row.before,
        "after": row.after,
        "why": row.why,
        "evidence": row.evidence,
    }
