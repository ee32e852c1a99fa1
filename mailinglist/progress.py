"""Campaigns that are under way: how far they are, how fast they go, and what they wait for. Read-only.

For the first page of the admin and the address that it asks again every few seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, QuerySet, When
from django.utils import timezone

from mailinglist import access, zones
from mailinglist.campaign_counts import Result
from mailinglist.models import Campaign
from mailinglist.sending import pace_words, pacing, queue
from mailinglist.sending.pace_words import Explanation

#: So many are shown, those that send before those that are paused or planned.
SHOWN = 5
Status = Campaign.Status
_ORDER = (Status.SENDING, Status.PAUSED, Status.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Progress:
    """One campaign. ``total`` None: not counted yet, or not known before it starts. ``rate``: mails a second."""

    campaign: Campaign
    done: int | None
    total: int | None
    rate: float
    #: Why it does not go faster, or at all; sentences.
    waits: tuple[str, ...]
    counted_at: datetime | None = None

    @property
    def share(self) -> float | None:
        """In per cent, never 100 before the last one."""
        if self.total is None or self.done is None:
            return None
        if self.done >= self.total:
            return 100.0
        return min(99.9, round(100 * self.done / self.total, 1))

    @property
    def seconds_left(self) -> float | None:
        """At the present rate; None while nothing moves."""
        if self.total is None or self.done is None or self.rate <= 0:
            return None
        return (self.total - self.done) / self.rate

    @property
    def left(self) -> str:
        """The same in words."""
        seconds = self.seconds_left
        return (
            ""
            if seconds is None or self.campaign.status != Status.SENDING
            else f"about {_span(seconds)} left"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.campaign.pk,
            "status": self.campaign.status,
            "done": self.done,
            "total": self.total,
            "share": self.share,
            "rate": self.rate,
            "left": self.left,
            "waits": list(self.waits),
        }


def under_way(among: QuerySet[Campaign]) -> list[Campaign]:
    """At most SHOWN campaigns that send, are paused or are planned."""
    order = Case(*(When(status=status, then=place) for place, status in enumerate(_ORDER)))
    rows = among.filter(status__in=_ORDER).defer("body")
    return list(rows.order_by(order, "scheduled_at", "-pk")[:SHOWN])


def pace_for(user: Any) -> Explanation:
    """The pace as this manager may know it: what the account sends takes a role for the whole installation."""
    pace = pacing.explain()
    if access.lists_for(user, "mailinglist.view_campaign") is None:
        return pace
    seen = access.visible(Campaign.objects.filter(pk__in=pace.rates), user, "mailinglist.view_campaign")
    return pace_words.of_some(pace, set(seen.values_list("pk", flat=True)))


def of(
    campaigns: Iterable[Campaign],
    pace: Explanation,
    results: Mapping[int, Result],
    *,
    now: datetime | None = None,
) -> list[Progress]:
    """How far they are. ``pace`` as pace_for tells it, ``results`` as campaign_counts.results."""
    now = now or timezone.now()
    return [_of(row, pace, results.get(row.pk), now) for row in campaigns]


def _of(row: Campaign, pace: Explanation, result: Result | None, now: datetime) -> Progress:
    waits = tuple(_waits(row, pace, now))
    if result is None or row.status == Status.SCHEDULED:
        return Progress(row, None, None, 0.0, waits)
    rate = pace.rates.get(row.pk, 0.0) if row.status == Status.SENDING else 0.0
    return Progress(row, result.done, result.total, rate, waits, result.counted_at)


def _waits(row: Campaign, pace: Explanation, now: datetime) -> Iterator[str]:
    if row.status == Status.SCHEDULED:
        yield _plan(row)
        return
    if row.status == Status.PAUSED:
        yield row.status_detail or "It is paused."
        return
    if row.guard_text:
        yield row.guard_text
    if row.canary_last_id:
        yield (
            f"The first mails have left; their bounces and complaints are awaited until {_clock(row.canary_until)}."
            if row.canary_until
            else "Only the first 1 % (at least 50 people) get the mail now; the rest waits for how they do."
        )
    if row.at_local_time and row.planned_at:
        due = queue.next_due_in(row.pk)
        if due:
            yield f"The next people get it when it is time on their own clocks, {_clock(now + timedelta(seconds=due))}."
    yield from (reason.sentence for reason in pace.reasons if reason.slows)


def _plan(row: Campaign) -> str:
    if row.planned_at:
        return zones.sentence(row.planned_at, row.time_zone or "UTC", everywhere=row.at_local_time)
    return f"It starts by itself at {row.scheduled_at:%d %b %Y %H:%M} UTC."


def _clock(at: datetime) -> str:
    return f"{at:%d %b %H:%M} UTC"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{round(hours / 24)} days"
