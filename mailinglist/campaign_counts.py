"""The numbers of campaigns, without counting a million rows while somebody waits. The only writer of CampaignCount.

A small campaign is counted at the moment it is looked at. A larger one is shown as ``refresh`` counted it, which a task
calls every few seconds: the more often the younger the campaign is, and the less often the longer it takes.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from mailinglist import reports
from mailinglist.models import Campaign, CampaignCount, Delivery

State = Delivery.State
#: Recipients that are counted while somebody waits: some twenty milliseconds.
LIVE_MOST = 5_000
#: Counted again after so many seconds at the earliest, and so many times what it took.
SECONDS, TIMES = 9.0, 20
#: … and, when it is not sending, after this share of its age: one of a month twice a day.
AGE_SHARE = 0.01
#: What comes back about older campaigns changes their numbers no more.
OLDEST = timedelta(days=180)
#: One call of refresh begins no further campaign after so many seconds.
ENOUGH_SECONDS = 5.0

_STATES = """
    SELECT wanted.id, size.number, states.counts, read.opened, read.clicked, gone.number
    FROM unnest(%s::bigint[]) AS wanted (id)
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT 1 FROM mailinglist_delivery d WHERE d.campaign_id = wanted.id LIMIT %s) first_ones) size
    LEFT JOIN LATERAL (SELECT json_object_agg(state, number) AS counts FROM (
        SELECT state, count(*) AS number FROM mailinglist_delivery d
        WHERE d.campaign_id = wanted.id AND size.number <= %s GROUP BY state) of_state) states ON true
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE opened = 'person') AS opened,
               count(*) FILTER (WHERE clicked = 'person') AS clicked
        FROM mailinglist_engagement e WHERE e.campaign_id = wanted.id AND size.number <= %s) read ON true
    LEFT JOIN LATERAL (SELECT count(DISTINCT subscriber_id) AS number FROM mailinglist_subscription s
                       WHERE s.left_after_id = wanted.id AND size.number <= %s) gone ON true"""


# Written as a range of one state: for an equal one PostgreSQL may walk along all ids until it meets the first.
_SPAN = """
    SELECT min(first), max(last) FROM unnest(%s::text[]) AS wanted (state)
    CROSS JOIN LATERAL (
        SELECT (SELECT id FROM mailinglist_delivery d
                WHERE d.campaign_id = %s AND d.state >= wanted.state AND d.state <= wanted.state
                ORDER BY state DESC, id LIMIT 1) AS first,
               (SELECT id FROM mailinglist_delivery d
                WHERE d.campaign_id = %s AND d.state >= wanted.state AND d.state <= wanted.state
                ORDER BY state, id DESC LIMIT 1) AS last) ends"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """``report`` as reports.campaign_report makes it; ``counted_at``: None where it was counted just now."""

    report: dict[str, Any]
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a campaign in a few numbers of mails. ``opened`` and ``clicked``: by people; ``left``: people."""

    by_state: Mapping[str, int]
    opened: int = 0
    clicked: int = 0
    left: int = 0
    counted_at: datetime | None = None

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    @property
    def done(self) -> int:
        """Those that need no first attempt any more."""
        return self.total - self._sum(State.QUEUED, State.SENDING)

    @property
    def sent(self) -> int:
        return self._sum(*Delivery.POSTED)

    @property
    def delivered(self) -> int:
        return self._sum(State.DELIVERED)

    @property
    def bounced(self) -> int:
        """Hard, or softly and waiting for a retry or given up."""
        return self._sum(State.BOUNCED, State.WAITING, State.EXPIRED)

    @property
    def complaints(self) -> int:
        return self._sum(State.COMPLAINED)

    def _sum(self, *states: str) -> int:
        return sum(self.by_state.get(state, 0) for state in states)


def numbers(campaign_id: int) -> Numbers | None:
    """The report of a campaign; None where it is big and nobody has counted it yet (it takes some seconds)."""
    rows = Delivery.objects.filter(campaign_id=campaign_id).order_by()
    if rows[: LIVE_MOST + 1].count() <= LIVE_MOST:
        return Numbers(reports.campaign_report(campaign_id))
    kept = CampaignCount.objects.filter(pk=campaign_id).first()
    return Numbers({**kept.report, "by_state": kept.by_state}, kept.counted_at) if kept else None


