"""The story of this app: stored notification → events → whose? → verdict → decision → effect.

One transaction per batch, so that a notification is processed exactly when its events and their effects exist. A batch
that fails is done again one by one; one that fails five times alone goes to the quarantine with its error. Called by
tasks.py, by commands, and by the admin's "process again".
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bounces import (
    deferrals,
    engagement,
    history,
    judgement,
    leaving,
    matching,
    minimise,
    reading,
    writing,
)
from bounces.models import Event, Notification
from mailinglist.sending import queue

logger = logging.getLogger(__name__)

State = Notification.State
BATCH = 500
MAX_TRIES = 5
#: After the first failure; four times as long after each further one, 42 minutes altogether.
FIRST_PAUSE = timedelta(seconds=30)
#: SQS keeps a message for 14 days at most; anything older is a replay of something long settled.
MAX_AGE = timedelta(days=14)

#: Clocks of servers differ by so much, and the date of a mail knows no fractions of a second.
SKEW = timedelta(minutes=5)


@dataclass(slots=True)
class Done:
    """``taken`` notifications ended: ``processed`` or ``quarantined``; ``failed`` ones will be tried again."""

    processed: int = 0
    quarantined: int = 0
    failed: int = 0
    events: int = 0

    @property
    def taken(self) -> int:
        return self.processed + self.quarantined

    def __iadd__(self, other: "Done") -> "Done":
        self.processed += other.processed
        self.quarantined += other.quarantined
        self.failed += other.failed
        self.events += other.events
        return self


def process_stored(*, limit: int = BATCH) -> Done:
    """Process a batch of stored notifications. Workers share the work: what one has in hand, another passes over."""
    ids: list[int] = []
    try:
        with transaction.atomic():
            waiting = Notification.objects.select_for_update(skip_locked=True).filter(
                state=State.STORED, tries=0
            )
            ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:limit])
            return _process_batch(ids, replay=False)
    except Exception:
        if not ids:  # it is not these notifications that fail
            raise
        return _one_by_one(ids, replay=False)


def process_failed(*, due_only: bool = False, limit: int = 5000) -> Done:
    """Try the stored notifications again that failed before; ``due_only``: where their pause is over.

    The pause grows with every failure, so that a fault of ours that lasts does not send them to the quarantine at once.
    """
    failed = Notification.objects.filter(state=State.STORED, tries__gt=0).order_by("pk")[:limit]
    now = timezone.now()
    return process(
        [
            pk
            for pk, tries, tried_at in failed.values_list("pk", "tries", "processed_at")
            if not due_only or tried_at is None or now - tried_at >= FIRST_PAUSE * 4 ** (tries - 1)
        ]
    )


def has_stored() -> bool:
    """Whether a notification waits that was not tried before."""
    return Notification.objects.filter(state=State.STORED, tries=0).exists()


def process_everything(progress: Callable[[Done], None] | None = None) -> Done:
    """All stored notifications, batch by batch, then once those that failed before."""
    total = Done()
    while (done := process_stored()).taken:
        total += done
        if progress:
            progress(total)
    total += process_failed()
    return total


def process(ids: Sequence[int], *, replay: bool = False) -> Done:
    """Process these notifications if nobody else is at it. ``replay``: quarantined ones too, whatever their age."""
    total = Done()
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        try:
            total += _process_batch(batch, replay)
        except Exception:
            total += _one_by_one(batch, replay)
    return total


def _one_by_one(ids: Sequence[int], replay: bool) -> Done:
    """What the handler of a failed batch does."""
    logger.exception("A batch of %s notifications failed; trying them one by one.", len(ids))
    total = Done()
    for pk in ids:
        total += _process_one(pk, replay)
    return total


def replay_quarantined(*, vouched: bool = False) -> Done:
    """Try every quarantined notification again: the effects are those of having been right at first.

    ``vouched``: also those whose sender nobody proved. Whoever asks for it says that they are real.
    """
    quarantined = Notification.objects.filter(state=State.QUARANTINED, raw__isnull=False)
    if vouched:
        quarantined.update(trusted=True)
    return process(list(quarantined.order_by("pk").values_list("pk", flat=True)), replay=True)


def replay(notification_ids: Sequence[int]) -> Done:
    """Try these quarantined notifications again (the admin's button)."""
    return process(list(notification_ids), replay=True)


def rematch(limit: int = 2000) -> int:
    """Find the deliveries of events that came before the answer of SES was written down. Returns how many."""
    with transaction.atomic():
        waiting = list(
            Event.objects.select_for_update(skip_locked=True)
            .filter(delivery__isnull=True, created_at__gt=timezone.now() - timedelta(days=2))
            .exclude(message_id="")
            .order_by("-pk")[:limit]
        )
        found = matching.unmatched_attempts({event.message_id for event in waiting})
        matched = [event for event in waiting if event.message_id in found]
        for event in matched:
            match = found[event.message_id]
            event.delivery_id, event.attempt_number = match.delivery_id, match.attempt_number
            event.subscriber_id = match.subscriber_id
        minimise.forget([event for event in matched if event.subscriber_id is None])
        columns = ["delivery", "attempt_number", "subscriber", "recipient", "diagnostic", "extra"]
        Event.objects.bulk_update(matched, columns)
        deliveries = {event.delivery_id for event in matched if event.delivery_id and event.subscriber_id}
        judgement.settle(delivery_ids=deliveries)
        engagement.recompute(deliveries)
    return len(matched)


def apply_due_effects() -> int:
    """Apply the effects that were held until now. Returns for how many people."""
    now = timezone.now()
    due = Event.objects.filter(effect_at__lte=now, applied_at__isnull=True, subscriber__isnull=False)
    ids = list(due.order_by("subscriber_id").values_list("subscriber_id", flat=True).distinct()[:5000])
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            judgement.settle(subscriber_ids=ids[start : start + BATCH])
    return len(ids)


@transaction.atomic
def _process_batch(ids: Sequence[int], replay: bool) -> Done:
    states = [State.STORED, State.QUARANTINED] if replay else [State.STORED]
    rows = list(
        Notification.objects.select_for_update(skip_locked=True)
        .filter(pk__among=ids, state__in=states, trusted=True, raw__isnull=False)
        .order_by("pk")
    )
    found: list[tuple[Notification, reading.Judged]] = []
    for row in rows:
        read = _read(row)
        row.error = read.unparsed or ("" if replay else _too_old(row))
        if not row.error:
            found += [(row, event) for event in read.judged]
    matches = matching.match([event.fact for _, event in found])
    for (row, _), match in zip(found, matches, strict=True):
        row.error = row.error or match.conflict
    good = [
        writing.Found(row, _dated(row, event, match), match)
        for (row, event), match in zip(found, matches, strict=True)
        if not row.error
    ]
    good, emptied = minimise.reduce(good)
    good = engagement.within_limit(good)
    done = Done(events=writing.store_events(good))
    known = [found for found in good if not found.match.erased]
    _settle(known)
    engagement.note(known)
    leaving.note(known)
    deferrals.note(good)
    bad = [row for row in rows if row.error]
    done.quarantined, done.processed = len(bad), len(rows) - len(bad)
    now = timezone.now()
    Notification.objects.filter(pk__among=[row.pk for row in rows if not row.error]).update(
        state=State.PROCESSED, error="", processed_at=now
    )
    if emptied:
        Notification.objects.filter(pk__among=emptied).update(raw=None)
    for row in bad:
        row.state, row.processed_at = State.QUARANTINED, now
        logger.warning("Notification %s is quarantined: %s", row.pk, row.error)
    Notification.objects.bulk_update(bad, ["state", "error", "processed_at"])
    return done


def _dated(row: Notification, event: reading.Judged, match: matching.Match) -> reading.Judged:
    """A report that came by mail is as old as its sender says, unless that is before the mail it is about.

    Anybody may write any date, and an old one would end a hold before it began. Which clock is wrong nobody knows, so
    such a report is as old as its arrival here.
    """
    at = event.fact.occurred_at
    if row.source != Notification.Source.DSN or match.sent_at is None:
        return event
    believed = match.sent_at - SKEW <= at <= row.received_at
    within = max(at if believed else row.received_at, match.sent_at)
    return event if within == at else replace(event, fact=replace(event.fact, occurred_at=within))


def _read(row: Notification) -> reading.Reading:
    raw = bytes(row.raw or b"")
    if row.source == Notification.Source.DSN:
        return reading.of_mail(
            raw, received_at=row.received_at, unsubscribe_mailbox=settings.UNSUBSCRIBE_MAILTO
        )
    return reading.of_json(raw)


def _process_one(pk: int, replay: bool) -> Done:
    try:
        return _process_batch([pk], replay)
    except Exception as error:
        logger.exception("Notification %s could not be processed.", pk)
        row = Notification.objects.get(pk=pk)
        row.tries += 1
        row.error = f"{type(error).__name__}: {error}"[:2000]
        row.processed_at = timezone.now()
        if row.tries >= MAX_TRIES:
            row.state = State.QUARANTINED
        row.save(update_fields=["tries", "error", "state", "processed_at"])
        return Done(quarantined=1) if row.state == State.QUARANTINED else Done(failed=1)


def _too_old(row: Notification) -> str:
    if row.published_at and row.received_at - row.published_at > MAX_AGE:
        return (
            f"It was published at {row.published_at:%Y-%m-%d %H:%M} and came more than {MAX_AGE.days} days later. "
            "Process it again by hand if it is real."
        )
    return ""


def _settle(good: Sequence[writing.Found]) -> None:
    """Every event proves that SES accepted its attempt; then states and effects are computed anew.

    Sends, opens and clicks of mails that are known to have been accepted change nothing, so nothing is asked for them;
    opens and clicks are counted afterwards, and all that this transaction locks is locked at once.
    """
    judged = {
        match.delivery_id
        for _, event, match in good
        if match.delivery_id and event.verdict.kind in history.SETTLING
    }
    proofs = [
        queue.Proof(match.delivery_id, match.attempt_number, event.fact.message_id, event.fact.occurred_at)
        for _, event, match in good
        if match.delivery_id and event.fact.message_id and not match.known
    ]
    opened = engagement.touched(good)
    if proofs or opened:
        queue.lock(judged | {proof.delivery_id for proof in proofs} | opened)
    judgement.settle(delivery_ids=judged | queue.prove_all(proofs))
