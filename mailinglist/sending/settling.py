"""The reports' side of the queue: what events of SES prove about attempts, and the states that follow.

Called through ``sending/queue.py`` by ``bounces``. A batch of any size is one statement per function; the caller
holds the locks of the deliveries (``queue.lock``) and a transaction. Repeated, late or out of order, each changes
nothing the second time. ``keep_proved`` is also asked by ``claims.py``, where an outcome meets what is known already.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from mailinglist.models import Attempt, Delivery

State = Delivery.State
#: The lengths of the columns Attempt.verdict and reason, Delivery.reason.
_VERDICT, _REASON = 14, 60


@dataclass(frozen=True, slots=True)
class Proof:
    """An event shows that SES accepted this attempt as ``message_id``, at ``at`` or before."""

    delivery_id: int
    attempt: int
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """What came back for an attempt (see Attempt.verdict)."""

    delivery_id: int
    attempt: int
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The state that a delivery gets if it is in one of ``from_states``. ``reason`` is ``<verdict>:<reason>``.

    Raises ValueError for ``waiting`` without ``next_attempt_at``, and the other way round.
    """

    delivery_id: int
    state: Delivery.State
    reason: str
    from_states: Collection[str]
    next_attempt_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.state == State.WAITING) != (self.next_attempt_at is not None):
            raise ValueError("next_attempt_at belongs to the state waiting, and only to it.")


_PROVE = """
    WITH proof AS MATERIALIZED (
        SELECT a.id, a.delivery_id, a.number, a.result, p.message_id, p.at
        FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::timestamptz[]) AS p (delivery_id, number, message_id, at)
        JOIN mailinglist_attempt a ON a.delivery_id = p.delivery_id AND a.number = p.number
        WHERE a.message_id IS NULL
          AND NOT EXISTS (SELECT 1 FROM mailinglist_attempt other WHERE other.message_id = p.message_id)
    ), proven AS (
        UPDATE mailinglist_attempt a
        SET result = 'accepted', message_id = proof.message_id, finished_at = coalesce(a.finished_at, proof.at)
        FROM proof WHERE a.id = proof.id
    ), resolved AS (
        UPDATE mailinglist_delivery d SET state = 'sent', reason = '', lease_until = NULL, next_attempt_at = NULL,
                                          changed_at = clock_timestamp()
        FROM proof
        WHERE d.id = proof.delivery_id AND d.attempts = proof.number AND proof.result IN ('', 'unknown')
          AND d.state IN ('sending', 'unknown', 'queued')
        RETURNING d.id
    )
    SELECT delivery_id, delivery_id IN (SELECT id FROM resolved) FROM proof"""

#: What came back for an attempt that SES accepted, when no other copy may follow. After the other verdicts (soft, block,
#: message, …) the mail has not arrived, and leaves again by a policy or by a manager.
_NO_OTHER_COPY = "('', 'delivered', 'hard', 'suppressed', 'complaint')"
_KEEP = f"""
    UPDATE mailinglist_delivery d SET
        state = CASE WHEN p.verdict = '' THEN 'sent' WHEN p.verdict = 'delivered' THEN 'delivered'
                     WHEN p.verdict = 'complaint' THEN 'complained' ELSE 'bounced' END,
        reason = CASE WHEN p.verdict IN ('', 'delivered') THEN '' ELSE left(p.verdict || ':' || p.reason, {_REASON}) END,
        next_attempt_at = NULL, changed_at = clock_timestamp()
    FROM (SELECT DISTINCT ON (a.delivery_id) a.delivery_id, a.verdict, a.reason FROM mailinglist_attempt a
          WHERE a.delivery_id = ANY(%s::bigint[]) AND a.result = 'accepted' AND a.verdict IN {_NO_OTHER_COPY}
          ORDER BY a.delivery_id, a.number DESC) p
    WHERE d.id = p.delivery_id AND d.state IN ('queued', 'unknown', 'failed', 'cancelled', 'skipped')"""  # noqa: S608


def keep_proved(cursor: Any, delivery_ids: Collection[int]) -> None:
    """What SES has accepted, by any attempt, shows that: it neither leaves again nor counts as not sent.

    For deliveries that the caller has locked, after an outcome, a late answer or a proof was written down.
    """
    if delivery_ids:
        cursor.execute(_KEEP, [list(delivery_ids)])


