"""Storing what comes from outside, exactly once and before anything in it is interpreted.

Called by the webhook and by ``ingest_bounces``. When store() has returned and its transaction is committed, the
notification cannot be lost any more: processing may crash, be repeated or come late.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from bounces import tasks
from bounces.models import Notification
from mailinglist import doorbell


@dataclass(frozen=True, slots=True)
class Stored:
    """The row, and whether it is new or another copy of one that was there."""

    notification_id: int
    created: bool


def content_key(raw: bytes) -> str:
    """What makes two files the same notification: SHA-256 of their bytes."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


@transaction.atomic
def store(
    raw: bytes,
    *,
    source: Notification.Source,
    dedupe_key: str,
    topic_arn: str = "",
    published_at: datetime | None = None,
    wake: bool = True,
) -> Stored:
    """Insert the notification, or count another copy of it. ``wake`` rings for the worker after the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bounces_notification
                (source, raw, dedupe_key, topic_arn, published_at, received_at, state, error, tries, copies)
            VALUES (%s, %s, %s, %s, %s, now(), 'stored', '', 0, 1)
            ON CONFLICT (dedupe_key) DO UPDATE SET copies = bounces_notification.copies + 1
            RETURNING id, copies = 1
            """,
            [source, raw, dedupe_key[:100], topic_arn, published_at],
        )
        notification_id, created = cursor.fetchone()
    if created and wake:
        doorbell.ring(tasks.process_notifications)
    return Stored(notification_id, created)
