"""A restored database comes up paused: nothing that may have been sent after the backup is sent again by itself.

Called by the sweep, before anything else is decided. Until then the engine sends nothing (sending/home.py).
"""

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


@transaction.atomic
def look() -> bool:
    """Whether the data have moved. Then campaigns that were sending are paused, scheduled ones are drafts again, and the
    retries of finished ones and the mails without a campaign are held until a manager decides.
    """
    if not home.has_moved():
        return False
    for campaign_id in Campaign.objects.filter(status=Campaign.Status.SENDING).values_list("pk", flat=True):
        lifecycle.pause(campaign_id, reason=REASON, text=SENTENCE, by=SYSTEM)
    for campaign_id in Campaign.objects.filter(status=Campaign.Status.SCHEDULED).values_list("pk", flat=True):
        lifecycle.unschedule(campaign_id, by=SYSTEM, why=SENTENCE)
    with connection.cursor() as cursor:
        cursor.execute(_HOLD)
    home.settle_in()
    return True
