"""Who gets a campaign, around its start: what a manager confirmed, what has moved since, what cannot be found out.

Called by lifecycle.py, which owns the status, inside its transactions.
"""

from collections.abc import Callable
from typing import TypeVar

from mailinglist import timeouts
from mailinglist.changes import Actor
from mailinglist.models import Campaign, Delivery
from mailinglist.segments import rules
from mailinglist.sending import audience, audience_preview, chosen

_Decided = TypeVar("_Decided")


class Undecided(ValueError):
    """It cannot be found out who gets it; the message says why and what to do."""


def decided(decide: Callable[[], _Decided]) -> _Decided:
    """What ``decide`` returns. Raises Undecided for a broken segment, and for one that takes too long."""
    try:
        return decide()
    except rules.BadRules as bad:
        raise Undecided(str(bad)) from bad
    except timeouts.TookTooLong as slow:
        raise Undecided(
            f"It took longer than {audience.PATIENCE} seconds to find out who gets it. Ask less of its segments."
        ) from slow


def time_to_stop(campaign: Campaign) -> int:
    """Seconds between the confirmation and the first mail: the longest of its lists'."""
    return max((found.stop_seconds for found in campaign.lists.all()), default=0)


def moved(campaign: Campaign) -> str:
    """After the snapshot: a sentence where its people are not those that a manager confirmed a moment ago, else "".

    Until the day of a schedule people come and go; there only another choice of people counts (``chosen_anew``).
    """
    if not campaign.can_be_stopped or campaign.confirmed_for is None:
        return ""
    now = campaign.deliveries.filter(state=Delivery.State.QUEUED).count()
    if audience_preview.near(campaign.confirmed_for, now, about=campaign.confirmed_about):
        return ""
    return (
        f"It was confirmed for {campaign.confirmed_for:,} people, and would go to {now:,} now. "
        "Look at who gets it, and start it again."
    )


def chosen_anew(what: str) -> str:
    """Why a schedule is taken back when ``what`` was changed: other people than a manager confirmed."""
    return f"Whom it goes to was changed after it was confirmed: {what}."


def with_choice(by: Actor, campaign: Campaign) -> Actor:
    """The actor, with the choice of people as evidence where the campaign leaves some out."""
    choice = chosen.described(campaign)
    return Actor(by.kind, by.user, {**by.evidence, "audience": choice}) if choice else by
