"""Writing a campaign: each save keeps the text before it, what is typed is kept between saves, nothing is written over.

Called by the admin. A campaign counts its saves (``revision``); who saves says which of them they began with, and a
save over a newer one is refused until they decide. Typed text is kept apart from the campaign, for each manager, so
that a campaign on a schedule never goes out half written.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from mailinglist.approvals import EDITED
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Campaign, CampaignDraft, CampaignRevision

#: Saved texts that are kept of a campaign, and lines of each that are compared.
MOST, MOST_LINES = 200, 3000
TEXT = CampaignRevision.TEXT


class NotEditable(ValueError):
    """The campaign was started: its text is fixed."""


@dataclass(frozen=True, slots=True)
class Line:
    """Of a comparison. ``kind``: same, added, removed or gap."""

    kind: str
    text: str


def keep(campaign: Campaign, *, by: Actor) -> int:
    """Count a save and keep its text, if it is new. Call it in the transaction that saves. Returns the revision."""
    last = campaign.revisions.order_by("-number").first()
    if last and _text(last) == _text(campaign):
        return last.number
    number = campaign.revision + 1
    CampaignRevision.objects.create(
        campaign=campaign, number=number, saved_by=by.user, saved_at=timezone.now(), **_text(campaign)
    )
    campaign.revisions.filter(number__lte=number - MOST).delete()
    Campaign.objects.filter(pk=campaign.pk).update(revision=number)
    campaign.revision = number
    return number


def newer(campaign: Campaign, base: int) -> CampaignRevision | None:
    """What somebody saved after the revision that a manager began with; None: nobody did."""
    if campaign.revision <= base:
        return None
    return campaign.revisions.select_related("saved_by").order_by("-number").first()


@transaction.atomic
def restore(campaign_id: int, number: int, *, by: Actor) -> int:
    """Make a saved text the campaign's again, as a save of its own. Raises NotEditable."""
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    if not campaign.editable:
        raise NotEditable("It was started, so its text is fixed.")
    saved = campaign.revisions.get(number=number)
    keep(campaign, by=by)
    for name, value in _text(saved).items():
        setattr(campaign, name, value)
    campaign.save(update_fields=[*TEXT, "updated_at"])
    made = keep(campaign, by=by)
    why = f"Text {number} restored as {made}."
    record(Noun.CAMPAIGN, campaign.pk, before=campaign.status, after=EDITED, why=why, by=by)
    return made


@dataclass(frozen=True, slots=True)
class Kept:
    """``mark`` names what was kept; ``newer`` is the save of somebody else that it is older than, if there is one."""

    mark: str
    newer: CampaignRevision | None


@transaction.atomic
def keep_typed(campaign_id: int | None, typed: Mapping[str, Any], *, base: int, by: Actor) -> Kept:
    """Keep what a manager is typing. Raises NotEditable."""
    campaign = Campaign.objects.get(pk=campaign_id) if campaign_id else None
    if campaign and not campaign.editable:
        raise NotEditable(
            "It was started, so its text is fixed. Your text is kept until you leave this page."
        )
    draft, _ = CampaignDraft.objects.update_or_create(
        user=by.user, campaign=campaign, defaults={**typed, "base": base, "typed_at": timezone.now()}
    )
    return Kept(mark(draft), newer(campaign, base) if campaign else None)


def typed(campaign: Campaign | None, user: Any) -> CampaignDraft | None:
    """What the manager typed and never saved; None: nothing, or the same as what is saved."""
    draft = CampaignDraft.objects.filter(user=user, campaign=campaign).first()
    if draft is None or (campaign and _text(draft) == _text(campaign)):
        return None
    return draft


def mark(draft: CampaignDraft) -> str:
    """Tells this text of a manager from what they type in another window."""
    return draft.typed_at.isoformat()


def forget_typed(campaign: Campaign | None, user: Any) -> None:
    """The manager threw it away."""
    CampaignDraft.objects.filter(user=user, campaign=campaign).delete()


def forget_saved(saved: Campaign, user: Any, *, kept: str, first: bool) -> None:
    """The manager saved it: forget the same text, and what the page had kept before (``kept``: its mark).

    What they typed in another window stays. ``first``: the campaign had not been saved before.
    """
    draft = CampaignDraft.objects.filter(user=user, campaign=None if first else saved).first()
    if draft and (mark(draft) == kept or _text(draft) == _text(saved)):
        draft.delete()


def difference(before: str, after: str) -> list[Line]:
    """The lines that differ, with three of those around them."""
    old, new = before.splitlines()[:MOST_LINES], after.splitlines()[:MOST_LINES]
    found: list[Line] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 1000)
    for number, group in enumerate(matcher.get_grouped_opcodes(3)):
        if number:
            found.append(Line("gap", "…"))
        for kind, begin, end, new_begin, new_end in group:
            if kind == "equal":
                found += _lines("same", old[begin:end])
                continue
            found += _lines("removed", old[begin:end])
            found += _lines("added", new[new_begin:new_end])
    return found


def _lines(kind: str, lines: Sequence[str]) -> list[Line]:
    return [Line(kind, line) for line in lines]


def _text(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TEXT}
