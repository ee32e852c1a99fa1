"""Who gets a campaign: one Delivery per person, decided once, at the start.

Called by lifecycle.start inside its transaction. Suppressed people, and those who paused all mails, get a row too
(skipped, with the reason), so that "who did not get it, and why" has an answer; the unsubscribed and unconfirmed get
none, nor do those whom the campaign leaves out by segments, tags, lists or earlier campaigns (chosen.py). A person on
several of the campaign's lists gets one mail, for the list with the lowest id. What the numbers are before the start is
in audience_preview.py.
"""

from contextlib import nullcontext
from datetime import datetime

from django.db import connection

from mailinglist import zones
from mailinglist.models import Campaign
from mailinglist.sending import chosen, queue
from mailinglist.timeouts import within

_PEOPLE = """
    (SELECT b.subscriber_id, min(b.list_id) AS list_id FROM mailinglist_subscription b
     WHERE b.list_id = ANY(%s) AND b.status = 'confirmed' GROUP BY b.subscriber_id) person
    JOIN mailinglist_subscriber s ON s.id = person.subscriber_id
    LEFT JOIN mailinglist_suppression p ON p.key = s.suppression_key AND p.released_at IS NULL"""

# A pause counts at the time when the person's turn comes.
_REFUSAL = """CASE WHEN p.key IS NOT NULL THEN 'suppressed'
                WHEN s.paused_until > greatest(coalesce(turn.at, %s::timestamptz), statement_timestamp()) THEN 'paused'
                ELSE '' END"""

_INSERT = f"""
    INSERT INTO mailinglist_delivery (campaign_id, version_id, list_id, subscriber_id, purpose, state, reason,
                                      attempts, crashes, fence, created_at, changed_at, next_attempt_at)
    SELECT %s, %s, person.list_id, person.subscriber_id, 'campaign',
           CASE WHEN judged.refusal = '' THEN 'queued' ELSE 'skipped' END, judged.refusal,
           0, 0, 0, clock_timestamp(), clock_timestamp(),
           CASE WHEN judged.refusal = '' AND coalesce(turn.at, %s::timestamptz) > clock_timestamp()
                THEN coalesce(turn.at, %s::timestamptz) END
    FROM {_PEOPLE}
    LEFT JOIN unnest(%s::text[], %s::timestamptz[]) AS turn(zone, at) ON turn.zone = s.time_zone
    CROSS JOIN LATERAL (SELECT {_REFUSAL} AS refusal) judged
    {{chosen}}
    ORDER BY {{order}}
    ON CONFLICT (campaign_id, subscriber_id) DO NOTHING"""  # noqa: S608

_BY_ID = "person.subscriber_id"
# The canary is the first rows: people of all ages on the list, and others for each campaign.
_SHUFFLED = "md5(person.subscriber_id::text || clock_timestamp()::date::text)"
#: The canary: this share of the recipients, and at least so many.
CANARY_SHARE, CANARY_LEAST = 0.01, 50


#: Seconds for the snapshot of a campaign that leaves people out: nothing that somebody asks may hold the database.
PATIENCE = 600


def snapshot(campaign_id: int, *, clock: datetime | None = None) -> int:
    """Insert the campaign's deliveries; its version must be frozen. Returns how many rows were inserted.

    ``clock``: everybody gets it when their own clock shows this time (naive), those without a known time zone when
    the clocks of the campaign's zone do; at once where that is past. Without it all may go now.

    Raises segments.rules.BadRules, and timeouts.TookTooLong where the choice of people takes longer than PATIENCE.
    """
    campaign = Campaign.objects.get(pk=campaign_id)
    found = turns(campaign, clock) if clock else {}
    otherwise = campaign.planned_at if clock else None
    order = _SHUFFLED if campaign.canary_minutes else _BY_ID
    # In the order of the statement: the selected columns, the lists in _PEOPLE, the turns, the refusal.
    columns = [campaign.pk, campaign.version_id, otherwise, otherwise]
    values = [*columns, _lists(campaign), list(found), list(found.values()), otherwise]
    reasons = chosen.left_out(campaign)
    where, more = chosen.condition(reasons)
    statement = _INSERT.format(order=order, chosen=f"WHERE true{where}" if where else "")
    with within(PATIENCE) if reasons else nullcontext(), connection.cursor() as cursor:
        cursor.execute(statement, [*values, *more])
        inserted = int(cursor.rowcount)
    queue.supersede_older(campaign_id)
    return inserted


def turns(campaign: Campaign, clock: datetime) -> dict[str, datetime]:
    """time zone → when its clocks show ``clock``, for the zones of the people the campaign would reach now."""
    reasons = chosen.left_out(campaign)
    where, more = chosen.condition(reasons)
    with within(PATIENCE) if reasons else nullcontext(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT s.time_zone FROM {_PEOPLE} WHERE p.key IS NULL{where}",  # noqa: S608
            [_lists(campaign), *more],
        )
        return zones.turns(clock, [row[0] for row in cursor.fetchall()])


def canary_end(campaign_id: int) -> int | None:
    """The id of the last delivery of the canary; None where that would be everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, total FROM (
                   SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total
                   FROM mailinglist_delivery WHERE campaign_id = %s AND state = 'queued') rows
               WHERE place = greatest(%s, ceil(total * %s)) AND place < total""",
            [campaign_id, CANARY_LEAST, CANARY_SHARE],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _lists(campaign: Campaign) -> list[int]:
    return list(campaign.lists.order_by("pk").values_list("pk", flat=True))
