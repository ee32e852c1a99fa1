"""Joining and leaving lists. The only writer of Subscription, besides the set-based merge of imports and farewell.py.

Every writer locks the Subscriber first (see suppression.py for why).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from mailinglist import addresses, asked_addresses, consents, hot_rows, suppression
from mailinglist.changes import Actor, Kind, Noun, entry
from mailinglist.consents import Consent as Consent
from mailinglist.models import Change, Delivery, MailingList, Subscriber, Subscription
from mailinglist.sending import queue

Status = Subscription.Status
Reason = Subscription.Reason
#: A later report of a stronger reason replaces a weaker one. What can be taken back (bounces, then a manager's word)
#: is weaker than everything that says that the person left: taking it back must not bring back who had left before.
STRENGTH = {
    Reason.NONE: 0,
    Reason.SOFT_EXHAUSTED: 1,
    Reason.UNREACHABLE: 2,
    Reason.HARD_BOUNCE: 3,
    Reason.MANAGER: 4,
    Reason.IMPORT: 5,
    Reason.SES: 6,
    Reason.PAGE: 7,
    Reason.ONE_CLICK: 8,
    Reason.COMPLAINT: 9,
}
#: Nobody but the person may lift these; an import and SES only pass on what the person chose.
OWN_CHOICE = frozenset({Reason.IMPORT, Reason.SES, Reason.PAGE, Reason.ONE_CLICK, Reason.COMPLAINT})
#: They left by themselves; a complaint is counted as that.
LEFT = frozenset({Reason.SES, Reason.PAGE, Reason.ONE_CLICK})
#: One confirmation mail per person and list in this time, however often the form is sent.
CONFIRMATION_PAUSE = timedelta(hours=24)
#: For so long the person may take back their own unsubscribe without a new confirmation mail.
REJOIN_WINDOW = timedelta(hours=24)
#: All that a sign-up has to know of an address, once its row is locked. A number that is not used is no loss.
_LOOK = """
SELECT (SELECT reason FROM mailinglist_suppression WHERE key = %s::varchar AND released_at IS NULL),
       asked.mails, asked.last_at, nextval(pg_get_serial_sequence('mailinglist_subscription', 'id'))
