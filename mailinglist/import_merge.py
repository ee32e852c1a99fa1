"""One chunk of staged people merged into the tables, by statements on sets. Called by import_sessions.py.

People are merged in the order of their keys, so that two imports never wait for each other in a circle, and each chunk is
a transaction: an import that was killed leaves whole chunks, and the next run of the same file finds them done.

Nothing is joined: what is known about a person is looked up in an index, row by row. The tables grow so fast
that the planner's picture of them is wrong, and a join that was planned for an empty table can take hours.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from mailinglist.subscriptions import STRENGTH, Reason


@dataclass(frozen=True, slots=True)
class Order:
    """What to do with the staged people, and what the audit trail says about it."""

    list_id: int
    update: bool
    dry_run: bool
    now: datetime
    actor: str
    user_id: int | None
    why: str
    evidence: dict[str, Any]
    consent_text: str = ""
    #: The Import that keeps what was before; None: nothing is kept.
    import_id: int | None = None


@dataclass(slots=True)
class Counts:
    """What became of the people of a chunk. Each is counted once, except in the last two."""

    new_subscriptions: int = 0
    unsubscribed: int = 0
    already: int = 0
    kept_unsubscribed: int = 0
    suppressed: int = 0
    new_subscribers: int = 0
    updated: int = 0

    def add(self, other: "Counts") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def merge_chunk(cursor: CursorWrapper, order: Order, after: int, upto: int) -> Counts:
    """Merge the staged people with the numbers from ``after`` (itself left out) to ``upto``, or foresee what that would
    count. Needs a transaction."""
    chunk = {**_parameters(order), "after": after, "upto": upto}
    return _foresee(cursor, chunk) if order.dry_run else _merge(cursor, chunk)


def _merge(cursor: CursorWrapper, chunk: dict[str, Any]) -> Counts:
    counts = Counts()
    cursor.execute(_PLAN_BY_INDEX)
    cursor.execute(_INSERT_SUBSCRIBERS, chunk)
    counts.new_subscribers = cursor.rowcount
    cursor.execute("DROP TABLE IF EXISTS pg_temp.import_chunk")
    cursor.execute(_LOOK_UP, chunk)
    cursor.execute(_COUNT, chunk)
    counts.suppressed, counts.kept_unsubscribed = cursor.fetchone()
    cursor.execute(_LOCK, chunk)
    if chunk["update"]:
        if chunk["import"] is not None:
            cursor.execute(_KEEP_BEFORE, chunk)
        counts.updated = _one(cursor, _UPDATE_SUBSCRIBERS, chunk)
        for before in ("pending", "confirmed"):
            counts.unsubscribed += _one(cursor, _END_SUBSCRIPTIONS, {**chunk, "before": before})
        cursor.execute(_END_SUBSCRIPTIONS, {**chunk, "before": "unsubscribed"})
    cursor.execute(_SUBSCRIBE, chunk)
    counts.new_subscriptions, recorded = cursor.fetchone()
    counts.unsubscribed += recorded
    return _rest_is_there_already(counts, chunk)


def _foresee(cursor: CursorWrapper, chunk: dict[str, Any]) -> Counts:
    """What ``_merge`` would count, from reading alone."""
    counts = Counts()
    cursor.execute(_PLAN_BY_INDEX)
    cursor.execute("DROP TABLE IF EXISTS pg_temp.import_chunk")
    cursor.execute(_LOOK_UP, chunk)
    cursor.execute(_COUNT, chunk)
    counts.suppressed, counts.kept_unsubscribed = cursor.fetchone()
    if chunk["update"]:
        counts.updated = _one(cursor, _COUNT_DIFFERENT, chunk)
    cursor.execute(_COUNT_NEW, chunk)
    counts.new_subscribers, counts.new_subscriptions, counts.unsubscribed = cursor.fetchone()
    return _rest_is_there_already(counts, chunk)


def _rest_is_there_already(counts: Counts, chunk: dict[str, Any]) -> Counts:
    counted = counts.new_subscriptions + counts.unsubscribed + counts.kept_unsubscribed + counts.suppressed
    counts.already = chunk["upto"] - chunk["after"] - counted
    return counts


def _one(cursor: CursorWrapper, sql: str, parameters: dict[str, Any] | None = None) -> int:
    cursor.execute(sql, parameters)
    return int(cursor.fetchone()[0])


def _parameters(order: Order) -> dict[str, Any]:
    return {
        "list": order.list_id,
        "update": order.update,
        "now": order.now,
        "actor": order.actor,
        "user": order.user_id,
        "why": order.why,
        "evidence": json.dumps(order.evidence),
        "consent_text": order.consent_text,
        "import": order.import_id,
        "weaker": [reason.value for reason in STRENGTH if STRENGTH[reason] < STRENGTH[Reason.IMPORT]],
    }


_PLAN_BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"

# A file that was imported before passes without burning an id for each row.
_INSERT_SUBSCRIBERS = """
INSERT INTO mailinglist_subscriber
    (email, email_key, name, attributes, language, time_zone, token, suppression_key, created_at, updated_at)
