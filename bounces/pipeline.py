"""The story of this app: stored notification → events → whose? → verdict → decision → effect.

One transaction per batch, so that a notification is processed exactly when its events and their effects exist. A batch
that fails is done again one by one; one that fails five times alone goes to the quarantine with its error. Called by
tasks.py, by commands, and by the admin's "process again".
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bounces import classify, events, judgement, matching
from bounces.models import Event, Notification
from mailinglist.sending import queue

logger = logging.getLogger(__name__)

State = Notification.State
BATCH = 200
MAX_TRIES = 5
#: SQS keeps a message for 14 days at most; anything older is a replay of something long settled.
MAX_AGE = timedelta(days=14)


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


def process_stored(*, limit: int = BATCH, failed_before: bool = False) -> Done:
    """Process a batch of stored notifications; those that failed before only where asked for."""
    waiting = Notification.objects.filter(state=State.STORED)
    waiting = waiting.filter(tries__gt=0) if failed_before else waiting.filter(tries=0)
    return process(list(waiting.order_by("pk").values_list("pk", flat=True)[:limit]))


def process_everything() -> Done:
    """All stored notifications, batch by batch, then once those that failed before."""
    total = Done()
    while (done := process_stored()).taken:
        total += done
    total += process_stored(failed_before=True, limit=5000)
    return total


def process(ids: Sequence[int], *, replay: bool = False) -> Done:
    """Process these notifications if nobody else is at it. ``replay``: quarantined ones too, whatever their age."""
    total = Done()
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        try:
            total += _process_batch(batch, replay)
        except Exception:
            logger.exception("A batch of %s notifications failed; trying them one by one.", len(batch))
            for pk in batch:
                total += _process_one(pk, replay)
    return total


def replay_quarantined() -> Done:
    """Try every quarantined notification again: the effects are those of having been right at first."""
    quarantined = Notification.objects.filter(state=State.QUARANTINED, raw__isnull=False)
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
        Event.objects.bulk_update(matched, ["delivery", "attempt_number", "subscriber"])
        judgement.settle(delivery_ids={event.delivery_id for event in matched if event.delivery_id})
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
        .filter(pk__in=ids, state__in=states, raw__isnull=False)
        .order_by("pk")
    )
    done = Done()
    facts: list[tuple[Notification, events.EventFacts]] = []
    for row in rows:
        parsed = events.parse(bytes(row.raw or b""))
        row.error = parsed.unparsed or ("" if replay else _too_old(row))
        if not row.error:
            facts += [(row, fact) for fact in parsed.events]
    matches = matching.match([fact for _, fact in facts])
    for (row, _), match in zip(facts, matches, strict=True):
        row.error = row.error or match.conflict
    good = [(row, fact, match) for (row, fact), match in zip(facts, matches, strict=True) if not row.error]
    done.events = _store_events(good)
    _settle(good)
    for row in rows:
        row.state = State.QUARANTINED if row.error else State.PROCESSED
        row.processed_at = timezone.now()
        done.quarantined += bool(row.error)
        done.processed += not row.error
        if row.error:
            logger.warning("Notification %s is quarantined: %s", row.pk, row.error)
    Notification.objects.bulk_update(rows, ["state", "error", "processed_at"])
    return done


def _process_one(pk: int, replay: bool) -> Done:
    try:
        return _process_batch([pk], replay)
    except Exception as error:
        logger.exception("Notification %s could not be processed.", pk)
        row = Notification.objects.get(pk=pk)
        row.tries += 1
        row.error = f"{type(error).__name__}: {error}"[:2000]
        if row.tries >= MAX_TRIES:
            row.state = State.QUARANTINED
        row.save(update_fields=["tries", "error", "state"])
        return Done(quarantined=1) if row.state == State.QUARANTINED else Done(failed=1)


def _too_old(row: Notification) -> str:
    if row.published_at and row.received_at - row.published_at > MAX_AGE:
        return (
            f"It was published at {row.published_at:%Y-%m-%d %H:%M} and came more than {MAX_AGE.days} days later. "
            "Process it again by hand if it is real."
        )
    return ""


def _store_events(good: Sequence[tuple[Notification, events.EventFacts, matching.Match]]) -> int:
    # In one order everywhere: two workers that store the same events would otherwise wait for each other.
    rows = sorted((_event(row, fact, match) for row, fact, match in good), key=lambda event: event.dedupe_key)
    before = set(
        Event.objects.filter(dedupe_key__in=[row.dedupe_key for row in rows]).values_list("dedupe_key", flat=True)
    )
    Event.objects.bulk_create(rows, ignore_conflicts=True)
    return len({row.dedupe_key for row in rows} - before)


def _event(row: Notification, fact: events.EventFacts, match: matching.Match) -> Event:
    verdict = classify.classify(fact)
    return Event(
        notification=row,
        kind=fact.kind,
        type=fact.type,
        subtype=fact.subtype,
        recipient=fact.recipient,
        message_id=fact.message_id,
        action=fact.action,
        status=fact.status,
        diagnostic=fact.diagnostic,
        mta=fact.mta,
        occurred_at=fact.occurred_at,
        extra=fact.extra,
        dedupe_key=fact.dedupe_key,
        delivery_id=match.delivery_id,
        attempt_number=match.attempt_number,
        subscriber_id=match.subscriber_id,
        verdict=verdict.kind,
        reason=verdict.reason,
        explanation=verdict.explanation,
    )


def _settle(good: Sequence[tuple[Notification, events.EventFacts, matching.Match]]) -> None:
    """Every event proves that SES accepted its attempt; then states and effects are computed anew."""
    touched = [(fact, match) for _, fact, match in good if match.delivery_id]
    deliveries = {match.delivery_id for _, match in touched if match.delivery_id}
    queue.lock(deliveries)
    proofs = {
        (match.delivery_id, match.attempt_number, fact.message_id): fact.occurred_at
        for fact, match in touched
        if match.delivery_id and fact.message_id
    }
    for (delivery_id, number, message_id), at in sorted(proofs.items()):
        queue.prove(delivery_id, number, message_id, at)
    judgement.settle(delivery_ids=deliveries)