FROM (SELECT) AS always LEFT JOIN mailinglist_askedaddress asked ON asked.key = %s::varchar"""


class SignUp(Enum):
    """What a sign-up led to. The visitor sees the same answer for all of them."""

    CONFIRMATION_SENT = "confirmation sent"
    CONFIRMATION_PENDING = "a confirmation was sent less than a day ago"
    SUBSCRIBED = "subscribed"
    ALREADY_SUBSCRIBED = "already subscribed"
    SUPPRESSED = "suppressed"
    ADDRESS_LIMIT = "the address has answered none of our confirmation mails"


class CannotRestore(ValueError):
    """The subscription must not be brought back by a manager; the message says why and what to do instead."""


def get_or_create_subscriber(email: str, *, name: str = "", language: str = "") -> Subscriber:
    """The subscriber of an address, made without any subscription when new. Raises addresses.BadAddress."""
    return _get_or_create(Subscriber.objects.all(), email, name, language)[0]


@transaction.atomic
def subscribe(
    mailing_list: MailingList,
    email: str,
    *,
    consent: Consent,
    source: str,
    by: Actor,
    name: str = "",
    language: str = "",
    by_stranger: bool = False,
) -> SignUp:
    """Sign an address up, with a confirmation mail where the list wants one or the person had left before.

    Raises addresses.BadAddress. Nothing is mailed to suppressed addresses, nor twice within CONFIRMATION_PAUSE.
    Anybody can type somebody's address: that the person had left, when and why, and what they had agreed to, stands
    until they confirm. Who was erased may come back that way, too, and no other.
    ``name`` and ``language`` are taken over for somebody new only.
    ``by_stranger``: it came from the open internet, so an address that answers none of our confirmation mails, for
    whatever list, gets no more of them than the settings SIGNUP_ADDRESS_… allow.
    """
    # Locked in one step: between two of them, the person could be erased.
    everybody = Subscriber.objects.select_for_update(no_key=True)
    subscriber, is_new = _get_or_create(everybody, email, name, language)
    blocked, asked_enough, number = _look(subscriber, consent.at)
    was_erased = blocked == suppression.Reason.ERASED
    if blocked and not (was_erased and by.kind == Kind.PERSON):
        return _not_kept(subscriber, SignUp.SUPPRESSED, is_new=is_new)
    found = None if is_new else Subscription.objects.filter(list=mailing_list, subscriber=subscriber).first()
    if found and found.status == Status.CONFIRMED:
        return SignUp.ALREADY_SUBSCRIBED
    if found and found.status == Status.PENDING and _confirmed_lately(found, consent.at):
        return SignUp.CONFIRMATION_PENDING
    needs_mail = mailing_list.double_opt_in or found is not None or was_erased
    if needs_mail and by_stranger and asked_enough:
        return _not_kept(subscriber, SignUp.ADDRESS_LIMIT, is_new=is_new)
    before = found.status if found else ""
    row = found or Subscription(pk=number, list=mailing_list, subscriber=subscriber)
    row.status = Status.PENDING if needs_mail else Status.CONFIRMED
    if found is None:
        consents.put_in_force(row, consent, source=source)
    if not needs_mail:
        row.confirmed_at, row.confirmed_ip = consent.at, consent.ip
    if found:
        found.save()
    rows = [
        *([] if found else [row]),
        consents.evidence(consents.Kind.ASKED, row, consent, source=source),
        _change(row, before=before, why=f"Signed up ({source}).", by=by),
    ]
    if not needs_mail:
        hot_rows.insert_all(rows)
        return SignUp.SUBSCRIBED
    mail = queue.placed(
        subscriber_id=subscriber.pk, list_id=mailing_list.pk, purpose=Delivery.Purpose.CONFIRMATION
    )
    claim = asked_addresses.noted(subscriber, now=consent.at, limited=by_stranger)
    if not hot_rows.insert_all([*rows, mail], also=claim):
        # Another sign-up for the same mailbox, under another spelling, was quicker.
        transaction.set_rollback(True)
        return SignUp.ADDRESS_LIMIT
    return SignUp.CONFIRMATION_SENT


def can_confirm(subscriber: Subscriber, mailing_list: MailingList) -> bool:
    """Whether ``confirm`` would find something to confirm now, or confirmed before."""
    rows = Subscription.objects.filter(list=mailing_list, subscriber=subscriber)
    return rows.exclude(status=Status.UNSUBSCRIBED).exists()


@transaction.atomic
def confirm(
    subscriber: Subscriber,
    mailing_list: MailingList,
    *,
    ip: str | None,
    by: Actor,
    user_agent: str = "",
    text: str = "",
) -> bool:
    """The person confirmed by a button that said ``text``. True when the subscription is confirmed now, also if it was
    before.

    False when there is nothing to confirm (any more): they left in the meantime, or the sign-up has expired. What was
    asked last comes into force, and a block that rests on nothing but an erasure is lifted.
    """
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    row = Subscription.objects.filter(list=mailing_list, subscriber=subscriber).first()
    if row is None or row.status == Status.UNSUBSCRIBED:
        return False
    if row.status == Status.CONFIRMED:
        return True
    now = timezone.now()
    row.status, row.confirmed_at, row.confirmed_ip = Status.CONFIRMED, now, ip
    _forget_the_end(row)
    consents.put_last_asked_in_force(row)
    row.save()
    evidence = Consent(now, ip, user_agent, text, form="confirm")
    consents.keep(consents.Kind.CONFIRMED, row, evidence, source=row.source)
    suppression.lift_erasure(subscriber, by=by)
    suppression.forget_bounces(subscriber, now)
    asked_addresses.forget(subscriber)
    _record(row, before=Status.PENDING, why="Confirmed by the link in the confirmation mail.", by=by)
    return True


@transaction.atomic
def unsubscribe(
    subscriber_id: int,
    *,
    reason: Subscription.Reason,
    by: Actor,
    why: str,
    list_ids: list[int] | None = None,
    at: datetime | None = None,
) -> int:
    """End the subscriptions to ``list_ids`` (None: to all lists). Returns how many ended now.

    A subscription that had ended for a weaker reason gets the stronger one, so that the order of reports does not
    matter; its time is that of the reason it shows. So does who had left, asked to come back and never confirmed.
    """
    Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber_id)
    at = at or timezone.now()
    rows = (
        Subscription.objects.select_for_update(no_key=True).filter(subscriber_id=subscriber_id).order_by("pk")
    )
    if list_ids is not None:
        rows = rows.filter(list_id__in=list_ids)
    ended = 0
    for row in rows:
        before = row.status
        if before == Status.UNSUBSCRIBED and not _outranks(reason, at, row):
            continue
        row.status = Status.UNSUBSCRIBED
        if STRENGTH[Reason(reason)] >= STRENGTH[Reason(row.unsubscribe_reason)]:
            row.unsubscribe_reason, row.unsubscribed_at = reason, at
            row.left_after_id = _last_campaign(row, at) if reason in LEFT else None
        row.save(update_fields=["status", "unsubscribe_reason", "unsubscribed_at", "left_after"])
        _record(row, before=before, why=why, by=by)
        ended += before != Status.UNSUBSCRIBED
    return ended


@transaction.atomic
def restore(subscription_id: int, *, by: Actor, why: str, forgive: bool = True) -> Subscription:
    """Undo an unsubscribe that no person asked for: back to what it was before. Raises CannotRestore.

    ``forgive`` False: older bounces stay in force, for a bounce that is only held again.
    """
    row = Subscription.objects.get(pk=subscription_id)
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=row.subscriber_id)
    row = Subscription.objects.select_for_update(no_key=True).get(pk=subscription_id)
    if not row.unsubscribe_reason:
        raise CannotRestore("This subscription has not ended, so there is nothing to restore.")
    if row.unsubscribe_reason in OWN_CHOICE:
        raise CannotRestore(
            f"{subscriber} left by their own choice ({row.get_unsubscribe_reason_display()}). "
            "Only they can come back, by signing up again."
        )
    ended, before = row.status, _status_before(row)
    if not before:
        raise CannotRestore(f"{subscriber} was never subscribed here, so there is nothing to go back to.")
    row.status = before
    row.save(update_fields=["status", *_forget_the_end(row)])
    if forgive:
        suppression.forget_bounces(subscriber, timezone.now())
    _record(row, before=ended, why=why, by=by)
    return row


def restorable(ended: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Those of ``ended`` (none by the person's own choice) that ``restore`` would bring back."""
    last_end = (
        Change.objects.filter(noun=Noun.SUBSCRIPTION, object_id=OuterRef("pk"), after=Status.UNSUBSCRIBED)
        .exclude(before=Status.UNSUBSCRIBED)
        .order_by("-at", "-pk")
    )
    return ended.alias(status_before=Coalesce(Subquery(last_end.values("before")[:1]), Value("?"))).exclude(
        status_before=""
    )


