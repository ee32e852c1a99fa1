"""Counters of what sign-up forms are asked for: in PostgreSQL, so that they outlive a broker that is emptied.

Called by gate.py, form_steps.py and captcha.py. Ten-minute pieces of time, one statement per count, right under any
number of requests at once. Call them outside a transaction: the row is locked until the commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db import connection
from django.db.models import Sum
from django.utils.crypto import salted_hmac

from mailinglist.models import SignUpCount
from mailinglist.sending.hot import hot_cursor

Scope = SignUpCount.Scope
#: The hour of the limits may be up to one piece longer, never shorter.
HOUR, PIECE = timedelta(hours=1), timedelta(minutes=10)
#: How long counts are kept, for the manager's page.
KEPT = timedelta(days=2)
_PRUNE_BATCH = 5000
_Values = dict[str, str | int | datetime]


@dataclass(frozen=True, slots=True)
class Limit:
    """Of ``key`` at most ``most`` an hour pass. What came before ``begin`` does not count."""

    scope: SignUpCount.Scope
    key: str
    most: int
    begin: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """``asked``: how often in the last hour, this time included. ``passed``: whether this one is within the limit."""

    asked: int
    passed: bool


def take_in_turn(limits: Sequence[Limit], *, now: datetime) -> list[Taken]:
    """Count one more for one limit after the other, and tell whether it is within, in one statement.

    Whom one limit does not let pass is not counted by the next: what is returned ends there.
    """
    values: _Values = {"alone": not connection.in_atomic_block}
    for turn, limit in enumerate(limits):
        piece, earliest = _piece(now), now - HOUR - PIECE
        if limit.begin:
            piece, earliest = max(piece, limit.begin), max(earliest, limit.begin)
        values |= {
            f"scope{turn}": limit.scope.value,
            f"key{turn}": limit.key,
            f"piece{turn}": piece,
            f"earliest{turn}": earliest,
            f"most{turn}": limit.most,
        }
    with hot_cursor(plan=False) as cursor:
        cursor.execute(_take_statement(len(limits)), values)
        return [Taken(asked, passed) for _, asked, passed, _ in sorted(cursor.fetchall())]


def note(scope: SignUpCount.Scope, key: str, *, now: datetime) -> None:
    """Count one more where there is no limit."""
    with connection.cursor() as cursor:
        values: _Values = {
            "scope": scope,
            "key": key,
            "piece": _piece(now),
            "alone": not connection.in_atomic_block,
        }
        cursor.execute(_NOTE, values)


def first_time(scope: SignUpCount.Scope, key: str, *, at: datetime) -> bool:
    """True for one caller only, for the same ``key`` and ``at``."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, {"scope": scope, "key": key, "at": at})
        made: int = cursor.rowcount
    return made == 1


def asked(scope: SignUpCount.Scope, key: str, *, now: datetime, begin: datetime) -> int:
    """How often it was asked for in the last hour, and since ``begin``."""
    rows = SignUpCount.objects.filter(scope=scope, key=key, since__gte=max(now - HOUR - PIECE, begin))
    return rows.aggregate(all=Sum("asked"))["all"] or 0


def totals(scope: SignUpCount.Scope, keys: Iterable[str], *, since: datetime) -> Mapping[str, int]:
    """How often each of ``keys`` was asked for since then."""
    rows = SignUpCount.objects.filter(scope=scope, key__in=list(keys), since__gte=since)
    return dict(rows.values_list("key").annotate(all=Sum("asked")).order_by())


def passed(scope: SignUpCount.Scope, key: str, *, since: datetime) -> int:
    """How many were within the limit since then."""
    rows = SignUpCount.objects.filter(scope=scope, key=key, since__gte=since)
    return rows.aggregate(all=Sum("passed"))["all"] or 0


def hidden(scope: SignUpCount.Scope, text: str) -> str:
    """A key that says nothing about ``text`` to who reads the table."""
    return salted_hmac(f"mailinglist.sign_up_counts.{scope}", text, algorithm="sha256").hexdigest()


def prune(*, now: datetime) -> int:
    """Delete what is older than KEPT. Returns how many rows."""
    old = SignUpCount.objects.filter(since__lt=now - KEPT)
    deleted = 0
    while ids := list(old.values_list("pk", flat=True)[:_PRUNE_BATCH]):
        deleted += SignUpCount.objects.filter(pk__in=ids).delete()[0]
    return deleted


def _piece(now: datetime) -> datetime:
    seconds = PIECE.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=UTC)


# A count that a crash of PostgreSQL forgets within its last second costs nobody anything, and a flood of them must not
# wait for the disk: where the statement is a transaction of its own, its commit does not (set_config, below).
#
# In one piece of time the first that ask pass, as many as the earlier pieces left over: so the number of those that
# passed follows from the number of those that asked, and the row needs no second look.
_NOT_WAITING = "CASE WHEN %(alone)s THEN set_config('synchronous_commit', 'off', true) ELSE '' END"

_TAKE_ONE = """
before{turn} AS MATERIALIZED (
    SELECT coalesce(sum(asked), 0)::int AS asked, coalesce(sum(passed), 0)::int AS passed
    FROM mailinglist_signupcount
    WHERE scope = %(scope{turn})s::text AND key = %(key{turn})s::text
      AND since >= %(earliest{turn})s::timestamptz AND since < %(piece{turn})s::timestamptz
), taken{turn} AS (
    INSERT INTO mailinglist_signupcount AS c (scope, key, since, asked, passed)
    SELECT %(scope{turn})s::text, %(key{turn})s::text, %(piece{turn})s::timestamptz, 1,
           least(1, greatest(%(most{turn})s::int - b.passed, 0))
    FROM before{turn} b{only_after}
    ON CONFLICT (scope, key, since) DO UPDATE SET
        asked = c.asked + 1,
        passed = greatest(c.passed, least(c.asked + 1, %(most{turn})s::int - (SELECT passed FROM before{turn})))
    RETURNING {turn} AS turn, c.asked + (SELECT asked FROM before{turn}) AS asked,
              c.asked <= %(most{turn})s::int - (SELECT passed FROM before{turn}) AS passed, {not_waiting}
)"""


@cache
def _take_statement(limits: int) -> bytes:
    parts, told = [], []
    for turn in range(limits):
        only_after = f" JOIN taken{turn - 1} ON taken{turn - 1}.passed" if turn else ""
        parts.append(_TAKE_ONE.format(turn=turn, only_after=only_after, not_waiting=_NOT_WAITING))
        told.append(f"TABLE taken{turn}")
    return f"WITH {','.join(parts)} {' UNION ALL '.join(told)}".encode()


_NOTE = f"""
INSERT INTO mailinglist_signupcount AS c (scope, key, since, asked, passed)
VALUES (%(scope)s, %(key)s, %(piece)s, 1, 1)
ON CONFLICT (scope, key, since) DO UPDATE SET asked = c.asked + 1, passed = c.passed + 1
RETURNING {_NOT_WAITING}"""  # noqa: S608 - nothing in it comes from outside

_FIRST = """
INSERT INTO mailinglist_signupcount (scope, key, since, asked, passed) VALUES (%(scope)s, %(key)s, %(at)s, 1, 1)
ON CONFLICT (scope, key, since) DO NOTHING"""
