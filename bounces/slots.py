"""Counting what comes back per provider and quarter of an hour, in the background, from the events alone.

Called by the sweep of ``incidents``. A slot is counted anew whenever an event of its time came in, so that late,
repeated and reordered events cannot be counted twice. The charts of the admin read the slots, never the events.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from bounces import providers
from bounces.models import ProviderSlot, Watermark
from bounces.policy import NO_COMPLAINT
from bounces.waves import SLOT

NAME = "provider-slots"
#: Events are read in the order of their ids; a transaction that took so long to commit may have left some behind.
LATE = 5_000
STEP = 100_000
_DIRTY = """
    SELECT DISTINCT date_bin('15 minutes', occurred_at, timestamptz 'epoch') FROM bounces_event
    WHERE id > %s AND id <= %s AND verdict IN ('hard', 'soft', 'block', 'delivered', 'delayed', 'complaint')
"""
_COUNT = """
    SELECT lower(split_part(e.recipient, '@', 2)),
        count(*) FILTER (WHERE e.verdict = 'delivered'),
        count(*) FILTER (WHERE e.verdict = 'hard'),
        count(*) FILTER (WHERE e.verdict = 'soft'),
        count(*) FILTER (WHERE e.verdict = 'block'),
        count(*) FILTER (WHERE e.verdict = 'delayed'),
        count(*) FILTER (WHERE e.verdict = 'complaint' AND e.reason <> ALL(%s)),
        count(*) FILTER (WHERE known AND e.verdict IN ('delivered', 'hard', 'soft', 'block')),
        count(*) FILTER (WHERE known AND e.verdict = 'hard'),
        count(*) FILTER (WHERE known AND e.verdict = 'block')
    FROM bounces_event e
    LEFT JOIN bounces_addresshealth h ON h.subscriber_id = e.subscriber_id
    CROSS JOIN LATERAL (SELECT coalesce(h.first_delivered_at < e.occurred_at, false) AS known) k
    WHERE e.occurred_at >= %s AND e.occurred_at < %s AND e.delivery_id IS NOT NULL
        AND e.recipient <> ''
        AND e.verdict IN ('hard', 'soft', 'block', 'delivered', 'delayed', 'complaint')
    GROUP BY 1
"""
COLUMNS = (
    "delivered", "hard", "soft", "block", "delayed", "complaint", "known_seen", "known_hard", "known_block",
)  # fmt: skip


@dataclass(slots=True)
class Touched:
    """The slots that were counted anew."""

    times: set[datetime] = field(default_factory=set)

    @property
    def first(self) -> datetime:
        return min(self.times)

    @property
    def last(self) -> datetime:
        return max(self.times) + SLOT


def refresh() -> Touched:
    """Count the slots of all events that came since the last time. One run at a time; others do nothing."""
    touched = Touched()
    Watermark.objects.get_or_create(name=NAME)
    for low, high in _steps():
        with transaction.atomic():
            mark = Watermark.objects.select_for_update(skip_locked=True).filter(name=NAME).first()
            if mark is None or mark.position >= high:
                return touched
            dirty = _dirty(low - LATE, high)
            for at in sorted(dirty - touched.times):
                _count(at)
            touched.times |= dirty
            mark.position = high
            mark.save(update_fields=["position"])
    return touched


def recount() -> int:
    """Count all slots anew from the first event on. Returns how many."""
    Watermark.objects.filter(name=NAME).update(position=0)
    return len(refresh().times)


def _steps() -> Iterator[tuple[int, int]]:
    """Spans of event ids: (last one read, last one to read)."""
    low = Watermark.objects.get(name=NAME).position
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM bounces_event")
        newest = int(cursor.fetchone()[0])
    while low < newest:
        high = min(low + STEP, newest)
        yield low, high
        low = high


def _dirty(low: int, high: int) -> set[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(_DIRTY, [low, high])
        return {row[0] for row in cursor.fetchall()}


def _count(at: datetime) -> None:
    """Count one slot anew and write it down."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [sorted(NO_COMPLAINT), at, at + SLOT])
        for domain, *counts in cursor.fetchall():
            name = providers.of_domain(domain)[:253]
            sums[name] = [old + new for old, new in zip(sums[name], counts, strict=True)]
    ProviderSlot.objects.bulk_create(
        [
            ProviderSlot(provider=name, starts_at=at, **dict(zip(COLUMNS, counts, strict=True)))
            for name, counts in sorted(sums.items())
        ],
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["provider", "starts_at"],
        update_fields=list(COLUMNS),
    )