def rejoinable(subscriber: Subscriber) -> QuerySet[Subscription]:
    """What the person may take back by themselves: they ended it on a page or by one click in REJOIN_WINDOW.

    Nothing for a suppressed address, nor where a bounce, a manager or a complaint had ended the subscription
    before. Each row has its ``status_before``.
    """
    last_end = Change.objects.filter(
        noun=Noun.SUBSCRIPTION, object_id=OuterRef("pk"), after=Status.UNSUBSCRIBED
    ).order_by("-at", "-pk")
    if suppression.is_suppressed(subscriber):
        return Subscription.objects.none()
    return Subscription.objects.annotate(status_before=Subquery(last_end.values("before")[:1])).filter(
        subscriber=subscriber,
        status=Status.UNSUBSCRIBED,
        unsubscribe_reason__in=[Reason.PAGE, Reason.ONE_CLICK],
        unsubscribed_at__gt=timezone.now() - REJOIN_WINDOW,
        status_before__in=[Status.PENDING, Status.CONFIRMED],
    )


@transaction.atomic
def rejoin(subscriber: Subscriber, list_ids: Collection[int], *, by: Actor) -> int:
    """The person takes an unsubscribe back (see rejoinable). Returns how many subscriptions came back."""
    subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    rows = list(rejoinable(subscriber).filter(list_id__in=list_ids))
    for row in rows:
        row.status = row.status_before  # type: ignore[attr-defined]
        # Who only waited for their confirmation may have left before: that stands until they confirm.
        row.save(update_fields=["status", *(_forget_the_end(row) if row.status == Status.CONFIRMED else [])])
        _record(row, before=Status.UNSUBSCRIBED, why="Took the unsubscribe back.", by=by)
    return len(rows)