SELECT email, email_key, name, attributes, language, time_zone, token, suppression_key, %(now)s, %(now)s
FROM import_people p
WHERE number > %(after)s AND number <= %(upto)s
    AND (SELECT s.id FROM mailinglist_subscriber s WHERE s.email_key = p.email_key) IS NULL
    AND (
        SELECT x.id FROM mailinglist_suppression x WHERE x.key = p.suppression_key AND x.released_at IS NULL
    ) IS NULL
ORDER BY number
ON CONFLICT (email_key) DO NOTHING"""

# OFFSET 0 keeps the planner from making a join of it; "+ 0" keeps it to the few subscriptions of a person.
_LOOK_UP = """
CREATE TEMP TABLE import_chunk ON COMMIT DROP AS
SELECT p.number, p.status, p.consent_at, p.consent_ip, s.id AS subscriber_id, s.created_at = %(now)s AS fresh,
    c.id AS subscription_id, c.status AS had,
    (
        SELECT x.id FROM mailinglist_suppression x WHERE x.key = p.suppression_key AND x.released_at IS NULL
    ) IS NOT NULL AS suppressed
FROM import_people p
LEFT JOIN LATERAL (
    SELECT id, created_at FROM mailinglist_subscriber WHERE email_key = p.email_key OFFSET 0
) s ON true
LEFT JOIN LATERAL (
    SELECT id, status FROM mailinglist_subscription
    WHERE subscriber_id = s.id AND list_id + 0 = %(list)s OFFSET 0
) c ON true
WHERE number > %(after)s AND number <= %(upto)s"""

_COUNT = """
SELECT count(*) FILTER (
        WHERE suppressed AND NOT (%(update)s AND status = 'unsubscribed' AND had IN ('pending', 'confirmed'))
    ),
    count(*) FILTER (WHERE NOT suppressed AND had = 'unsubscribed' AND status <> 'unsubscribed')
FROM import_chunk"""

# Every writer of a subscription locks its subscriber first; those that were just made are locked already.
_LOCK = """
SELECT FROM mailinglist_subscriber
WHERE id = ANY (ARRAY(
    SELECT subscriber_id FROM import_chunk
    WHERE NOT fresh AND (%(update)s OR (had IS NULL AND NOT suppressed))
))
ORDER BY email_key COLLATE "C"
FOR NO KEY UPDATE"""

_COUNT_NEW = """
SELECT count(*) FILTER (WHERE subscriber_id IS NULL AND NOT suppressed),
    count(*) FILTER (WHERE had IS NULL AND NOT suppressed AND status <> 'unsubscribed'),
    count(*) FILTER (WHERE status = 'unsubscribed' AND (
        (had IS NULL AND NOT suppressed) OR (%(update)s AND had IN ('pending', 'confirmed'))
    ))
FROM import_chunk"""

# People who are known and of whom the file says something else. Cells that say nothing take nothing away.
_DIFFERENT = """
FROM import_people p
JOIN LATERAL (SELECT * FROM mailinglist_subscriber WHERE email_key = p.email_key OFFSET 0) s ON true
WHERE number > %(after)s AND number <= %(upto)s
    AND (p.name NOT IN ('', s.name) OR p.language NOT IN ('', s.language)
        OR p.time_zone NOT IN ('', s.time_zone) OR NOT s.attributes @> p.attributes)"""
_COUNT_DIFFERENT = "SELECT count(*)" + _DIFFERENT
_KEEP_BEFORE = (
    """
