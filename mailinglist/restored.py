"""A restored database comes up paused: nothing that may have been sent after the backup is sent again by itself.

``look`` is called by the sweep, before anything else is decided; until then the engine sends nothing (sending/home.py).
``hold`` is called by ``manage.py come_up_paused``, for copies that the database cannot tell from a restart: a cold copy
of its files, a snapshot of the machine.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign
from mailinglist.sending import home

REASON = "restored"
SENTENCE = (
    "The database was restored from a backup, or moved to another server. Mails that were sent after that backup are not "
    "known here and would be sent again. Look at the newest events, or at what your people received, then resume."
)

_HOLD = """
    UPDATE mailinglist_delivery d SET state = 'unknown', reason = 'held', lease_until = NULL, next_attempt_at = NULL,
           changed_at = clock_timestamp()
    WHERE d.state IN ('queued', 'sending', 'waiting') AND NOT EXISTS (
        SELECT 1 FROM mailinglist_campaign c WHERE c.id = d.campaign_id AND c.status = 'paused')"""


@dataclass(frozen=True, slots=True)
class Held:
    """Campaigns that were paused and taken back to drafts, and mails that wait for a manager."""

    paused: int
    unscheduled: int
    mails: int


@transaction.atomic
def look() -> bool:
    """Whether the data have moved; then all is held."""
    if not home.has_moved():
        return False
    hold()
    return True


@transaction.atomic
def hold() -> Held:
    """Campaigns that were sending are paused, scheduled ones are drafts again, and the retries of finished ones and the
    mails without a campaign are held until a manager decides. From now on the data are at home here.
    """
    paused = [
        lifecycle.pause(pk, reason=REASON, text=SENTENCE, by=SYSTEM) for pk in _ids(Campaign.Status.SENDING)
    ]
    drafts = [lifecycle.unschedule(pk, by=SYSTEM, why=SENTENCE) for pk in _ids(Campaign.Status.SCHEDULED)]
    with connection.cursor() as cursor:
        cursor.execute(_HOLD)
        mails = cursor.rowcount
    home.settle_in()
    return Held(sum(paused), sum(drafts), mails)


def _ids(status: Campaign.Status) -> list[int]:
    return list(Campaign.objects.filter(status=status).values_list("pk", flat=True))