def _get_or_create(
    everybody: QuerySet[Subscriber], email: str, name: str, language: str
) -> tuple[Subscriber, bool]:
    """The subscriber of an address out of ``everybody``, and whether they are new. Raises addresses.BadAddress."""
    address = addresses.normalise(email)
    new = {
        "email": address.as_written,
        "name": name[:200],
        "language": language,
        "suppression_key": suppression.key_for(address.key),
    }
    person = Subscriber(email_key=address.key, **new)
    if hot_rows.insert_new(person, unique="email_key"):
        return person, True
    return everybody.get_or_create(email_key=address.key, defaults=new)


def _forget_the_end(row: Subscription) -> list[str]:
    """Empty what tells why a subscription ended. Returns the names of the fields."""
    row.unsubscribe_reason, row.unsubscribed_at = Reason.NONE, None
    row.left_because, row.left_words, row.left_after = "", "", None
    return ["unsubscribe_reason", "unsubscribed_at", "left_because", "left_words", "left_after"]


def _last_campaign(row: Subscription, at: datetime) -> int | None:
    """The campaign of the last mail that the person got through this list before ``at``; the link names no mail."""
    mails = Delivery.objects.filter(
        subscriber_id=row.subscriber_id, list_id=row.list_id, campaign__isnull=False, created_at__lte=at
    ).filter(state__in=Delivery.POSTED)
    return mails.order_by("-pk").values_list("campaign_id", flat=True).first()


def _confirmed_lately(row: Subscription, now: datetime) -> bool:
    return Delivery.objects.filter(
        subscriber_id=row.subscriber_id,
        list_id=row.list_id,
        purpose=Delivery.Purpose.CONFIRMATION,
        created_at__gt=now - CONFIRMATION_PAUSE,
    ).exists()


def _not_kept(subscriber: Subscriber, outcome: SignUp, *, is_new: bool) -> SignUp:
    """Of a sign-up that came to nothing no new row stays: the address may be that of somebody who was erased."""
    if is_new:
        subscriber.delete()
    return outcome


def _look(subscriber: Subscriber, now: datetime) -> tuple[str, bool, int]:
    """Why the address is blocked ("": it is not; ERASED: by nothing but an erasure), whether it was asked often enough,
    and the number for a new subscription.
    """
    found = hot_rows.fetch_one(_LOOK, [subscriber.suppression_key, asked_addresses.key(subscriber)])
    assert found is not None
    blocked, mails, last_at, number = found
    return blocked or "", asked_addresses.is_enough(mails, last_at, now=now), number


def _status_before(row: Subscription) -> str:
    """What it was before it ended; "" for a row that an import made as ended."""
    last = (
        Change.objects.filter(noun=Noun.SUBSCRIPTION, object_id=row.pk, after=Status.UNSUBSCRIBED)
        .exclude(before=Status.UNSUBSCRIBED)
        .order_by("-at", "-pk")
        .first()
    )
    return last.before if last else Status.CONFIRMED


def _outranks(reason: str, at: datetime, row: Subscription) -> bool:
    new, old = STRENGTH[Reason(reason)], STRENGTH[Reason(row.unsubscribe_reason)]
    return new > old or (new == old and row.unsubscribed_at is not None and at < row.unsubscribed_at)


def _record(row: Subscription, *, before: str, why: str, by: Actor) -> None:
    _change(row, before=before, why=why, by=by).save(force_insert=True)


def _change(row: Subscription, *, before: str, why: str, by: Actor) -> Change:
    return entry(
        Noun.SUBSCRIPTION,
        row.pk,
        before=before,
        after=row.status,
        why=why,
        by=by,
        subscriber_id=row.subscriber_id,
        list_id=row.list_id,
    )
