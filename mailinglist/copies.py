"""New drafts made from a campaign: a copy, and one to those whom it did not reach. Called by the admin."""

from typing import Any

from django.db import transaction

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Campaign

#: What is chosen beside the text.
_CHOSEN = (
    "lists",
    "include_segments",
    "exclude_segments",
    "exclude_tags",
    "exclude_lists",
    "exclude_campaigns",
)


class CannotFollow(ValueError):
    """There is nobody to send it to again; the message says why."""


def duplicate(campaign: Campaign, *, by: Actor) -> Campaign:
    """A new draft with the same text and people. A copy of one that follows another follows that one too."""
    return _copy(
        campaign,
        "copy",
        by=by,
        why=f"Copied from campaign {campaign.pk}.",
        follows=campaign.follows,
        follow_newcomers=campaign.follow_newcomers,
    )


def follow_up(campaign: Campaign, *, newcomers: bool, by: Actor) -> Campaign:
    """A new draft with the same text, to those whom the campaign did not reach and does not try any more.

    A campaign of its own, not rows put back into the old one: its numbers, archive and time for retries stay what they
    were, and who has got one of the mails is left out of the others when they start. Raises CannotFollow.
    """
    if campaign.status not in (Campaign.Status.FINISHED, Campaign.Status.CANCELLED):
        raise CannotFollow("It is not over yet: wait until it has finished.")
    if campaign.started_at is None:
        raise CannotFollow("It was never started.")
    return _copy(
        campaign,
        "again",
        by=by,
        why=f"To those whom campaign {campaign.pk} did not reach{' and new subscribers' if newcomers else ''}.",
        follows=campaign.follows or campaign,
        follow_newcomers=newcomers,
    )


@transaction.atomic
def _copy(campaign: Campaign, word: str, *, by: Actor, why: str, **values: Any) -> Campaign:
    written = {
        field.name: getattr(campaign, field.name)
        for field in Campaign._meta.concrete_fields
        if field.editable and not field.primary_key
    }
    written["name"] = f"{campaign.name[:110]} ({word})"
    copy = Campaign.objects.create(**{**written, **values}, created_by=by.user)
    for name in _CHOSEN:
        getattr(copy, name).set(getattr(campaign, name).all())
    record(Noun.CAMPAIGN, copy.pk, before="", after=copy.status, why=why, by=by)
    return copy
