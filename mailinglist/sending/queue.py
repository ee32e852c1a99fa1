"""The queue of deliveries: the only writer of Delivery.state and of Attempt, with ``claims.py`` and ``settling.py``.

Called by the engine (claim, finish), the sweeper (recover_expired, resolve_unknown, cancel_leftovers), the
capability modules (enqueue, cancel_open, resend) and by ``bounces`` (prove, judge_attempt, settle,
requeue_due). Every function is a conditional change: called twice, late or out of order it does nothing the
second time. Lock order: see ``sending/__init__.py``.
"""

from collections.abc import Collection
from dataclasses import astuple, dataclass
from typing import Any

from celery import signature
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from mailinglist import doorbell
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Attempt, Campaign, Delivery
from mailinglist.segments.questions import GOT
from mailinglist.sending import chosen
from mailinglist.sending.claims import REFUSAL, Claimed, claim, finish, recover_expired
from mailinglist.sending.settling import (
    Judged,
    Proof,
    Settled,
    judge_attempt,
    judge_attempts,
    prove,
    prove_all,
    settle,
    settle_all,
)

__all__ = [
    "CannotResend",
    "Claimed",
    "Judged",
    "Proof",
    "Requeued",
    "Resolved",
    "Settled",
    "campaigns_with_due",
    "cancel_leftovers",
    "cancel_open",
    "claim",
    "enqueue",
    "enqueue_many",
    "finish",
    "forget",
    "has_open_first_attempts",
    "judge_attempt",
    "judge_attempts",
    "lock",
    "next_due_in",
    "placed",
    "prove",
    "prove_all",
    "recover_expired",
    "requeue_due",
    "resend",
    "resolve_unknown",
    "retry_now",
    "settle",
    "settle_all",
    "supersede_older",
]

State, Result, Purpose = Delivery.State, Attempt.Result, Delivery.Purpose
#: Reasons of ``unknown`` that wait for a manager, not for time.
HELD, POISON = "held", "poison"
RESEND = "resend"
#: Whether a delivery ``d`` of a campaign ``c`` may leave: not while the campaign stands still, awaits its canary, or its
#: retries are held.
MAY_GO = """c.status IN ('sending', 'finished') AND d.id <= coalesce(c.canary_last_id, d.id)
            AND (c.held_until IS NULL OR c.held_until <= statement_timestamp())"""


class CannotResend(ValueError):
    """The delivery is in no state from which it may be sent again; the message says why."""


