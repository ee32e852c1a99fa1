"""Writing events: many in one statement, each once. Called by the pipeline, in its transaction.

One JSON document carries all rows of a batch to PostgreSQL: at this number of columns that costs a fraction of what
an ORM object and two dozen parameters for each would.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from bounces.matching import Match
from bounces.models import Notification
from bounces.reading import Judged


class Found(NamedTuple):
    """An event with its notification and the delivery it is about."""

    row: Notification
    event: Judged
    match: Match


def store_events(found: Sequence[Found]) -> int:
    """Insert those that are not there yet; how many were new."""
    if not found:
        return 0
    # In one order everywhere: two workers that store the same events would otherwise wait for each other.
    rows = sorted(map(_columns, found), key=lambda row: str(row["dedupe_key"]))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [json.dumps(rows)])
        return int(cursor.rowcount)


def _columns(found: Found) -> dict[str, object]:
    fact, verdict, match = found.event.fact, found.event.verdict, found.match
    return {
        "notification_id": found.row.pk,
        "kind": fact.kind,
        "type": fact.type,
        "subtype": fact.subtype,
        "recipient": fact.recipient,
        "message_id": fact.message_id,
        "action": fact.action,
        "status": fact.status,
        "diagnostic": fact.diagnostic,
        "mta": fact.mta,
        "occurred_at": fact.occurred_at.isoformat(),
        "extra": fact.extra,
        "dedupe_key": fact.dedupe_key,
        "delivery_id": match.delivery_id,
        "attempt_number": match.attempt_number,
        "subscriber_id": match.subscriber_id,
        "verdict": verdict.kind,
        "reason": verdict.reason,
        "explanation": verdict.explanation,
    }


_COLUMNS = (
    ("notification_id", "bigint"),
    ("kind", "text"),
    ("type", "text"),
    ("subtype", "text"),
    ("recipient", "text"),
    ("message_id", "text"),
    ("action", "text"),
    ("status", "text"),
    ("diagnostic", "text"),
    ("mta", "text"),
    ("occurred_at", "timestamptz"),
    ("extra", "jsonb"),
    ("dedupe_key", "text"),
    ("delivery_id", "bigint"),
    ("attempt_number", "int"),
    ("subscriber_id", "bigint"),
    ("verdict", "text"),
    ("reason", "text"),
    ("explanation", "text"),
)
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_INSERT = f"""
    INSERT INTO bounces_event ({_NAMES}, effect, effect_text, created_at)
    SELECT {_NAMES}, '', '', statement_timestamp()
    FROM json_to_recordset(%s::json) AS row ({", ".join(" ".join(column) for column in _COLUMNS)})
    ON CONFLICT (dedupe_key) DO NOTHING"""  # noqa: S608
