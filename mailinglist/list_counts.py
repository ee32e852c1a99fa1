"""How many people are on each list, and how many came and left by week. The only writer of ListCount and ListDay.

The sizes are counted by index; the days are read from the history of changes, which knows of everybody who came, left
and came again. Both by a task every few minutes: pages read the small rows. A small list is counted when it is shown.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone

from mailinglist.models import ListCount, ListDay

#: People of one status that are counted while somebody waits.
LIVE_MOST = 2_000
#: Weeks that the growth goes back.
WEEKS = 26
#: A transaction that wrote a change may be so late: days younger than this are counted again.
LATE = timedelta(days=1)

_LIVE = """
    SELECT list_id, status, (SELECT count(*) FROM (
        SELECT 1 FROM mailinglist_subscription s WHERE s.list_id = wanted.list_id AND s.status = statuses.status LIMIT %s
    ) first_ones)
    FROM unnest(%s::bigint[]) AS wanted (list_id),
         (VALUES ('confirmed'), ('pending'), ('unsubscribed')) AS statuses (status)"""
_SIZES = """
    INSERT INTO mailinglist_listcount (list_id, confirmed, pending, unsubscribed, counted_at)
    SELECT l.id, n.confirmed, n.pending, n.unsubscribed, %s FROM mailinglist_mailinglist l
    CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM mailinglist_subscription WHERE list_id = l.id AND status = 'confirmed') AS confirmed,
               (SELECT count(*) FROM mailinglist_subscription WHERE list_id = l.id AND status = 'pending') AS pending,
               (SELECT count(*) FROM mailinglist_subscription WHERE list_id = l.id AND status = 'unsubscribed')
                   AS unsubscribed
    ) n
    ON CONFLICT (list_id) DO UPDATE SET confirmed = excluded.confirmed, pending = excluded.pending,
        unsubscribed = excluded.unsubscribed, counted_at = excluded.counted_at"""
# From one status to another, within a day: who confirms has joined, who stops being confirmed has left.
_DAYS = """
    INSERT INTO mailinglist_listday (list_id, day, joined, "left")
    SELECT list_id, (at AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE after = 'confirmed'),
           count(*) FILTER (WHERE before = 'confirmed')
    FROM mailinglist_change
    WHERE noun = 'subscription' AND at >= %s AND list_id IS NOT NULL AND before <> after
        AND 'confirmed' IN (before, after)
    GROUP BY 1, 2
    ON CONFLICT (list_id, day) DO UPDATE SET joined = excluded.joined, "left" = excluded."left"
"""


@dataclass(frozen=True, slots=True)
class Size:
    """People by the status of their subscription; ``counted_at``: of the oldest number in it, None: just now."""

    confirmed: int = 0
    pending: int = 0
    unsubscribed: int = 0
    counted_at: datetime | None = None
    #: Nobody has counted it yet: the numbers are the least that it can be.
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """The week that begins at ``monday``."""

    monday: date
    joined: int
    left: int

    @property
    def moment(self) -> datetime:
        return datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)


def sizes(list_ids: Collection[int]) -> dict[int, Size]:
    """How many people are on these lists: exact where they are few, else as the task counted them last."""
    live: dict[int, dict[str, int]] = {pk: {} for pk in list_ids}
    if not live:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [LIVE_MOST, list(live)])
        for pk, status, number in cursor.fetchall():
            live[pk][status] = number
    kept = {row.pk: row for row in ListCount.objects.filter(pk__in=live)}
    return {pk: _size(numbers, kept.get(pk)) for pk, numbers in live.items()}


def _size(live: dict[str, int], kept: ListCount | None) -> Size:
    many = [status for status, number in live.items() if number >= LIVE_MOST]
    known = {
        status: max(number, getattr(kept, status, 0)) for status, number in live.items() if status in many
    }
    numbers = {**live, **known}
    return Size(
        numbers["confirmed"],
        numbers["pending"],
        numbers["unsubscribed"],
        counted_at=kept.counted_at if kept and many else None,
        at_least=bool(many) and kept is None,
    )


def weeks(list_ids: Collection[int] | None = None, *, now: datetime | None = None) -> list[Week]:
    """Who came and who left in the last half year, oldest week first, for some lists or (None) all. None is left out."""
    today = (now or timezone.now()).date()
    last = today - timedelta(days=today.weekday())
    first = last - timedelta(weeks=WEEKS - 1)
    rows = ListDay.objects.filter(day__gte=first)
    if list_ids is not None:
        rows = rows.filter(list_id__in=list_ids)
    by_week = (
        rows.annotate(week=TruncWeek("day"))
        .values("week")
        .annotate(came=Sum("joined"), went=Sum("left"))
        .order_by("week")
    )
    found = {row["week"]: (row["came"], row["went"]) for row in by_week}
    mondays = (first + timedelta(weeks=number) for number in range(WEEKS))
    return [Week(monday, *found.get(monday, (0, 0))) for monday in mondays]


def total(found: Iterable[Week]) -> tuple[int, int]:
    """(who came, who left)."""
    rows = list(found)
    return sum(row.joined for row in rows), sum(row.left for row in rows)


@transaction.atomic
def refresh(now: datetime | None = None) -> None:
    """Count the sizes, and the days that may have changed since the last time; at the first time all of them."""
    now = now or timezone.now()
    last = ListDay.objects.aggregate(last=Max("day"))["last"]
    since = datetime(last.year, last.month, last.day, tzinfo=UTC) - LATE if last else "-infinity"
    with connection.cursor() as cursor:
        cursor.execute(_SIZES, [now])
        cursor.execute(_DAYS, [since])
