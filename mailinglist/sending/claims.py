"""The worker's side of the queue: claim rows, write outcomes back, and find what dead workers held.

Called through ``sending/queue.py`` by the engine and the sweeper. Guarantees: a row is held by one worker at
a time; claim, fence and Attempt are committed before the POST; a write-back with an old fence changes no
newer truth; a row whose worker died becomes ``unknown``, never ``queued``, because its mail may have left.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from mailinglist.models import Attempt, Delivery
from mailinglist.sending import providers
from mailinglist.sending.failpoints import reach
from mailinglist.sending.hot import hot_cursor
from mailinglist.sending.outcomes import Accepted, Outcome, Refused, Scope, Unknown
from mailinglist.sending.settling import keep_proved

State, Result = Delivery.State, Attempt.Result
#: A row whose worker died this often is set aside: something in it kills workers.
POISON_CRASHES = 3
#: Seconds before mail without a campaign is tried again after a refusal that would pause a campaign.
UNPAUSED_RETRY = 60.0

#: Why a delivery ``d`` to a subscriber ``s`` must not be sent now; '' when it may. No EXISTS: for more than some dozens
#: of rows PostgreSQL would rather read all subscriptions into a hash table, for each claim. Who was erased is only
#: asked whether they want to come back.
REFUSAL = """CASE
    WHEN (SELECT count(*) FROM mailinglist_suppression p
          WHERE p.key = s.suppression_key AND p.released_at IS NULL
            AND (p.reason <> 'erased' OR d.purpose NOT IN ('confirmation', 'reminder'))) > 0 THEN 'suppressed'
    WHEN d.purpose = 'campaign' AND coalesce((
        SELECT b.status FROM mailinglist_subscription b
        WHERE b.list_id = d.list_id AND b.subscriber_id = d.subscriber_id), '') <> 'confirmed' THEN 'unsubscribed'
    WHEN d.purpose IN ('confirmation', 'reminder') AND coalesce((
        SELECT b.status FROM mailinglist_subscription b
        WHERE b.list_id = d.list_id AND b.subscriber_id = d.subscriber_id), '') <> 'pending' THEN 'not-pending'
    WHEN d.purpose = 'campaign' AND s.paused_until > statement_timestamp() THEN 'paused'
    ELSE '' END"""

# Two ranges of one index: whose time has come, then those without a time. Rows whose time is yet to come are never
# read: that needs a time that stands still during the statement, which clock_timestamp() does not.
_LOCK = """
    WITH due AS MATERIALIZED (
        SELECT d.id, d.subscriber_id, d.crashes FROM mailinglist_delivery d
        WHERE d.state = 'queued' AND {campaign} AND d.next_attempt_at <= statement_timestamp() AND d.id <= %s::bigint
        ORDER BY d.campaign_id, d.next_attempt_at, d.id LIMIT %s::bigint FOR NO KEY UPDATE OF d SKIP LOCKED
    ), fresh AS MATERIALIZED (
        SELECT d.id, d.subscriber_id, d.crashes FROM mailinglist_delivery d
        WHERE d.state = 'queued' AND {campaign} AND d.next_attempt_at IS NULL AND d.id <= %s::bigint
        ORDER BY d.campaign_id, d.next_attempt_at, d.id LIMIT %s::bigint - (SELECT count(*) FROM due)
        FOR NO KEY UPDATE OF d SKIP LOCKED
    )
    SELECT id, subscriber_id, crashes FROM due UNION ALL SELECT id, subscriber_id, crashes FROM fresh"""
#: Larger than any id: all of a campaign's rows may go, not only those of its canary.
_ALL = 2**63 - 1

_CLAIM = f"""
    WITH judged AS MATERIALIZED (
        SELECT d.id, {REFUSAL} AS refusal,
               d.attempts > 0 AND (
                   SELECT count(*) FROM mailinglist_attempt a
                   WHERE a.delivery_id = d.id AND (
                       a.result IN ('', 'unknown')
                       OR a.possible_duplicate AND a.result = 'refused')) > 0 AS in_doubt
        FROM mailinglist_delivery d JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
        WHERE d.id = ANY(%s::bigint[])
    ), claimed AS (
        UPDATE mailinglist_delivery d SET
            state = CASE WHEN j.refusal = '' THEN 'sending' ELSE 'skipped' END,
            reason = j.refusal,
            lease_until = CASE WHEN j.refusal = ''
                               THEN clock_timestamp() + make_interval(secs => %s::float) END,
            attempts = d.attempts + (j.refusal = '')::int,
            fence = d.fence + 1, next_attempt_at = NULL, changed_at = clock_timestamp()
        FROM judged j WHERE d.id = j.id
        RETURNING d.id, d.state, d.attempts, d.fence, d.campaign_id, d.version_id, d.list_id,
                  d.subscriber_id, d.purpose, d.crashes, j.in_doubt
    ), attempted AS (
        INSERT INTO mailinglist_attempt (delivery_id, number, started_at, result, error_code, error_text,
                                         possible_duplicate, verdict, reason)
        SELECT id, attempts, clock_timestamp(), '', '', '', in_doubt, '', ''
        FROM claimed WHERE state = 'sending'
    )
    SELECT c.id, c.attempts, c.fence, c.campaign_id, c.version_id, c.list_id, c.subscriber_id, c.purpose,
           c.crashes, s.email, s.name, s.language, s.attributes, s.token
    FROM claimed c JOIN mailinglist_subscriber s ON s.id = c.subscriber_id
    WHERE c.state = 'sending' ORDER BY c.id"""  # noqa: S608

_RESULTS = """unnest(%s::bigint[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
              %s::text[], %s::text[], %s::float[])
       AS r(delivery_id, number, fence, result, message_id, code, text, state, reason, delay)"""

_WRITTEN = """result = r.result, message_id = r.message_id, error_code = r.code, error_text = r.text,
           finished_at = clock_timestamp()"""

# Each row at once, its delivery first, as the reports lock them: what nobody touched since the claim. ``|| ''`` keeps
# the planner from the index of leased rows, which it would compare with each result: it takes them for few.
_FINISH = f"""
    WITH r AS MATERIALIZED (SELECT * FROM {_RESULTS}),
    settled AS (
        UPDATE mailinglist_delivery d SET
            state = CASE WHEN r.state = 'queued' AND EXISTS (
                             SELECT 1 FROM mailinglist_campaign c WHERE c.id = d.campaign_id AND c.status = 'cancelled')
                         THEN 'cancelled' ELSE r.state END,
            reason = r.reason, lease_until = NULL, changed_at = clock_timestamp(),
            next_attempt_at = CASE WHEN r.state = 'queued' AND r.delay > 0
                                   THEN clock_timestamp() + make_interval(secs => r.delay) END
        FROM r WHERE d.id = r.delivery_id AND d.fence = r.fence AND d.state || '' = 'sending'
        RETURNING r.*
    )
    UPDATE mailinglist_attempt a SET {_WRITTEN}
    FROM settled r WHERE a.delivery_id = r.delivery_id AND a.number = r.number AND a.result = ''
    RETURNING a.delivery_id"""  # noqa: S608

_FINISH_ATTEMPTS = f"""
    UPDATE mailinglist_attempt a SET {_WRITTEN}
    FROM {_RESULTS}
    WHERE a.delivery_id = r.delivery_id AND a.number = r.number
      AND (a.result = '' OR (a.result = 'unknown' AND r.result <> 'unknown'))
    RETURNING a.delivery_id"""  # noqa: S608

# ``unknown`` and ``queued`` with our own fence: the lease had run out and nobody has claimed the row since,
# so the late answer is the truth about it.
_FINISH_DELIVERIES = f"""
    UPDATE mailinglist_delivery d SET
        state = CASE WHEN r.state = 'queued' AND c.status = 'cancelled' THEN 'cancelled' ELSE r.state END,
        reason = r.reason, lease_until = NULL, changed_at = clock_timestamp(),
        next_attempt_at = CASE WHEN r.state = 'queued' AND r.delay > 0
                               THEN clock_timestamp() + make_interval(secs => r.delay) END
    FROM {_RESULTS}
    LEFT JOIN mailinglist_campaign c ON c.id = (
        SELECT x.campaign_id FROM mailinglist_delivery x WHERE x.id = r.delivery_id)
    WHERE d.id = r.delivery_id AND d.fence = r.fence
      AND (d.state = 'sending'
           OR (d.state IN ('unknown', 'queued') AND r.result <> 'unknown' AND d.id = ANY(%s::bigint[])))"""  # noqa: S608

_RECOVER = """
    WITH lost AS (
        SELECT id FROM mailinglist_delivery WHERE state = 'sending' AND lease_until < clock_timestamp()
        ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    ), recovered AS (
        UPDATE mailinglist_delivery d SET state = 'unknown', lease_until = NULL, crashes = d.crashes + 1,
               reason = CASE WHEN d.crashes + 1 >= %s THEN 'poison' ELSE 'crash' END,
               changed_at = clock_timestamp()
        FROM lost WHERE d.id = lost.id RETURNING d.id, d.attempts
    ), ended AS (
        UPDATE mailinglist_attempt a SET
               result = 'unknown', error_code = 'crash', finished_at = clock_timestamp(),
               error_text = 'The worker ended before it wrote down the answer of SES.'
        FROM recovered r WHERE a.delivery_id = r.id AND a.number = r.attempts AND a.result = ''
    )
    SELECT id, attempts FROM recovered"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker may post once, and nobody else until the lease ends."""

    delivery_id: int
    #: Number of the Attempt that was inserted with the claim.
    attempt: int
    fence: int
    campaign_id: int | None
    version_id: int | None
    list_id: int
    subscriber_id: int
    purpose: str
    #: Workers that died while they held it.
    crashes: int
    email: str
    name: str
    language: str
    attributes: Mapping[str, Any]
    token: str


def claim(
    n: int, *, campaign_id: int | None, lease_seconds: float, slowed: bool = False, alone: bool = True
) -> list[Claimed]:
    """Up to ``n`` due rows of a campaign (None: mail without one), committed; post them at once. ``slowed``: some
    provider is to get its mails more slowly (the permit says it).

    Rows of suppressed or unsubscribed people become ``skipped`` instead, so fewer than ``n`` may come back
    while more wait: ask ``queue.next_due_in``. A paused or cancelled campaign gives none. The lease is in
    database time. A row that a worker died with is given out by itself, and only to a run with nothing else in hand
    (``alone``), so that whatever kills workers takes nobody else along.
    """
    with transaction.atomic(durable=True), hot_cursor() as cursor:
        up_to = _ALL if campaign_id is None else _open_for_claims(cursor, campaign_id)
        if up_to is None:
            return []
        where, values = (
            ("d.campaign_id IS NULL", []) if campaign_id is None else ("d.campaign_id = %s", [campaign_id])
        )
        slowed = slowed and campaign_id is not None
        limits = [*values, up_to, n + providers.LOOK_FURTHER if slowed else n]
        rows = _apart(cursor.execute(_LOCK.format(campaign=where), limits * 2).fetchall(), alone)
        if slowed and rows:
            rows = providers.keep_back(cursor, rows, n)
        if not rows:
            return []
        cursor.execute(
            "SELECT id FROM mailinglist_subscriber WHERE id = ANY(%s::bigint[]) ORDER BY id FOR SHARE",
            [_array([subscriber for _, subscriber in rows])],
        )
        cursor.execute(_CLAIM, [_array([delivery for delivery, _ in rows]), lease_seconds])
        return [
            Claimed(*row[:-2], attributes=_loaded(row[-2]), token=row[-1])  # type: ignore[misc]
            for row in cursor.fetchall()
        ]


def finish(results: Sequence[tuple[Claimed, Outcome]]) -> None:
    """Write the outcomes of posted claims down. Safe to repeat; an attempt that is settled already stays as
    it is.

    A late answer (the lease had run out meanwhile) still completes the Attempt, and the Delivery too unless
    somebody claimed it since.
    """
    if not results:
        return
    ordered = sorted((_row(*pair) for pair in results), key=lambda row: row[0])
    with transaction.atomic(), hot_cursor() as cursor:
        cursor.execute(_FINISH, _columns(ordered))
        written = {row[0] for row in cursor.fetchall()}
        late = [row for row in ordered if row[0] not in written]
        if late:
            _finish_late(cursor, late)
        # An earlier attempt may have been accepted after all, and a late answer comes to a row that others have changed.
        again = {row[0] for row in ordered if row[1] > 1 and row[3] != Result.ACCEPTED.value}
        keep_proved(cursor, again | {row[0] for row in late})
        reach("write-back-uncommitted")


def _finish_late(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = _columns(rows)
    cursor.execute(
        "SELECT id FROM mailinglist_delivery WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [columns[0]],
    )
    cursor.execute(_FINISH_ATTEMPTS, columns)
    written = _array([row[0] for row in cursor.fetchall()])
    cursor.execute(_FINISH_DELIVERIES, [*columns, written])


def recover_expired(limit: int = 1000) -> int:
    """Rows whose lease ran out become ``unknown``: their worker died, their mail may have left. Returns how
    many.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RECOVER, [limit, POISON_CRASHES])
        found = cursor.fetchall()
        keep_proved(cursor, {delivery for delivery, attempts in found if attempts > 1})
        return len(found)


def _apart(rows: Sequence[tuple[int, int, int]], alone: bool) -> list[tuple[int, int]]:
    """(delivery, subscriber) of the rows that may be claimed together."""
    suspects = [(delivery, subscriber) for delivery, subscriber, crashes in rows if crashes]
    if suspects and alone:
        return suspects[:1]
    return [(delivery, subscriber) for delivery, subscriber, crashes in rows if not crashes]


def _open_for_claims(cursor: Any, campaign_id: int) -> int | None:
    """The last id that may be claimed; None: no row at all."""
    # The share lock makes a pause wait for claims under way, and claims wait for a pause: none starts after
    # it.
    cursor.execute(
        "SELECT status, canary_last_id, coalesce(held_until > statement_timestamp(), false) "
        "FROM mailinglist_campaign WHERE id = %s FOR SHARE",
        [campaign_id],
    )
    row = cursor.fetchone()
    # The retries of a finished campaign go on, unless SES takes none of them.
    if row is None or row[0] not in ("sending", "finished") or row[2]:
        return None
    return _ALL if row[1] is None else int(row[1])


def _loaded(attributes: Any) -> Mapping[str, Any]:
    """A jsonb column: text, because Django's connections leave the reading of JSON to its fields."""
    found: Mapping[str, Any] = json.loads(attributes) if isinstance(attributes, str) else attributes
    return found


def _row(claimed: Claimed, outcome: Outcome) -> tuple[Any, ...]:
    head = (claimed.delivery_id, claimed.attempt, claimed.fence)
    match outcome:
        case Accepted(message_id):
            return (*head, Result.ACCEPTED.value, message_id, "", "", State.SENT.value, "", 0.0)
        case Refused(scope, code, text, retry_after):
            state = State.FAILED if scope is Scope.RECIPIENT else State.QUEUED
            if claimed.campaign_id is None and scope in (Scope.CAMPAIGN, Scope.ACCOUNT):
                retry_after = max(retry_after, UNPAUSED_RETRY)
            answer = (
                Result.REFUSED.value,
                None,
                code[:80],
                text,
                state.value,
                code[:60],
                float(retry_after),
            )
            return (*head, *answer)
        case Unknown(code, text):
            answer = (
                Result.UNKNOWN.value,
                None,
                code[:80],
                text,
                State.UNKNOWN.value,
                code[:60],
                0.0,
            )
            return (*head, *answer)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    return [_array(column) for column in zip(*rows, strict=True)]


def _array(values: Sequence[int | float | str | None]) -> str:
    """The values as PostgreSQL writes an array. psycopg takes a microsecond for each element, and it prepares one
    statement per width of the largest number.
    """
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: int | float | str | None) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", r"\\").replace('"', r"\"")
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)
