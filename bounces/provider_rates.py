"""How single providers treat our mail over time: rates per provider and per day, from the counted slots. Read-only.

Called by the provider pages of the admin. Reads ``ProviderSlot`` only, never the events: a month of a large
installation is some ten thousand small rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import TruncDate, TruncHour
from django.utils import timezone

from bounces.models import ProviderSlot

COUNTS = ("delivered", "hard", "soft", "block", "delayed", "complaint")
#: So many providers are listed, the largest first; one that is not among them can be asked for by name.
SHOWN = 25
#: Up to so many days are drawn by the hour.
HOURLY_DAYS = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """What came back in some time. Rates are shares of the mails that had an end."""

    delivered: int = 0
    hard: int = 0
    soft: int = 0
    block: int = 0
    delayed: int = 0
    complaint: int = 0

    @property
    def ended(self) -> int:
        return self.delivered + self.hard + self.soft + self.block

    def rate(self, count: int) -> float:
        """``count`` as a share; a report without any mail's end counts as the whole."""
        return min(1.0, count / self.ended) if self.ended else float(bool(count))

    @property
    def bounce_rate(self) -> float:
        return self.rate(self.hard + self.soft)

    @property
    def block_rate(self) -> float:
        return self.rate(self.block)

    @property
    def delay_rate(self) -> float:
        return self.rate(self.delayed)


@dataclass(frozen=True, slots=True)
class Point:
    """The counts of one day or hour."""

    at: datetime
    counts: Counts


def largest(days: int, *, name: str = "", now: datetime | None = None) -> list[tuple[str, Counts]]:
    """The providers with most mails in the last ``days`` days; with ``name`` those whose name contains it."""
    rows = ProviderSlot.objects.filter(starts_at__gte=_since(days, now))
    if name:
        rows = rows.filter(provider__icontains=name)
    ended = Sum(F("delivered") + F("hard") + F("soft") + F("block"))
    sums: Any = (
        rows.values("provider").annotate(**_sums(), ended=ended).order_by("-ended", "provider")[:SHOWN]
    )
    return [(row["provider"], _counts(row)) for row in sums]


def over_time(provider: str, days: int, *, now: datetime | None = None) -> list[Point]:
    """One point a day (an hour, for few days), oldest first; times without any report have none."""
    rows = ProviderSlot.objects.filter(provider=provider, starts_at__gte=_since(days, now))
    step = TruncHour("starts_at") if days <= HOURLY_DAYS else TruncDate("starts_at")
    found: Any = rows.annotate(step=step).values("step").annotate(**_sums()).order_by("step")
    return [Point(_moment(row["step"]), _counts(row)) for row in found]


def total(points: Iterable[Point]) -> Counts:
    """All points together."""
    sums = dict.fromkeys(COUNTS, 0)
    for point in points:
        for name in COUNTS:
            sums[name] += getattr(point.counts, name)
    return Counts(**sums)


def is_known(provider: str) -> bool:
    return ProviderSlot.objects.filter(provider=provider).exists()


def _since(days: int, now: datetime | None) -> datetime:
    return (now or timezone.now()) - timedelta(days=days)


def _sums() -> dict[str, Any]:
    return {f"_{name}": Sum(name) for name in COUNTS}


def _counts(row: dict[str, Any]) -> Counts:
    return Counts(**{name: row[f"_{name}"] or 0 for name in COUNTS})


def _moment(step: date | datetime) -> datetime:
    if isinstance(step, datetime):
        return step
    return datetime(step.year, step.month, step.day, tzinfo=timezone.get_default_timezone())