def results(campaign_ids: Collection[int]) -> dict[int, Result]:
    """The few numbers of some campaigns, in two statements. A big one that nobody has counted yet is left out."""
    if not campaign_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [list(campaign_ids), LIVE_MOST + 1, *[LIVE_MOST] * 3])
        rows = cursor.fetchall()
    found = {
        pk: Result(counts or {}, opened, clicked, left)
        for pk, number, counts, opened, clicked, left in rows
        if number <= LIVE_MOST
    }
    for kept in CampaignCount.objects.filter(pk__in=set(campaign_ids) - set(found)):
        report = kept.report
        read = report["opened_by_people"], report["clicked_by_people"]
        # What was counted before people were told apart by the campaign they left after has no such number.
        found[kept.pk] = Result(kept.by_state, *read, report.get("left", 0), kept.states_at)
    return found


def span(campaign_id: int) -> tuple[int, int]:
    """The first and the last number (id) of a campaign's deliveries, which were made together; (1, 0) without any.

    With it a table of one campaign is read along the numbers, newest first, instead of sorting a million rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPAN, [State.values, campaign_id, campaign_id])
        first, last = cursor.fetchone()
    return (first, last) if first else (1, 0)


def refresh(now: datetime | None = None) -> int:
    """Count the campaigns whose numbers are old, the one that waits longest first. Returns how many."""
    now = now or timezone.now()
    begun, counted = time.monotonic(), 0
    for campaign_id, count in _due(now):
        if time.monotonic() - begun > ENOUGH_SECONDS:
            break
        count(campaign_id, now)
        counted += 1
    return counted


def _due(now: datetime) -> Iterator[tuple[int, Callable[[int, datetime], None]]]:
    """Campaigns with what is to be counted: the states of those that send come first, they are quick."""
    started = Campaign.objects.filter(started_at__isnull=False).exclude(count=None).select_related("count")
    sending = started.filter(status=Campaign.Status.SENDING).defer("body").order_by("count__states_at")
    for row in sending:
        if _is_old(row.count.states_at, row.count.states_seconds, now):
            yield row.pk, _count_states
    uncounted = Campaign.objects.filter(started_at__isnull=False, count=None).order_by("-pk")
    for pk in uncounted.values_list("pk", flat=True):
        yield pk, _count
    moving = Q(status__in=[Campaign.Status.SENDING, Campaign.Status.PAUSED])
    young = started.filter(moving | Q(started_at__gt=now - OLDEST)).defer("body")
    for row in young.order_by("count__counted_at"):
        assert row.started_at
        resting = row.status != Campaign.Status.SENDING
        age = AGE_SHARE * (now - row.started_at).total_seconds() if resting else 0.0
        if _is_old(row.count.counted_at, row.count.seconds, now, least=age):
            yield row.pk, _count


def _is_old(counted_at: datetime, seconds: float, now: datetime, *, least: float = 0.0) -> bool:
    return (now - counted_at).total_seconds() >= max(SECONDS, TIMES * seconds, least)


def _count_states(campaign_id: int, now: datetime) -> None:
    begun = time.monotonic()
    states = reports.by_state(campaign_id)
    CampaignCount.objects.filter(pk=campaign_id).update(
        by_state=states, states_at=now, states_seconds=time.monotonic() - begun
    )


def _count(campaign_id: int, now: datetime) -> None:
    begun = time.monotonic()
    report = reports.campaign_report(campaign_id)
    # The states may be counted at once afterwards: nobody knows yet how long they take alone.
    values = {"report": report, "counted_at": now, "seconds": time.monotonic() - begun}
    states = {"by_state": report["by_state"], "states_at": now}
    CampaignCount.objects.update_or_create(
        campaign_id=campaign_id,
        defaults=values | states,
        create_defaults=values | states | {"states_seconds": 0.0},
    )
