"""How a campaign, or the whole account, looks to Amazon SES: its bounce rate and its complaint rate.

Read-only. SES counts hard bounces among the mails it accepted, and complaints among those it delivered; addresses of its
own suppression list count as bounces, those of the account's list do not. Mails to the SES simulator count for nothing.
Asked by ``guard.py`` every few seconds while something is sent: a campaign is counted by the index over its states, the
account only where something speaks against it at all. Of an address that was bounced and retried each attempt counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from mailinglist.models import Campaign

SIMULATOR = "simulator.amazonses.com"
_AGAINST = """
    count(*) FILTER (WHERE a.verdict = 'hard' OR a.reason = 'suppressed'),
    count(*) FILTER (WHERE a.verdict = 'complaint')
    FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id
    JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
    WHERE a.verdict IN ('hard', 'complaint', 'suppressed') AND a.started_at >= %s
      AND s.email_key NOT LIKE '%%@simulator.amazonses.com'"""
#: The simulator's people, by the index over reversed addresses.
_SIMULATED = "reverse(s.email_key) LIKE reverse('@simulator.amazonses.com') || '%%'"

_STATES = """
    SELECT count(*) FILTER (WHERE d.state IN ('sent', 'delivered', 'bounced', 'complained', 'waiting', 'expired')),
           count(*) FILTER (WHERE d.state IN ('delivered', 'complained'))
    FROM mailinglist_delivery d WHERE d.campaign_id = %s {only}"""
_OF_SIMULATOR = f"""AND d.subscriber_id IN (SELECT s.id FROM mailinglist_subscriber s WHERE {_SIMULATED})"""  # noqa: S608

_ACCOUNT = f"""
    SELECT count(*), count(*) FILTER (WHERE a.verdict IN ('delivered', 'complaint'))
    FROM mailinglist_attempt a
    WHERE a.result = 'accepted' AND a.started_at >= %s
      AND NOT EXISTS (SELECT 1 FROM mailinglist_delivery d JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
                      WHERE d.id = a.delivery_id AND {_SIMULATED})"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Numbers:
    """Mails that SES accepted and delivered, and those of them that count against us."""

    accepted: int = 0
    delivered: int = 0
    hard: int = 0
    complaints: int = 0

    @property
    def bounce_rate(self) -> float:
        return self.hard / self.accepted if self.accepted else 0.0

    @property
    def complaint_rate(self) -> float:
        """Without Delivery events nothing is known as delivered: then of what was accepted and did not bounce."""
        reached = self.delivered or self.accepted - self.hard
        return self.complaints / reached if reached > 0 else 0.0

    def since(self, seen: Mapping[str, int]) -> "Numbers":
        """What came on top of numbers that were seen before (``as_dict``)."""
        return Numbers(**{name: max(0, value - seen.get(name, 0)) for name, value in self.as_dict().items()})

    def as_dict(self) -> dict[str, int]:
        return {
            "accepted": self.accepted,
            "delivered": self.delivered,
            "hard": self.hard,
            "complaints": self.complaints,
        }


def of_campaign(campaign: Campaign) -> Numbers:
    """All numbers of a started campaign, retries included; nothing is subtracted for what was seen."""
    hard, complaints = _row(f"SELECT {_AGAINST} AND d.campaign_id = %s", campaign.started_at, campaign.pk)
    accepted, delivered = _row(_STATES.format(only=""), campaign.pk)
    simulated, simulated_delivered = _row(_STATES.format(only=_OF_SIMULATOR), campaign.pk)
    return Numbers(accepted - simulated, delivered - simulated_delivered, hard, complaints)


def of_account(now: datetime, *, window: timedelta, since: datetime | None = None) -> Numbers:
    """Everything that was sent in the window before ``now``, and not before ``since``. Nothing is counted where
    nothing speaks against us.
    """
    begin = max(now - window, since) if since else now - window
    hard, complaints = _row(f"SELECT {_AGAINST}", begin)
    if not (hard or complaints):
        return Numbers()
    accepted, delivered = _row(_ACCOUNT, begin)
    return Numbers(accepted, delivered, hard, complaints)


def _row(sql: str, *values: Any) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        first, second = cursor.fetchone()
    return first, second