@dataclass(frozen=True, slots=True)
class Requeued:
    """What became of the deliveries whose retry was due."""

    requeued: int = 0
    superseded: int = 0
    expired: int = 0
    unsubscribed: int = 0
    suppressed: int = 0
    paused: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return sum(astuple(self))

    def __add__(self, other: "Requeued") -> "Requeued":
        return Requeued(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of the deliveries whose outcome nobody knows."""

    held: int = 0
    resent: int = 0


def enqueue(
    *, subscriber_id: int, list_id: int, purpose: Delivery.Purpose, version_id: int | None = None
) -> int:
    """Queue one mail outside campaigns (confirmation, test) and wake a worker on commit. Returns the
    delivery's id.
    """
    delivery = placed(subscriber_id=subscriber_id, list_id=list_id, purpose=purpose, version_id=version_id)
    delivery.save(force_insert=True)
    return delivery.pk


def placed(
    *, subscriber_id: int, list_id: int, purpose: Delivery.Purpose, version_id: int | None = None
) -> Delivery:
    """What ``enqueue`` queues, for a caller that stores it in this transaction together with other rows."""
    doorbell.ring_together(signature("mailinglist.tasks.send_mail"))
    return Delivery(subscriber_id=subscriber_id, list_id=list_id, purpose=purpose, version_id=version_id)


def enqueue_many(wanted: Collection[tuple[int, int]], *, purpose: Delivery.Purpose) -> int:
    """``enqueue`` for (subscriber id, list id) pairs, with one message to the workers. Returns how many."""
    rows = [Delivery(subscriber_id=who, list_id=where, purpose=purpose) for who, where in wanted]
    if rows:
        Delivery.objects.bulk_create(rows)
        doorbell.ring(signature("mailinglist.tasks.send_mail"))
    return len(rows)


def forget(subscriber_ids: Collection[int]) -> int:
    """The mails of people who are being erased lose their person, and what SES answered in words. Returns how many.

    What is not sent yet never is; what is being posted right now may leave. The caller holds the people's rows.
    """
    values = [list(subscriber_ids)]
    _execute(
        """UPDATE mailinglist_attempt a SET error_text = '' FROM mailinglist_delivery d
           WHERE d.subscriber_id = ANY(%s) AND a.delivery_id = d.id AND a.error_text <> ''""",
        values,
    )
    return _execute(
        """UPDATE mailinglist_delivery d SET subscriber_id = NULL, lease_until = NULL, next_attempt_at = NULL,
                  reason = CASE WHEN d.state IN ('queued', 'sending', 'unknown', 'waiting') THEN 'erased'
                                ELSE d.reason END,
                  state = CASE WHEN d.state IN ('queued', 'sending', 'unknown', 'waiting') THEN 'skipped'
                               ELSE d.state END,
                  changed_at = clock_timestamp()
           WHERE d.subscriber_id = ANY(%s)""",
        values,
    )


def supersede_older(campaign_id: int) -> int:
    """One open retry chain per subscription: waiting mails older than this campaign's new ones are dropped."""
    return _execute(
        """UPDATE mailinglist_delivery d SET state = 'skipped', reason = 'superseded', next_attempt_at = NULL,
                  changed_at = clock_timestamp()
           FROM mailinglist_delivery newer
           WHERE newer.campaign_id = %s AND newer.state = 'queued' AND d.subscriber_id = newer.subscriber_id
             AND d.list_id = newer.list_id AND d.purpose = 'campaign' AND d.state = 'waiting' AND d.id < newer.id""",
        [campaign_id],
    )


def cancel_open(campaign_id: int) -> int:
    """What has not been sent, or waits for a retry, is cancelled. What is being posted now finishes."""
    return Delivery.objects.filter(campaign_id=campaign_id, state__in=[State.QUEUED, State.WAITING]).update(
        state=State.CANCELLED, reason="cancelled", next_attempt_at=None, changed_at=Now()
    )


def cancel_leftovers() -> int:
    """Rows that were put back while their campaign was being cancelled."""
    return Delivery.objects.filter(state=State.QUEUED, campaign__status=Campaign.Status.CANCELLED).update(
        state=State.CANCELLED, reason="cancelled", next_attempt_at=None, changed_at=Now()
    )


def next_due_in(campaign_id: int | None) -> float | None:
    """Seconds until the next row of the campaign is due, 0 when one is; None when there is none to send."""
    where, values = (
        ("d.campaign_id IS NULL", []) if campaign_id is None else ("d.campaign_id = %s", [campaign_id])
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH rows AS NOT MATERIALIZED (
                    SELECT d.next_attempt_at FROM mailinglist_delivery d
                    LEFT JOIN mailinglist_campaign c ON c.id = d.campaign_id
                    WHERE d.state = 'queued' AND {where} AND (c.id IS NULL OR {MAY_GO}))
                SELECT CASE WHEN EXISTS (SELECT 1 FROM rows WHERE next_attempt_at IS NULL) THEN 0 ELSE
                    extract(epoch FROM (SELECT min(next_attempt_at) FROM rows WHERE next_attempt_at IS NOT NULL)
                                       - clock_timestamp()) END""",  # noqa: S608
            values,
        )
        seconds = cursor.fetchone()[0]
    return None if seconds is None else max(0.0, float(seconds))


def has_open_first_attempts(campaign_id: int) -> bool:
    """Whether a first mail of the campaign may still leave, or is in doubt within the grace time.

    Mails that wait for a manager's decision do not keep a campaign open, nor do retries of bounced ones.
    """
    rows = Delivery.objects.filter(campaign_id=campaign_id)
    unsettled = rows.filter(state__in=[State.QUEUED, State.SENDING]).exclude(
        attempt_set__result=Result.ACCEPTED
    )
    return unsettled.exists() or rows.filter(state=State.UNKNOWN).exclude(reason__in=[HELD, POISON]).exists()


def campaigns_with_due() -> list[int]:
    """Ids of the campaigns that may send and have rows to send now."""
    due = f"""SELECT 1 FROM mailinglist_delivery d
              WHERE d.campaign_id = c.id AND d.state = 'queued' AND {MAY_GO} AND d.next_attempt_at"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT c.id FROM mailinglist_campaign c
                WHERE c.status IN ('sending', 'finished')
                  AND (EXISTS ({due} IS NULL) OR EXISTS ({due} <= statement_timestamp()))
                ORDER BY c.id"""  # noqa: S608
        )
        return [row[0] for row in cursor.fetchall()]


def resolve_unknown() -> Resolved:
    """Decide what no event explained within UNKNOWN_GRACE_SECONDS, by UNKNOWN_POLICY.

    hold: it stays ``unknown``, reason held, until a manager decides. resend: it is queued again, and the
    attempt is marked as a possible duplicate. What killed its worker three times is never sent again by
    itself.
    """
    stale = """UPDATE mailinglist_delivery d SET {change}, changed_at = clock_timestamp()
               WHERE d.state = 'unknown' AND d.reason NOT IN ('held', 'poison')
                 AND d.changed_at < clock_timestamp() - make_interval(secs => %s) {only}"""
    grace = [settings.UNKNOWN_GRACE_SECONDS]
    resent, only = 0, ""
    if settings.UNKNOWN_POLICY == "resend":
        only = """EXISTS (SELECT 1 FROM mailinglist_campaign c
                          WHERE c.id = d.campaign_id AND c.status = 'cancelled')"""
        change = "state = 'queued', reason = 'resend'"
        resent = _execute(stale.format(change=change, only=f"AND NOT {only}"), grace)
        # Not all the rest: some rows have become old enough since that statement.
        only = f"AND {only}"
    held = _execute(stale.format(change="reason = 'held'", only=only), grace)
    return Resolved(held=held, resent=resent)


@transaction.atomic
def resend(delivery_id: int, *, by: Actor) -> None:
    """A manager sends a mail again whose outcome is unknown, or which was refused. Raises CannotResend."""
    delivery = Delivery.objects.select_related("campaign").get(pk=delivery_id)
    if delivery.campaign and _taken_over(delivery, delivery.campaign):
        raise CannotResend("The person gets this mail by a later campaign to those who had not got it.")
    if delivery.campaign and delivery.campaign.status == Campaign.Status.CANCELLED:
        raise CannotResend("The campaign was cancelled, so its mails cannot be sent again.")
    if delivery.subscriber_id is None:
        raise CannotResend("The person was erased, so nothing can be sent to them.")
    changed = Delivery.objects.filter(pk=delivery_id, state__in=[State.UNKNOWN, State.FAILED]).update(
        state=State.QUEUED, reason=RESEND, next_attempt_at=None, crashes=0, changed_at=Now()
    )
    if not changed:
        raise CannotResend(
            f"This mail is “{delivery.get_state_display()}”. Only mails that failed or whose outcome is "
            "unknown can be sent again."
        )
    record(
        Noun.DELIVERY,
        delivery_id,
        before=delivery.state,
        after=State.QUEUED,
        why="Sent again by hand. If the earlier mail arrived after all, the person gets it twice.",
        by=by,
        subscriber_id=delivery.subscriber_id,
        list_id=delivery.list_id,
    )
    if delivery.campaign_id:
        doorbell.ring(signature("mailinglist.tasks.send_campaign"), delivery.campaign_id)
    else:
        doorbell.ring(signature("mailinglist.tasks.send_mail"))


def _taken_over(delivery: Delivery, campaign: Campaign) -> bool:
    """Whether another campaign of the same row has brought the person the mail, or still may.

    The first of the row is locked until the end of the transaction: no other of them starts meanwhile.
    """
    mails = chosen.family(campaign)
    if not mails or delivery.subscriber_id is None:
        return False
    first = campaign.follows_id or campaign.pk
    Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=first)
    rows = Delivery.objects.filter(subscriber_id=delivery.subscriber_id, campaign_id__in=mails)
    return rows.filter(state__in=GOT).exists()


def lock(delivery_ids: Collection[int]) -> list[Delivery]:
    """Lock these deliveries, in the order that all lockers keep, until the caller's transaction ends.

    Of the answer only the id and ``subscriber_id`` are loaded.
    """
    locked = (
        Delivery.objects.select_for_update(no_key=True).filter(pk__among=delivery_ids).only("subscriber_id")
    )
    return list(locked.order_by("pk"))


_DUE = f"""
    SELECT d.id, CASE
        WHEN c.status = 'cancelled' THEN 'cancelled'
        WHEN judged.refusal = 'not-pending' THEN 'unsubscribed'
        WHEN judged.refusal <> '' THEN judged.refusal
        WHEN d.purpose = 'campaign' AND (
            SELECT count(*) FROM mailinglist_delivery newer
            WHERE newer.subscriber_id = d.subscriber_id AND newer.list_id = d.list_id AND newer.id > d.id
              AND newer.purpose = 'campaign' AND newer.state NOT IN ('skipped', 'cancelled')
        ) > 0 THEN 'superseded'
        WHEN c.retry_until < clock_timestamp() THEN 'expired'
        ELSE 'requeued' END AS fate
    FROM mailinglist_delivery d
    JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
    LEFT JOIN mailinglist_campaign c ON c.id = d.campaign_id
    CROSS JOIN LATERAL (SELECT {REFUSAL} AS refusal) judged
    WHERE d.state = 'waiting' AND d.next_attempt_at <= clock_timestamp()
      AND (c.id IS NULL OR c.status <> 'paused')
    ORDER BY d.next_attempt_at, d.id LIMIT %s"""  # noqa: S608

_REQUEUE = f"""
    WITH due AS MATERIALIZED ({_DUE} FOR NO KEY UPDATE OF d SKIP LOCKED)
    UPDATE mailinglist_delivery d SET
        state = CASE due.fate WHEN 'requeued' THEN 'queued' WHEN 'expired' THEN 'expired'
                              WHEN 'cancelled' THEN 'cancelled' ELSE 'skipped' END,
        reason = CASE due.fate WHEN 'requeued' THEN d.reason WHEN 'expired' THEN d.reason ELSE due.fate END,
        next_attempt_at = NULL, changed_at = clock_timestamp()
    FROM due WHERE d.id = due.id
    RETURNING d.id, due.fate"""  # noqa: S608


def requeue_due(limit: int, *, dry_run: bool = False) -> Requeued:
    """Deliveries whose retry is due (database clock) are queued again, or closed where no retry may follow.

    Those of paused campaigns wait. ``dry_run`` only counts. The caller wakes the workers.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE if dry_run else _REQUEUE, [limit])
        fates = [fate for _, fate in cursor.fetchall()]
    return Requeued(**{fate: fates.count(fate) for fate in set(fates)})


def retry_now(delivery_id: int, *, by: Actor, why: str) -> None:
    """A manager does not want to await the retry of a soft bounce: it is due now. Raises CannotResend.

    The next sweep queues it, by the rules of every retry (requeue_due).
    """
    delivery = Delivery.objects.get(pk=delivery_id)
    with transaction.atomic():
        changed = Delivery.objects.filter(pk=delivery_id, state=State.WAITING).update(
            next_attempt_at=Now(), changed_at=Now()
        )
        if not changed:
            raise CannotResend(
                f"This mail is “{delivery.get_state_display()}”: it does not wait for a retry."
            )
        record(
            Noun.DELIVERY,
            delivery_id,
            before=State.WAITING,
            after="due now",
            why=why,
            by=by,
            subscriber_id=delivery.subscriber_id,
            list_id=delivery.list_id,
        )


def _execute(sql: str, values: list[Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)
