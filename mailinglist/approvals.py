"""Four eyes: a campaign to a list that wants it starts only after a second manager approved exactly what would go out.

The only writer of Approval. A question and an approval are of a fingerprint of everything that the form of a campaign
holds, of its senders and of the compiled mail, so whatever changes afterwards, by whatever way, makes them void: what one
manager asked for and another approved is the same mail. lifecycle.py asks ``problem``.
"""

import hashlib
import json

from django.db import transaction
from django.utils import timezone

from mailinglist.changes import Actor, Noun, record
from mailinglist.composing import body
from mailinglist.composing.problems import Problem
from mailinglist.models import Approval, Campaign, Change


class CannotApprove(ValueError):
    """Why this manager, or this campaign, cannot; a sentence."""


def is_wanted(campaign: Campaign) -> bool:
    """Whether one of its lists wants four eyes."""
    return any(found.four_eyes for found in campaign.lists.all())


def of(campaign: Campaign) -> Approval | None:
    """What was asked and approved, whether it still stands or not."""
    return Approval.objects.select_related("asked_by", "approved_by").filter(campaign=campaign).first()


def stands(campaign: Campaign, row: Approval | None) -> bool:
    """Whether it is approved as it is now."""
    return bool(row and row.approved_at and row.fingerprint == fingerprint(campaign))


def waits(campaign: Campaign, row: Approval | None) -> bool:
    """Whether it waits for an approval, as it is now."""
    return bool(row and not row.approved_at and row.fingerprint == fingerprint(campaign))


def problem(campaign: Campaign) -> Problem | None:
    """Why four eyes keep it from starting; None: they do not."""
    if not is_wanted(campaign):
        return None
    row = of(campaign)
    if stands(campaign, row):
        return None
    if row is None:
        text = "A second manager has to approve it first: ask for that on its page in the admin."
    elif waits(campaign, row):
        text = f"It waits for a second manager to approve it; {row.asked_by or 'somebody'} asked."
    elif row.approved_at is None:
        text = _changed_since_asked(row)
    else:
        text = f"It was changed after {row.approved_by or 'somebody'} had approved it: ask for the approval again."
    return Problem("lists", text)


@transaction.atomic
def ask(campaign_id: int, *, by: Actor, seen: str = "") -> bool:
    """Ask the other managers to look. False when it is approved as it is, or somebody asked for it as it is already.

    ``seen``: the fingerprint of what was looked at. Raises CannotApprove where it changed since.
    """
    campaign = _locked(campaign_id)
    _check_open(campaign)
    row, present = of(campaign), fingerprint(campaign)
    if seen not in ("", present):
        raise CannotApprove("It was changed while you looked at it. Look again.")
    if row and row.fingerprint == present:
        return False
    values = {"asked_by": by.user, "asked_at": timezone.now(), "approved_by": None, "approved_at": None}
    Approval.objects.update_or_create(campaign=campaign, defaults={**values, "fingerprint": present})
    _note(campaign, "approval asked", "Asked for a second pair of eyes.", by)
    return True


@transaction.atomic
def approve(campaign_id: int, seen: str, *, by: Actor) -> bool:
    """Let it go as it is. ``seen``: the fingerprint of what was looked at. False when it was approved so already.

    Raises CannotApprove for who asked or wrote it, and where it changed since somebody asked, or since it was looked at.
    """
    campaign = _locked(campaign_id)
    _check_open(campaign)
    row = of(campaign)
    if row is None:
        raise CannotApprove("Nobody has asked for an approval yet.")
    if stands(campaign, row):
        return False
    if row.approved_at:
        raise CannotApprove("It was changed after an earlier approval: its writer has to ask again.")
    if by.user is None or by.user.pk in authors(campaign, row):
        raise CannotApprove("You wrote it, changed it or asked: somebody else has to look at it.")
    present = fingerprint(campaign)
    if row.fingerprint != present:
        raise CannotApprove(_changed_since_asked(row))
    if seen != present:
        raise CannotApprove("It was changed while you looked at it. Look again.")
    row.approved_by, row.approved_at, row.fingerprint = by.user, timezone.now(), seen
    row.save(update_fields=["approved_by", "approved_at", "fingerprint"])
    _note(campaign, "approved", "Approved as it is.", by)
    return True


@transaction.atomic
def withdraw(campaign_id: int, *, by: Actor, why: str) -> bool:
    """Take the question, or the approval, back. False when there is none."""
    campaign = _locked(campaign_id)
    _check_open(campaign)
    gone, _ = Approval.objects.filter(campaign=campaign).delete()
    if gone:
        _note(campaign, "not approved", why or "Sent back.", by)
    return bool(gone)


def authors(campaign: Campaign, row: Approval | None = None) -> set[int]:
    """The managers who wrote it, changed it, or asked."""
    wrote = Change.objects.filter(
        noun=Noun.CAMPAIGN, object_id=campaign.pk, after=EDITED, user__isnull=False
    ).values_list("user_id", flat=True)
    known = {campaign.created_by_id, row.asked_by_id if row else None, *wrote.distinct()}
    return {pk for pk in known if pk is not None}


#: What the history says of a campaign whose text or settings were changed.
EDITED = "edited"


#: What a list puts into each mail: who it seems to come from, where answers go, what stands in it.
_SHOWN_OF_A_LIST = ("name", "from_name", "from_email", "reply_to", "postal_address", "language")


def fingerprint(campaign: Campaign) -> str:
    """Of all that a manager can set, and of what its lists and the installation put into the mail."""
    options = Campaign._meta
    written = {
        field.attname: field.value_to_string(campaign) for field in options.concrete_fields if field.editable
    }
    chosen = {
        field.name: sorted(getattr(campaign, field.name).values_list("pk", flat=True))
        for field in options.many_to_many
    }
    lists = campaign.lists.order_by("pk").values_list("pk", *_SHOWN_OF_A_LIST)
    # A segment whose rules change is another choice of people.
    rules = [
        [segment.pk, segment.rules]
        for rows in (campaign.include_segments, campaign.exclude_segments)
        for segment in rows.order_by("pk")
    ]
    whole = [written, chosen, list(lists), rules, _compiled(campaign)]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _compiled(campaign: Campaign) -> list[str]:
    """The parts of the mail; where none can be made of it, which keeps it from starting anyway, why not."""
    try:
        compiled = body.compile(campaign)
    except body.CannotCompile as bad:
        return bad.sentences
    return [compiled.subject, compiled.preheader, compiled.html, compiled.text]


def _changed_since_asked(row: Approval) -> str:
    who = row.asked_by or "somebody"
    return f"It, or its sender or look, was changed after {who} had asked: ask for the approval again."


def _locked(campaign_id: int) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)


def _check_open(campaign: Campaign) -> None:
    if not campaign.editable:
        raise CannotApprove(f"The campaign is {campaign.get_status_display()}; there is nothing to approve.")


def _note(campaign: Campaign, after: str, why: str, by: Actor) -> None:
    record(Noun.CAMPAIGN, campaign.pk, before=campaign.status, after=after, why=why, by=by)
