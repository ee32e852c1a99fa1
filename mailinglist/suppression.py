"""Addresses that get no mail, whatever they are subscribed to. The only writer of Suppression.

Every writer locks the Subscriber first (FOR NO KEY UPDATE): the claim of the sending engine takes FOR SHARE, so that a
suppression committed before a claim is never mailed to.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mailinglist import addresses
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Subscriber, Suppression

Reason = Suppression.Reason
#: A later report of a stronger reason replaces a weaker one, never the other way round.
STRENGTH = {Reason.SES_LIST: 1, Reason.MANUAL: 2, Reason.HARD_BOUNCE: 3, Reason.COMPLAINT: 4}


def key_for(email_key: str) -> str:
    """The HMAC under which an address (its key, see addresses.normalise) stands on the suppression list."""
    return addresses.suppression_key(email_key, secret=bytes.fromhex(settings.SUPPRESSION_KEY))


def is_suppressed(subscriber: Subscriber) -> bool:
    return Suppression.objects.filter(key=subscriber.suppression_key, released_at__isnull=True).exists()


@transaction.atomic
def suppress(
    subscriber_id: int, *, reason: Suppression.Reason, by: Actor, why: str, since: datetime | None = None
) -> bool:
    """Block the address. True when something changed: newly blocked, or a stronger reason than before."""
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber_id)
    since = since or timezone.now()
    row, created = Suppression.objects.select_for_update(no_key=True).get_or_create(
        key=subscriber.suppression_key, defaults={"reason": reason, "since": since, "evidence": why}
    )
    before = "" if created or not row.active else row.reason
    if not created:
        if row.active and not _outranks(reason, since, row):
            return False
        row.reason, row.since, row.evidence, row.released_at = reason, since, why, None
        row.save(update_fields=["reason", "since", "evidence", "released_at"])
    record(
        Noun.SUPPRESSION, row.pk, before=before, after=reason, why=why, by=by, subscriber_id=subscriber.pk
    )
    return True


@transaction.atomic
def release(suppression_id: int, *, by: Actor, why: str) -> bool:
    """Let mail go to the address again; older bounces then say nothing about it. False when it was released."""
    row = Suppression.objects.get(pk=suppression_id)
    subscriber = Subscriber.objects.select_for_update(no_key=True).filter(suppression_key=row.key).first()
    row = Suppression.objects.select_for_update(no_key=True).get(pk=suppression_id)
    if not row.active:
        return False
    row.released_at = timezone.now()
    row.save(update_fields=["released_at"])
    if subscriber:
        subscriber.reset_at = row.released_at
        subscriber.save(update_fields=["reset_at", "updated_at"])
    record(
        Noun.SUPPRESSION,
        row.pk,
        before=row.reason,
        after="released",
        why=why,
        by=by,
        subscriber_id=subscriber.pk if subscriber else None,
    )
    return True


def _outranks(reason: str, since: datetime, row: Suppression) -> bool:
    new, old = STRENGTH[Reason(reason)], STRENGTH[Reason(row.reason)]
    return new > old or (new == old and since < row.since)
