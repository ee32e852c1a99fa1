"""Storing what comes from outside, exactly once and before anything in it is interpreted.

Called by the webhook (one at a time), by the readers of the queue and of the mailbox, and by ``ingest_bounces``
(many at a time). When a call has returned and its transaction is committed, the notification cannot be lost any
more: processing may crash, be repeated or come late.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import InterfaceError, OperationalError, connection

from bounces import tasks
from bounces.models import Notification
from mailinglist import doorbell
from mailinglist.sending.hot import hot_cursor


@dataclass(frozen=True, slots=True)
class Incoming:
    """A notification to be stored. ``error``: it goes to the quarantine at once, for this reason. ``trusted`` False:
    nobody proved who sent it (see Notification.trusted).
    """

    raw: bytes
    source: Notification.Source
    dedupe_key: str
    topic_arn: str = ""
    published_at: datetime | None = None
    error: str = ""
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """The row, and whether it is new or another copy of one that was there."""

    notification_id: int
    created: bool


def content_key(raw: bytes) -> str:
    """What makes two files the same notification: SHA-256 of their bytes."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def store(
    raw: bytes,
    *,
    source: Notification.Source,
    dedupe_key: str,
    topic_arn: str = "",
    published_at: datetime | None = None,
    wake: bool = True,
) -> Stored:
    """``store_many`` for one."""
    return store_many([Incoming(raw, source, dedupe_key, topic_arn, published_at)], wake=wake)[0]


def store_surely(
    raw: bytes, *, source: Notification.Source, dedupe_key: str, topic_arn: str, published_at: datetime | None
) -> None:
    """``store`` for a request that does nothing else: where the kept connection turns out to be dead, again on a new one.

    Django would ask the connection first, with a round trip that costs a quarter of the whole. Storing twice is storing
    once. Raises Django's database errors.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]
    once = partial(
        store, raw, source=source, dedupe_key=dedupe_key, topic_arn=topic_arn, published_at=published_at
    )
    try:
        once()
    except (OperationalError, InterfaceError):
        connection.close()
        once()


def store_many(found: Sequence[Incoming], *, wake: bool = True) -> list[Stored]:
    """Insert the notifications, or count further copies of those that are there, in one statement.

    The answer is in the order of ``found``. ``wake`` rings for the worker after the commit. The statement is a
    transaction of its own, unless the caller has one open.
    """
    copies: dict[str, int] = {}
    first: dict[str, Incoming] = {}
    for row in found:
        key = row.dedupe_key[:_KEY]
        copies[key] = copies.get(key, 0) + 1
        first.setdefault(key, row)
    # In one order everywhere: two readers that store the same messages would otherwise wait for each other.
    keys = sorted(first)
    rows = [first[key] for key in keys]
    with hot_cursor(plan=False) as cursor:
        cursor.execute(
            _STORE,
            [
                [row.source.value for row in rows],
                [row.raw for row in rows],
                keys,
                [row.topic_arn[:256] for row in rows],
                [row.published_at for row in rows],
                [row.error for row in rows],
                [row.trusted for row in rows],
                [copies[key] for key in keys],
            ],
        )
        ids = {key: (pk, total) for key, pk, total in cursor.fetchall()}
    stored, seen = [], set()
    for row in found:
        key = row.dedupe_key[:_KEY]
        pk, total = ids[key]
        stored.append(Stored(pk, created=total == copies[key] and key not in seen))
        seen.add(key)
    if wake and any(each.created and not row.error for each, row in zip(stored, found, strict=True)):
        doorbell.ring_together(tasks.process_notifications)
    return stored


_KEY = 100
_STORE = """
    INSERT INTO bounces_notification
        (source, raw, dedupe_key, topic_arn, published_at, received_at, state, error, trusted, tries, copies)
    SELECT n.source, n.raw, n.dedupe_key, n.topic_arn, n.published_at, now(),
           CASE WHEN n.error = '' THEN 'stored' ELSE 'quarantined' END, n.error, n.trusted, 0, n.copies
    FROM unnest(%s::text[], %s::bytea[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::bool[], %s::int[])
         AS n (source, raw, dedupe_key, topic_arn, published_at, error, trusted, copies)
    ON CONFLICT (dedupe_key) DO UPDATE SET copies = bounces_notification.copies + excluded.copies
    RETURNING dedupe_key, id, copies"""
