"""Addresses that get no mail, whatever they are subscribed to. The only writer of Suppression.

Every writer locks the Subscriber first (FOR NO KEY UPDATE): the claim of the sending engine takes FOR SHARE, so that a
suppression committed before a claim is never mailed to.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mailinglist import addresses, signals
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Subscriber, Suppression

Reason = Suppression.Reason
#: The evidence of a block when all that could name the person is gone.
SAYS_ERASED = "The person was erased. Only they can come back, by a sign-up that they confirm."
#: A later report of a stronger reason replaces a weaker one, never the other way round. Bounces can be taken back, so
#: they never take the place of a manager's word, which must stay in force then.
STRENGTH = {
    Reason.ERASED: 0,
    Reason.SES_LIST: 1,
    Reason.HARD_BOUNCE: 2,
    Reason.MANUAL: 3,
    Reason.COMPLAINT: 4,
}


def key_for(email_key: str) -> str:
    """The HMAC under which an address (its key, see addresses.normalise) stands on the suppression list."""
    return addresses.suppression_key(email_key, secret=bytes.fromhex(settings.SUPPRESSION_KEY))


def keys() -> Callable[[str], str]:
    """``key_for`` for very many addresses: the secret is read once."""
    return partial(addresses.suppression_key, secret=bytes.fromhex(settings.SUPPRESSION_KEY))


def is_suppressed(subscriber: Subscriber) -> bool:
    return Suppression.objects.filter(key=subscriber.suppression_key, released_at__isnull=True).exists()


@transaction.atomic
def block_erased(key: str) -> None:
    """Keep an address away that is about to be erased: only its key stays, and no evidence that could name it.

    A stronger reason stays in force; its sentence goes.
    """
    row, created = Suppression.objects.select_for_update(no_key=True).get_or_create(
        key=key, defaults={"reason": Reason.ERASED, "since": timezone.now(), "evidence": SAYS_ERASED}
    )
    if created:
        return
    if not row.active:
        _block(row, Reason.ERASED, timezone.now(), SAYS_ERASED, synced_at=row.synced_at)
    else:
        row.evidence = SAYS_ERASED
        row.save(update_fields=["evidence"])


def lift_erasure(subscriber: Subscriber, *, by: Actor) -> bool:
    """The person has confirmed that they are back. SES never heard of this block, so no tombstone is left of it."""
    row = Suppression.objects.filter(
        key=subscriber.suppression_key, released_at__isnull=True, reason=Reason.ERASED
    ).first()
    if row is None:
        return False
    record(
        Noun.SUPPRESSION,
        row.pk,
        before=Reason.ERASED,
        after="released",
        why="Signed up again and confirmed it, after an earlier erasure.",
        by=by,
        subscriber_id=subscriber.pk,
    )
    row.delete()
    return True


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
        _block(row, reason, since, why)
    record(Noun.SUPPRESSION, row.pk, before=before, after=reason, why=why, by=by, subscriber_id=subscriber.pk)
    return True


@transaction.atomic
def release(suppression_id: int, *, by: Actor, why: str, forgive: bool = True) -> bool:
    """Let mail go to the address again; older bounces then say nothing about it. False when it was released.

    ``forgive`` False: older bounces stay in force, for a bounce that is only held again. SES is told by the
    next synchronisation (see ``synced_at``).
    """
    row = Suppression.objects.get(pk=suppression_id)
    subscriber = Subscriber.objects.select_for_update(no_key=True).filter(suppression_key=row.key).first()
    row = Suppression.objects.select_for_update(no_key=True).get(pk=suppression_id)
    if not row.active:
        return False
    row.released_at, row.synced_at = timezone.now(), None
    row.save(update_fields=["released_at", "synced_at"])
    signals.address_released.send(Suppression)
    if subscriber and forgive:
        forget_bounces(subscriber, row.released_at)
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


@transaction.atomic
def forgive(subscriber_id: int) -> None:
    """Older bounces say nothing about the address any more, and SES is to take it off its list if it is there.

    SES puts every hard bounce on its list by itself, also those that had no effect here.
    """
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber_id)
    now = timezone.now()
    forget_bounces(subscriber, now)
    _bury(subscriber, now)


def forget_bounces(subscriber: Subscriber, at: datetime) -> None:
    """What bounced before ``at`` says nothing about the address any more. Call it in a transaction, with the row locked
    and everything else about the person written.
    """
    subscriber.reset_at = at
    subscriber.save(update_fields=["reset_at", "updated_at"])
    signals.bounces_forgiven.send(Subscriber, subscriber_id=subscriber.pk)


@transaction.atomic
def unlist(subscriber_id: int, *, at: datetime, by: Actor, why: str) -> bool:
    """SES listed the address ``at`` a time for what is not the person's fault, and is to take it off again.

    What we had copied from SES is released; every other suppression stays, and older bounces stay in force. True
    when SES is to be told.
    """
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber_id)
    row = _bury(subscriber, at)
    if row.active and row.reason == Reason.SES_LIST:
        return release(row.pk, by=by, why=why, forgive=False)
    return not row.active


@transaction.atomic
def mirror(email: str, *, reason: Suppression.Reason, since: datetime, by: Actor, why: str) -> str:
    """SES has ``email`` on its list since ``since``. Returns what that means here.

    "new": suppressed here too, now · "known": it was, though perhaps for a weaker reason, which this one replaces ·
    "released": a manager released it later than that, so SES is to take it off · "": no address that could ever get
    mail. Who released a weaker reason said nothing about a complaint: that is "new". People who were erased stay
    blocked: only the key of the address is kept.
    """
    try:
        key = key_for(addresses.normalise(email).key)
    except addresses.BadAddress:
        return ""
    subscriber = Subscriber.objects.select_for_update(no_key=True).filter(suppression_key=key).first()
    now = timezone.now()
    row, created = Suppression.objects.select_for_update(no_key=True).get_or_create(
        key=key, defaults={"reason": reason, "since": since, "evidence": why, "synced_at": now}
    )
    known = not created and row.active and row.reason != Reason.ERASED
    stronger = created or STRENGTH[reason] > STRENGTH[Reason(row.reason)]
    if known and not stronger:
        row.synced_at = now
        row.save(update_fields=["synced_at"])
        return "known"
    unheard = stronger and reason == Reason.COMPLAINT
    if not created and row.released_at is not None and since <= row.released_at and not unheard:
        return "released"
    before = row.reason if known else ""
    if not created:
        _block(row, reason, since, why, synced_at=now)
    record(
        Noun.SUPPRESSION,
        row.pk,
        before=before,
        after=reason,
        why=why,
        by=by,
        subscriber_id=subscriber.pk if subscriber else None,
    )
    return "known" if known else "new"


def told_ses(suppression_id: int, *, released: bool) -> bool:
    """SES's list now agrees with the row, unless it was suppressed or released meanwhile. True when it does."""
    row = Suppression.objects.filter(pk=suppression_id, released_at__isnull=not released)
    return bool(row.update(synced_at=timezone.now()))


