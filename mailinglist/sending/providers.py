"""Providers that keep our mails waiting get theirs more slowly for a while; nobody else is slowed.

``report`` is called by ``bounces`` with what a provider said (delays, refusals for too many mails); ``keep_back`` by the
claim, only while some provider is slowed. Each mail to a slowed provider is given a turn, once: it stays queued with the
time of its turn, so that it does not stand in the way of the others, and nothing is counted or compared per mail while no
provider is slowed. Mail that a person waits for is never kept back. Times are the database's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models.functions import Now

from mailinglist.models import ProviderPace

#: So many reports within so many seconds are the provider's will; some reports say it outright.
REPORTS, WINDOW_SECONDS = 3, 600
#: A provider is slowed for so long after it last complained; its pace is halved at most once in STEP_SECONDS.
SLOW_SECONDS, STEP_SECONDS = 900, 60
#: Mails a second: the least, and what an unknown pace is taken for.
LEAST, UNKNOWN_PACE = 0.1, 1.0
#: The claim looks at so many rows more than it may take, to find mails to other providers.
LOOK_FURTHER = 1000
#: Turns within so many seconds are taken at once.
SOON = timedelta(seconds=1)
#: Reasons of queued deliveries: it has its turn; it is looked at again when the provider is no longer slowed.
TURN, KEPT_BACK = "provider-turn", "provider-slow"

_PACE_NOW = """
    SELECT count(*) / %s::float FROM mailinglist_attempt a
    JOIN mailinglist_delivery d ON d.id = a.delivery_id JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
    WHERE a.started_at > clock_timestamp() - make_interval(secs => %s)
      AND split_part(s.email_key, '@', 2) = ANY(%s)"""

_ROWS = """
    SELECT d.id, split_part(s.email_key, '@', 2), CASE WHEN d.reason = %s THEN d.changed_at END
    FROM mailinglist_delivery d JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
    WHERE d.id = ANY(%s::bigint[])"""

_KEEP_BACK = """
    UPDATE mailinglist_delivery d SET next_attempt_at = k.at, reason = k.reason, changed_at = clock_timestamp()
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS k(id, at, reason) WHERE d.id = k.id"""


def report(provider: str, domains: Sequence[str], *, reports: int, outright: bool, why: str) -> bool:
    """A provider (by its name and all its domains) delayed or refused ``reports`` mails just now.

    ``outright``: it said plainly that these are too many mails. True when its pace is lower now than before.
    """
    with transaction.atomic():
        ProviderPace.objects.bulk_create(
            [ProviderPace(provider=provider, domains=list(domains), per_second=UNKNOWN_PACE)],
            ignore_conflicts=True,
        )
        row = ProviderPace.objects.select_for_update().annotate(now=Now()).get(pk=provider)
        row.reports = reports + (row.reports if _age(row.now, row.reported_at) < WINDOW_SECONDS else 0)
        row.domains, row.reported_at, row.why = list(domains), row.now, why
        lowered = False
        if outright or row.reports >= REPORTS:
            slow_already = row.until > row.now
            if not slow_already or row.lowered_at is None or _age(row.now, row.lowered_at) >= STEP_SECONDS:
                before = row.per_second if slow_already else _pace_now(domains)
                row.per_second, row.lowered_at = max(LEAST, before / 2), row.now
                row.next_turn_at = row.now
                lowered = True
            row.until = row.now + timedelta(seconds=SLOW_SECONDS)
        row.save()
    return lowered


def slowed() -> list[ProviderPace]:
    """The providers that are slowed now, the slowest first."""
    return list(ProviderPace.objects.filter(until__gt=Now()).order_by("per_second", "provider"))


def keep_back(cursor: psycopg.Cursor[Any], rows: Sequence[tuple[int, int]], n: int) -> list[tuple[int, int]]:
    """The first ``n`` of these locked (delivery, subscriber) that may go now. Of the ones passed over, each gets its
    turn. Call it in the claim's transaction.
    """
    found = cursor.execute(
        "SELECT provider, domains, per_second, until, lowered_at, next_turn_at, clock_timestamp() "
        "FROM mailinglist_providerpace WHERE until > clock_timestamp() ORDER BY provider FOR NO KEY UPDATE"
    ).fetchall()
    lines = [_Line(*columns) for columns in found]
    by_domain = {domain: line for line in lines for domain in line.domains}
    facts = cursor.execute(_ROWS, [TURN, [delivery for delivery, _ in rows]]).fetchall()
    domain_of = {pk: (domain, turn_given_at) for pk, domain, turn_given_at in facts}
    going: list[tuple[int, int]] = []
    kept: list[tuple[int, datetime, str]] = []
    for delivery, subscriber in rows:
        if len(going) == n:
            break
        domain, turn_given_at = domain_of[delivery]
        line = by_domain.get(domain)
        if line is None or line.has_turn(turn_given_at) or (turn := line.next_turn()) is None:
            going.append((delivery, subscriber))
        else:
            kept.append((delivery, *turn))
    if kept:
        cursor.execute(_KEEP_BACK, [list(column) for column in zip(*kept, strict=True)])
    for line in lines:
        cursor.execute(
            "UPDATE mailinglist_providerpace SET next_turn_at = %s WHERE provider = %s",
            [line.next_at, line.provider],
        )
    return going


class _Line:
    """The turns at one slowed provider."""

    def __init__(
        self,
        provider: str,
        domains: Sequence[str],
        per_second: float,
        until: datetime,
        lowered_at: datetime,
        next_at: datetime,
        now: datetime,
    ) -> None:
        self.provider, self.domains, self.until, self.lowered_at = provider, domains, until, lowered_at
        self.step, self.now = timedelta(seconds=1 / per_second), now
        self.next_at = max(next_at, now)

    def has_turn(self, given_at: datetime | None) -> bool:
        """Whether a turn that was given out at ``given_at`` still holds: the pace was not lowered since."""
        return given_at is not None and given_at >= self.lowered_at

    def next_turn(self) -> tuple[datetime, str] | None:
        """When the next mail may go, and the reason to write down; None: now."""
        turn = self.next_at
        if turn >= self.until:
            return self.until, KEPT_BACK
        self.next_at = turn + self.step
        return None if turn <= self.now + SOON else (turn, TURN)


def _pace_now(domains: Sequence[str]) -> float:
    """Mails a second that the domains got in the last minute."""
    with connection.cursor() as cursor:
        cursor.execute(_PACE_NOW, [STEP_SECONDS, STEP_SECONDS, list(domains)])
        measured = float(cursor.fetchone()[0])
    return measured or UNKNOWN_PACE


def _age(now: datetime, at: datetime) -> float:
    return (now - at).total_seconds()
