"""Who gets a campaign: one Delivery per person, decided once, at the start.

Called by lifecycle.start inside its transaction. Suppressed people get a row too (skipped, with the reason),
so that "who did not get it, and why" has an answer; the unsubscribed and unconfirmed get none. A person on
several of the campaign's lists gets one mail, for the list with the lowest id.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from mailinglist.models import Campaign
from mailinglist.sending import queue

_PEOPLE = """
    (SELECT b.subscriber_id, min(b.list_id) AS list_id FROM mailinglist_subscription b
     WHERE b.list_id = ANY(%s) AND b.status = 'confirmed' GROUP BY b.subscriber_id) person
    JOIN mailinglist_subscriber s ON s.id = person.subscriber_id
    LEFT JOIN mailinglist_suppression p ON p.key = s.suppression_key AND p.released_at IS NULL"""

_INSERT = f"""
    INSERT INTO mailinglist_delivery (campaign_id, version_id, list_id, subscriber_id, purpose, state, reason,
                                      attempts, crashes, fence, created_at, changed_at)
    SELECT %s, %s, person.list_id, person.subscriber_id, 'campaign',
           CASE WHEN p.key IS NULL THEN 'queued' ELSE 'skipped' END,
           CASE WHEN p.key IS NULL THEN '' ELSE 'suppressed' END,
           0, 0, 0, clock_timestamp(), clock_timestamp()
    FROM {_PEOPLE} ORDER BY person.subscriber_id
    ON CONFLICT (campaign_id, subscriber_id) DO NOTHING"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Audience:
    """How many people a campaign would reach now, and how many of its subscribers it would leave out."""

    to_send: int
    suppressed: int


def snapshot(campaign_id: int) -> int:
    """Insert the campaign's deliveries; its version must be frozen. Returns how many rows were inserted."""
    campaign = Campaign.objects.get(pk=campaign_id)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [campaign.pk, campaign.version_id, _lists(campaign)])
        inserted = int(cursor.rowcount)
    queue.supersede_older(campaign_id)
    return inserted


def count(list_ids: Sequence[int]) -> Audience:
    """What a snapshot over these lists would find now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE p.key IS NULL), count(p.key) FROM {_PEOPLE}",  # noqa: S608
            [list(list_ids)],
        )
        to_send, suppressed = cursor.fetchone()
    return Audience(to_send=to_send, suppressed=suppressed)


def _lists(campaign: Campaign) -> list[int]:
    return list(campaign.lists.order_by("pk").values_list("pk", flat=True))