@transaction.atomic
def prove_all(proofs: Sequence[Proof]) -> set[int]:
    """Write down which attempts SES accepted, whatever we knew about them; ids of deliveries that learned it now.

    A delivery becomes ``sent`` where it was in doubt, on its way, about to be sent again for that doubt, or counted as
    not sent. An attempt that does not exist or has another message id, and an id that belongs to another attempt, are
    left alone.
    """
    by_attempt: dict[tuple[int, int], Proof] = {}
    by_message: dict[str, Proof] = {}
    for proof in sorted(proofs, key=lambda row: (row.delivery_id, row.attempt, row.message_id, row.at)):
        first = by_attempt.setdefault((proof.delivery_id, proof.attempt), proof)
        if first is proof:
            by_message.setdefault(proof.message_id, proof)
    rows = list(by_message.values())
    if not rows:
        return set()
    list(
        Delivery.objects.select_for_update(no_key=True)
        .filter(pk__among={row.delivery_id for row in rows})
        .order_by("pk")
        .values_list("pk")
    )
    columns = [[row.delivery_id for row in rows], [row.attempt for row in rows]]
    proven = _rows(_PROVE, [*columns, [row.message_id for row in rows], [row.at for row in rows]])
    with connection.cursor() as cursor:
        keep_proved(cursor, {pk for pk, resolved in proven if not resolved})
    return {pk for pk, _ in proven}


def judge_attempts(rows: Sequence[Judged]) -> int:
    """Keep what came back for these attempts; how many changed. The caller decides which verdict outranks which."""
    if not rows:
        return 0
    return len(
        _rows(
            """UPDATE mailinglist_attempt a SET verdict = j.verdict, reason = j.reason
               FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS j (delivery_id, number, verdict, reason)
               WHERE a.delivery_id = j.delivery_id AND a.number = j.number
                 AND (a.verdict, a.reason) IS DISTINCT FROM (j.verdict, j.reason)
               RETURNING a.id""",
            [
                [row.delivery_id for row in rows],
                [row.attempt for row in rows],
                [row.verdict[:_VERDICT] for row in rows],
                [row.reason[:_REASON] for row in rows],
            ],
        )
    )


def settle_all(rows: Sequence[Settled]) -> set[int]:
    """Set the states of deliveries after events; the ids of those that changed."""
    if not rows:
        return set()
    changed = _rows(
        """UPDATE mailinglist_delivery d SET state = s.state, reason = s.reason, next_attempt_at = s.next_attempt_at,
                  lease_until = NULL, changed_at = clock_timestamp()
           FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
                AS s (id, state, reason, next_attempt_at, from_states)
           WHERE d.id = s.id AND d.state = ANY (string_to_array(s.from_states, ' '))
           RETURNING d.id""",
        [
            [row.delivery_id for row in rows],
            [str(row.state) for row in rows],
            [row.reason[:_REASON] for row in rows],
            [row.next_attempt_at for row in rows],
            [" ".join(row.from_states) for row in rows],
        ],
    )
    return {pk for (pk,) in changed}


def prove(delivery_id: int, attempt_number: int, message_id: str, at: datetime) -> bool:
    """``prove_all`` for one; True when the attempt has this message id now."""
    prove_all([Proof(delivery_id, attempt_number, message_id, at)])
    return Attempt.objects.filter(
        delivery_id=delivery_id, number=attempt_number, message_id=message_id
    ).exists()


def judge_attempt(delivery_id: int, number: int, *, verdict: str, reason: str) -> bool:
    """``judge_attempts`` for one; True when it changed."""
    return judge_attempts([Judged(delivery_id, number, verdict, reason)]) == 1


def settle(
    delivery_id: int,
    *,
    state: Delivery.State,
    reason: str,
    from_states: Collection[str],
    next_attempt_at: datetime | None = None,
) -> bool:
    """``settle_all`` for one; True when it changed."""
    return bool(settle_all([Settled(delivery_id, state, reason, from_states, next_attempt_at)]))


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
