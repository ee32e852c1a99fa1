"""How a campaign went over time and at each provider. The only writer of CampaignCourse.

A small campaign is counted at the moment it is looked at, a larger one by a task, after each time that its numbers were
counted (mailinglist/campaign_counts.py) and so that counting takes at most a twentieth of the time. Hours are those since
the start: one by one for the first HOURS, then days of 24.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from bounces import providers
from bounces.models import CampaignCourse
from mailinglist import campaign_counts
from mailinglist.models import Campaign, CampaignCount, Delivery

#: Counted by the hour for so long.
HOURS = 72
#: Nothing later is shown: retries have ended.
MOST_DAYS = 60
#: Providers that are told apart, those with most bounces first; all others are one.
PROVIDERS = 12
OTHERS = "all others"
#: One call of refresh begins no further campaign after so many seconds.
ENOUGH_SECONDS = 5.0
BOUNCES = ("hard", "soft", "block")
#: In the place of an hour: all of them together.
TOTAL = -1

# Each mail once in an hour. Opens and clicks: the first of each mail that a person opened or followed.
_ROWS = """
    WITH hours AS MATERIALIZED (
        SELECT e.delivery_id, floor(extract(epoch FROM e.occurred_at - %(start)s) / 3600)::int AS hour, e.verdict,
               lower(split_part(e.recipient, '@', 2)) AS domain
        FROM bounces_event e JOIN mailinglist_delivery d ON d.id = e.delivery_id
        WHERE d.campaign_id = %(campaign)s AND e.delivery_id BETWEEN %(first)s AND %(last)s
          AND e.verdict IN ('delivered', 'hard', 'soft', 'block') AND e.occurred_at < %(end)s)
    SELECT CASE WHEN hour < %(hours)s THEN greatest(hour, 0) ELSE hour / 24 * 24 END, verdict, domain,
           count(DISTINCT (delivery_id, hour)) FROM hours GROUP BY 1, 2, 3
    UNION ALL
    SELECT -1, a.verdict, split_part(s.email_key, '@', 2), count(DISTINCT d.id)
    FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id
    JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
    WHERE d.campaign_id = %(campaign)s AND a.delivery_id BETWEEN %(first)s AND %(last)s
      AND a.verdict IN ('delivered', 'hard', 'soft', 'block') GROUP BY 2, 3
    UNION ALL
    SELECT CASE WHEN hour < %(hours)s THEN greatest(hour, 0) ELSE hour / 24 * 24 END, 'sent', '', count(*) FROM (
        SELECT floor(extract(epoch FROM a.started_at - %(start)s) / 3600)::int AS hour
        FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id
        WHERE d.campaign_id = %(campaign)s AND a.delivery_id BETWEEN %(first)s AND %(last)s
          AND a.result = 'accepted' AND a.started_at < %(end)s) sent GROUP BY 1
    UNION ALL
    SELECT CASE WHEN hour < %(hours)s THEN greatest(hour, 0) ELSE hour / 24 * 24 END, what, '', count(*) FROM (
        SELECT CASE e.kind WHEN 'open' THEN 'opened' ELSE 'clicked' END AS what,
               floor(extract(epoch FROM min(e.occurred_at) - %(start)s) / 3600)::int AS hour
        FROM mailinglist_engagement g JOIN bounces_event e ON e.delivery_id = g.delivery_id
        WHERE g.campaign_id = %(campaign)s
          AND ((e.kind = 'open' AND g.opened = 'person') OR (e.kind = 'click' AND g.clicked = 'person'))
        GROUP BY e.delivery_id, e.kind HAVING min(e.occurred_at) < %(end)s) read GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one hour or day. ``counts``: sent, delivered, hard, soft, block, opened, clicked."""

    at: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Course:
    """``rows``: (hour, what, provider, number); of hour TOTAL the recipients of each provider, at any time.

    ``counted_at``: None where it was counted just now.
    """

    start: datetime
    rows: list[tuple[int, str, str, int]]
    counted_at: datetime | None = None

    def by_provider(self) -> list[tuple[str, Mapping[str, int]]]:
        """(provider, recipients by verdict), the one with most bounces first, the others together last."""
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        for hour, what, provider, number in self.rows:
            if hour == TOTAL:
                totals[provider][what] += number
        return sorted(
            totals.items(),
            key=lambda found: (found[0] == OTHERS, -sum(found[1][what] for what in BOUNCES), found[0]),
        )

    def hours(self, provider: str = "") -> list[Step]:
        """The first HOURS, to the last in which anything happened; with ``provider`` only what came back from it."""
        return self._steps(1, provider, before=HOURS)

    def days(self, provider: str = "") -> list[Step]:
        """The same by days since the start."""
        return self._steps(24, provider)

    def _steps(self, size: int, provider: str, before: int | None = None) -> list[Step]:
        found: dict[int, Counter[str]] = defaultdict(Counter)
        last = -1
        for hour, what, of, number in self.rows:
            if hour == TOTAL or (before is not None and hour >= before):
                continue
            last = max(last, hour // size)
            if not provider or of == provider:
                found[hour // size][what] += number
        return [
            Step(self.start + timedelta(hours=size * step), found.get(step, Counter()))
            for step in range(last + 1)
        ]


def of(campaign: Campaign, *, is_small: bool | None = None) -> Course | None:
    """The course of a campaign that has started; None where it is big and nobody has counted it yet.

    ``is_small``: whether its numbers were counted just now, for a caller who knows; None: it is found out.
    """
    assert campaign.started_at
    if is_small is None:
        rows, most = Delivery.objects.filter(campaign=campaign).order_by(), campaign_counts.LIVE_MOST
        is_small = rows[: most + 1].count() <= most
    if is_small:
        return Course(campaign.started_at, _counted(campaign))
    kept = CampaignCourse.objects.filter(pk=campaign.pk).first()
    if kept is None:
        return None
    return Course(campaign.started_at, [(*row,) for row in kept.rows], kept.counted_at)


def refresh(now: datetime | None = None) -> int:
    """Count the courses of campaigns whose numbers were counted since. Returns how many."""
    now = now or timezone.now()
    begun, counted = time.monotonic(), 0
    for campaign in _due(now):
        if time.monotonic() - begun > ENOUGH_SECONDS:
            break
        started = time.monotonic()
        rows = _counted(campaign)
        CampaignCourse.objects.update_or_create(
            campaign=campaign,
            defaults={"rows": rows, "counted_at": now, "seconds": time.monotonic() - started},
        )
        counted += 1
    return counted


def _due(now: datetime) -> Iterator[Campaign]:
    kept = {row.pk: row for row in CampaignCourse.objects.defer("rows")}
    newer = CampaignCount.objects.order_by(F("counted_at").desc()).values_list("pk", "counted_at")
    due = []
    for pk, counted_at in newer:
        row = kept.get(pk)
        if row is None:
            due.append((timezone.make_aware(datetime(1970, 1, 2)), -pk))
        elif row.counted_at < counted_at and (now - row.counted_at).total_seconds() >= (
            campaign_counts.TIMES * row.seconds
        ):
            due.append((row.counted_at, -pk))
    for _, pk in sorted(due):
        yield Campaign.objects.defer("body").get(pk=-pk)


def _counted(campaign: Campaign) -> list[tuple[int, str, str, int]]:
    first, last = campaign_counts.span(campaign.pk)
    assert campaign.started_at
    values: dict[str, str | int | datetime] = {
        "campaign": campaign.pk,
        "start": campaign.started_at,
        "end": campaign.started_at + timedelta(days=MOST_DAYS),
        "hours": HOURS,
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
        found = cursor.fetchall()
    by_name: Counter[tuple[int, str, str]] = Counter()
    weight: Counter[str] = Counter()
    for hour, what, domain, number in found:
        name = providers.of_domain(domain) if domain else ""
        by_name[hour, what, name] += number
        # A bounce weighs more than any number of deliveries; among those without, the largest.
        weight[name] += number * (1_000_000_000 if what in BOUNCES else 1)
    weight.pop("", None)
    named = {name for name, _ in weight.most_common(PROVIDERS)} | {""}
    rows: Counter[tuple[int, str, str]] = Counter()
    for (hour, what, name), number in by_name.items():
        # What people were erased from is at nobody's.
        rows[hour, what, name if name in named else OTHERS] += number
    return [(*key, number) for key, number in sorted(rows.items())]
