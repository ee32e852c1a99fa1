"""Read-only numbers about campaigns, for the admin and the commands."""

from typing import Any

from django.db import connection
from django.db.models import Count

from mailinglist import engagement
from mailinglist.models import Delivery

#: Attempts with these codes never reached SES.
_NOT_POSTED = "('not-posted', 'render-error', 'unreachable')"
#: Verdicts that say that an attempt did not arrive.
BOUNCED = ("hard", "soft", "block", "message", "suppressed", "unknown")
_BOUNCED = str(BOUNCED)

# A copy counts as a duplicate when the copy before it may have arrived: it neither bounced nor was it
# refused, and it was not sent again knowingly (design of the ledger: possible duplicates are counted apart).
_ATTEMPTS = f"""
    WITH attempts AS (
        SELECT a.delivery_id, a.number, a.result, a.error_code, a.verdict, a.possible_duplicate, d.state,
               lag(a.verdict) OVER accepted AS last_verdict,
               count(*) FILTER (WHERE a.result = 'accepted') OVER accepted AS copy
        FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id
        WHERE d.campaign_id = %s
        WINDOW accepted AS (PARTITION BY a.delivery_id, a.result = 'accepted' ORDER BY a.number)
    ), per_delivery AS (
        SELECT delivery_id, min(state) AS state,
               bool_or(verdict = 'hard') AS hard, bool_or(verdict = 'soft') AS soft,
               bool_or(verdict = 'block') AS block, bool_or(verdict = 'complaint') AS complaint,
               bool_or(verdict = 'message') AS message, bool_or(verdict = 'suppressed') AS suppressed,
               bool_or(verdict = 'unknown') AS unknown,
               max(number) > min(number) FILTER (WHERE verdict IN {_BOUNCED}) AS retried
        FROM attempts GROUP BY delivery_id
    )
    SELECT
        (SELECT count(*) FROM attempts WHERE error_code NOT IN {_NOT_POSTED}),
        (SELECT count(*) FROM attempts WHERE result = 'accepted'),
        (SELECT count(*) FROM attempts WHERE result = 'accepted' AND copy > 1 AND NOT possible_duplicate
                AND coalesce(last_verdict, '') NOT IN {_BOUNCED}),
        (SELECT count(*) FROM attempts WHERE possible_duplicate AND result <> 'refused'),
        count(*) FILTER (WHERE hard), count(*) FILTER (WHERE soft), count(*) FILTER (WHERE block),
        count(*) FILTER (WHERE message), count(*) FILTER (WHERE suppressed), count(*) FILTER (WHERE unknown),
        count(*) FILTER (WHERE complaint), count(*) FILTER (WHERE retried),
        count(*) FILTER (WHERE retried AND state = 'delivered')
    FROM per_delivery"""  # noqa: S608

# In one statement: (part of the report, state or verdict, reason, how many), the most frequent first.
_REASONS = f"""
    SELECT 'by_state', '' AS first, state AS reason, count(*) AS number FROM mailinglist_delivery
    WHERE campaign_id = %(campaign)s GROUP BY 3
    UNION ALL
    SELECT 'by_reason', state, reason, count(*) FROM mailinglist_delivery
    WHERE campaign_id = %(campaign)s
      AND state IN ('unknown', 'waiting', 'bounced', 'failed', 'skipped', 'expired', 'cancelled') GROUP BY 2, 3
    UNION ALL
    SELECT 'bounced_because', a.verdict, a.reason, count(DISTINCT a.delivery_id)
    FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id
    WHERE d.campaign_id = %(campaign)s AND a.verdict IN {_BOUNCED} GROUP BY 2, 3
    UNION ALL
    SELECT 'left_because', '', left_because, count(DISTINCT subscriber_id) FROM mailinglist_subscription
    WHERE left_after_id = %(campaign)s GROUP BY 3
    UNION ALL
    SELECT 'left', '', '', count(DISTINCT subscriber_id) FROM mailinglist_subscription
    WHERE left_after_id = %(campaign)s
    ORDER BY number DESC, 2, 3"""  # noqa: S608

_NAMES = (
    "attempts",
    "accepted",
    "duplicates",
    "possible_duplicates",
    "hard",
    "soft",
    "block",
    "message",
    "suppressed",
    "unknown",
    "complaints",
    "retried",
    "recovered",
)


def by_state(campaign_id: int) -> dict[str, int]:
    """How many recipients are in each state; every state is there."""
    rows = Delivery.objects.filter(campaign_id=campaign_id).values_list("state")
    found = dict(rows.annotate(count=Count("pk")).order_by())
    return {state.value: found.get(state.value, 0) for state in Delivery.State}


def campaign_report(campaign_id: int) -> dict[str, Any]:
    """What became of a campaign's recipients. ``by_state`` has every state, ``final`` is true when none is
    open.

    hard, soft, block, message, suppressed, unknown, complaints: deliveries with such a verdict on any attempt.
    retried: sent again after a bounce; recovered: and delivered then. possible_duplicates: attempts made although
    an earlier one may have arrived. by_reason: state → reason → recipients, of the states that are no success.
    bounced_because: verdict → reason → deliveries with such a report. left: people who left a list by themselves after
    this mail and before the next; left_because: what they told about it ("": nothing). What recipients did with the
    mails: see engagement.numbers.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ATTEMPTS, [campaign_id])
        numbers = dict(zip(_NAMES, cursor.fetchone(), strict=True))
    parts, left = _parts(campaign_id)
    found = parts["by_state"].get("", {})
    states = {state.value: found.get(state.value, 0) for state in Delivery.State}
    still_open = sum(states[state.value] for state in Delivery.OPEN)
    return {
        "recipients": sum(states.values()),
        "by_state": states,
        "open": still_open,
        "final": still_open == 0,
        **numbers,
        "by_reason": parts["by_reason"],
        "bounced_because": parts["bounced_because"],
        "left": left,
        "left_because": parts["left_because"].get("", {}),
        **engagement.numbers(campaign_id),
    }


def _parts(campaign_id: int) -> tuple[dict[str, dict[str, dict[str, int]]], int]:
    """The parts of _REASONS: state or verdict → reason → how many; and the number of those who left."""
    with connection.cursor() as cursor:
        cursor.execute(_REASONS, {"campaign": campaign_id})
        rows = cursor.fetchall()
    parts: dict[str, dict[str, dict[str, int]]] = {
        name: {} for name in ("by_state", "by_reason", "bounced_because", "left_because", "left")
    }
    for part, first, reason, number in rows:
        parts[part].setdefault(first, {})[reason] = number
    return parts, parts["left"].get("", {}).get("", 0)
