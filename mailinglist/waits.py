"""What a campaign waits for while its status stays: a reason and a sentence for people.

Called by ``lifecycle.settle`` with what a run of the engine found. A sending campaign waits for quota or for SES; of a
finished one only the retries do, when SES takes none of them.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from mailinglist.changes import SYSTEM, Noun, record
from mailinglist.models import Campaign
from mailinglist.sending.pace_words import NO_RATE_SENTENCE

Status = Campaign.Status
SENTENCES = {
    "quota": "The 24-hour quota of the SES account is used up. Sending goes on by itself when there is room.",
    "no-rate": NO_RATE_SENTENCE,
    "ses-unavailable": "Amazon SES does not answer. Sending goes on by itself when it does.",
}
#: The retries of a finished campaign that SES does not take are tried again after so many minutes.
HOLD_MINUTES = 15
#: Fields of a campaign that waits for nothing.
NOT_HELD: dict[str, Any] = {"held_until": None, "status_reason": "", "status_detail": ""}


def wait(campaign_id: int, why: str) -> None:
    """A sending campaign waits for this (see engine.More), or for nothing any more."""
    waiting = SENTENCES.get(why, "")
    Campaign.objects.filter(pk=campaign_id, status=Status.SENDING).exclude(status_detail=waiting).update(
        status_reason=why if waiting else "", status_detail=waiting
    )


@transaction.atomic
def hold_retries(campaign_id: int, *, reason: str, text: str) -> None:
    """SES takes no retry of a finished campaign: they wait, and a manager sees why. Then they are tried again."""
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    if campaign.status != Status.FINISHED:
        return
    reason = reason[:40]
    detail = f"{text} The retries of this campaign wait. They are tried again every {HOLD_MINUTES} minutes."
    pause = timedelta(seconds=HOLD_MINUTES * settings.DAY_SECONDS / 1440)
    Campaign.objects.filter(pk=campaign_id).update(
        held_until=Now() + pause, status_reason=reason, status_detail=detail
    )
    if campaign.status_reason != reason:
        record(
            Noun.CAMPAIGN, campaign_id, before=campaign.status, after=campaign.status, why=detail, by=SYSTEM
        )


def release_retries(campaign_id: int) -> None:
    """A run that SES did not stop has ended."""
    Campaign.objects.filter(pk=campaign_id, held_until__lte=Now()).update(**NOT_HELD)