INSERT INTO mailinglist_importedbefore (owner_id, subscriber_id, before, after)
SELECT %(import)s, s.id,
    jsonb_build_object(
        'name', s.name, 'language', s.language, 'time_zone', s.time_zone, 'attributes', s.attributes
    ),
    jsonb_build_object(
        'name', coalesce(nullif(p.name, ''), s.name), 'language', coalesce(nullif(p.language, ''), s.language),
        'time_zone', coalesce(nullif(p.time_zone, ''), s.time_zone), 'attributes', s.attributes || p.attributes
    )"""
    + _DIFFERENT
    + " ON CONFLICT DO NOTHING"
)

# Cells that say nothing take nothing away.
_UPDATE_SUBSCRIBERS = """
WITH changed AS (
    INSERT INTO mailinglist_subscriber AS s
        (email, email_key, name, attributes, language, time_zone, token, suppression_key, created_at,
         updated_at)
    SELECT email, email_key, name, attributes, language, time_zone, token, suppression_key, %(now)s, %(now)s
    FROM import_people p
    WHERE number > %(after)s AND number <= %(upto)s
        AND (SELECT f.id FROM mailinglist_subscriber f WHERE f.email_key = p.email_key) IS NOT NULL
    ORDER BY number
    ON CONFLICT (email_key) DO UPDATE
    SET name = coalesce(nullif(excluded.name, ''), s.name),
        language = coalesce(nullif(excluded.language, ''), s.language),
        time_zone = coalesce(nullif(excluded.time_zone, ''), s.time_zone),
        attributes = s.attributes || excluded.attributes,
        updated_at = %(now)s
    WHERE excluded.name NOT IN ('', s.name) OR excluded.language NOT IN ('', s.language)
        OR excluded.time_zone NOT IN ('', s.time_zone) OR NOT s.attributes @> excluded.attributes
    RETURNING s.id
), logged AS (
    INSERT INTO mailinglist_change
        (at, actor, user_id, why, evidence, list_id, noun, object_id, subscriber_id, before, after)
    SELECT %(now)s, %(actor)s, %(user)s::bigint, %(why)s, %(evidence)s::jsonb, NULL::bigint,
        'subscriber', id, id, '', 'updated'
    FROM changed
)
SELECT count(*) FROM changed"""

# Also for who is suppressed or was lost to a bounce: when that is taken back, they have left all the same.
_END_SUBSCRIPTIONS = """
WITH ended AS (
    UPDATE mailinglist_subscription
    SET status = 'unsubscribed',
        unsubscribe_reason = CASE
            WHEN unsubscribe_reason = ANY(%(weaker)s) THEN 'import' ELSE unsubscribe_reason END,
        unsubscribed_at = CASE WHEN unsubscribe_reason = ANY(%(weaker)s) THEN %(now)s ELSE unsubscribed_at END
    WHERE status = %(before)s AND (status <> 'unsubscribed' OR unsubscribe_reason = ANY(%(weaker)s))
        AND id = ANY (ARRAY(
            SELECT subscription_id FROM import_chunk WHERE status = 'unsubscribed' AND had = %(before)s
        ))
    RETURNING id, subscriber_id
), logged AS (
    INSERT INTO mailinglist_change
        (at, actor, user_id, why, evidence, list_id, noun, object_id, subscriber_id, before, after)
    SELECT %(now)s, %(actor)s, %(user)s::bigint, %(why)s, %(evidence)s::jsonb, %(list)s,
        'subscription', id, subscriber_id, %(before)s, 'unsubscribed'
    FROM ended
)
SELECT count(*) FROM ended"""

# The person may have been erased before the lock was taken.
_SUBSCRIBE = """
WITH made AS (
    INSERT INTO mailinglist_subscription
        (list_id, subscriber_id, status, source, consent_at, consent_ip, consent_user_agent, consent_text,
         unsubscribed_at, unsubscribe_reason, created_at)
    SELECT %(list)s, subscriber_id, status, 'import', consent_at, consent_ip, '', %(consent_text)s,
        CASE WHEN status = 'unsubscribed' THEN %(now)s::timestamptz END,
        CASE WHEN status = 'unsubscribed' THEN 'import' ELSE '' END, %(now)s
    FROM import_chunk k
    WHERE had IS NULL AND NOT suppressed
        AND (SELECT s.id FROM mailinglist_subscriber s WHERE s.id = k.subscriber_id) IS NOT NULL
    ORDER BY number
    ON CONFLICT (list_id, subscriber_id) DO NOTHING
    RETURNING id, subscriber_id, status
), logged AS (
    INSERT INTO mailinglist_change
        (at, actor, user_id, why, evidence, list_id, noun, object_id, subscriber_id, before, after)
    SELECT %(now)s, %(actor)s, %(user)s::bigint, %(why)s, %(evidence)s::jsonb, %(list)s,
        'subscription', id, subscriber_id, '', status
    FROM made
)
SELECT count(*) FILTER (WHERE status <> 'unsubscribed'), count(*) FILTER (WHERE status = 'unsubscribed')
FROM made"""
