"""What segments can ask about bounces: how well an address is, and when it bounced last. Registered at the start."""

from collections.abc import Callable
from datetime import datetime, timedelta

from mailinglist.segments.kinds import DAYS, NOTHING, Ask, Condition, Kind, register
from mailinglist.segments.rules import Rule

_HEALTH = "SELECT 1 FROM bounces_addresshealth h WHERE h.subscriber_id = s.id"


def _state(state: str) -> Callable[[Rule, datetime], Condition]:
    return lambda rule, now: (f"EXISTS ({_HEALTH} AND h.state = %s)", [state])


def _since(start: str) -> Callable[[Rule, datetime], Condition]:
    return lambda rule, now: (
        f"{start} ({_HEALTH} AND h.last_bounce_at >= %s)",
        [now - timedelta(days=int(rule.value))],
    )


register(
    Kind(
        "health",
        "Address",
        {
            # Nothing is known about an address that no report was about: nothing is wrong with it.
            "healthy": Ask(
                "is healthy",
                NOTHING,
                lambda rule, now: (f"NOT EXISTS ({_HEALTH} AND h.state <> 'healthy')", []),
            ),
            "wavering": Ask("bounced softly and is not proven well again", NOTHING, _state("wavering")),
            "unreachable": Ask("was given up", NOTHING, _state("unreachable")),
            "bounced": Ask("bounced within the last … days", DAYS, _since("EXISTS")),
            "not-bounced": Ask("did not bounce in the last … days", DAYS, _since("NOT EXISTS")),
        },
    )
)
