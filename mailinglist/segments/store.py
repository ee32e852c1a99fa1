"""Keeping segments: the only writer of Segment."""

from django.db import transaction

from mailinglist import deciding, lifecycle
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Segment
from mailinglist.segments import rules, uses, words
from mailinglist.segments.rules import Group


class InUse(ValueError):
    """Campaigns that are not over choose by it; the message names them."""


@transaction.atomic
def save(segment: Segment, tree: Group, *, by: Actor) -> None:
    """Store it with these rules. Its name must be free (the form has looked).

    Scheduled campaigns that choose by it become drafts where the rules are others: they were confirmed for other people.
    """
    new = segment._state.adding
    before = segment.rules
    if new:
        segment.created_by = by.user
    segment.rules = rules.as_json(tree)
    segment.save()
    record(
        Noun.SEGMENT,
        segment.pk,
        before="" if new else "defined",
        after="defined",
        why=f"“{segment}”: {words.sentence(tree)}",
        by=by,
    )
    if not new and before != segment.rules:
        for campaign_id in uses.scheduled_with(segment):
            why = deciding.chosen_anew(f"the rules of the segment “{segment}”")
            lifecycle.unschedule(campaign_id, by=by, why=why)


@transaction.atomic
def remove(segment: Segment, *, by: Actor) -> None:
    """Forget it. Raises InUse: without it a campaign would go to more people than its manager chose."""
    if names := uses.campaigns_with(segment):
        raise InUse(
            f"“{segment}” is used by {', '.join(f'“{name}”' for name in names)}. Take it out there first."
        )
    record(Noun.SEGMENT, segment.pk, before="defined", after="removed", why=f"“{segment}”.", by=by)
    segment.delete()