def untold_ses(suppression_id: int) -> None:
    """SES's list was found to disagree with a released row: the synchronisation is to take the address off."""
    Suppression.objects.filter(pk=suppression_id, released_at__isnull=False).update(synced_at=None)


def _bury(subscriber: Subscriber, at: datetime) -> Suppression:
    """The row of an address that SES may have listed by itself; where nothing is suppressed here, a tombstone.

    A tombstone suppresses nothing; the synchronisation takes its address off SES's list, and what SES listed until
    ``at`` is not read back.
    """
    row, _ = Suppression.objects.select_for_update(no_key=True).get_or_create(
        key=subscriber.suppression_key,
        defaults={
            "reason": Reason.SES_LIST,
            "since": at,
            "released_at": at,
            "evidence": "SES may have it on its list. It is asked to take it off.",
        },
    )
    if row.released_at is not None:
        row.released_at, row.synced_at = max(row.released_at, at), None
        row.save(update_fields=["released_at", "synced_at"])
        signals.address_released.send(Suppression)
    return row


def _block(
    row: Suppression, reason: str, since: datetime, why: str, *, synced_at: datetime | None = None
) -> None:
    row.reason, row.since, row.evidence, row.released_at, row.synced_at = reason, since, why, None, synced_at
    row.save(update_fields=["reason", "since", "evidence", "released_at", "synced_at"])


def _outranks(reason: str, since: datetime, row: Suppression) -> bool:
    new, old = STRENGTH[Reason(reason)], STRENGTH[Reason(row.reason)]
    return new > old or (new == old and since < row.since)
