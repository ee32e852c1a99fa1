"""Judging deliveries and people anew from all their events: what state a mail is in, and what its bounces mean.

Called by the pipeline after it stored events, by the sweep when a hold ends, and by the clean-up. ``settle`` can be
repeated and interrupted at will: it computes what should be, and applies only what is not applied yet.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from bounces import apply, health, policy
from bounces.history import JUDGED, Scene, is_harmless, is_listing
from bounces.models import Event, Policy
from mailinglist.models import Delivery, Subscriber
from mailinglist.sending import queue

State = Delivery.State


@dataclass(slots=True)
class Counts:
    """Subscriptions that ended and addresses that were suppressed."""

    unsubscribed: int = 0
    suppressed: int = 0


def settle(*, delivery_ids: Collection[int] = (), subscriber_ids: Collection[int] = ()) -> Counts:
    """Bring these deliveries, and the people behind them and ``subscriber_ids``, to what their events say.

    Call it in a transaction. Locks deliveries, then subscribers, each in the order of their ids.
    """
    deliveries = queue.lock(delivery_ids)
    # A person who was erased has no events any more: their mails stay as they are.
    people = {row.subscriber_id for row in deliveries if row.subscriber_id} | set(subscriber_ids)
    list(
        Subscriber.objects.select_for_update(no_key=True)
        .filter(pk__among=people)
        .order_by("pk")
        .values_list("pk")
    )
    scene = Scene(people)
    rules = Rulebook()
    # A delivery that the scene does not know has no event that its state depends on.
    _settle_deliveries(
        [scene.deliveries[row.pk] for row in deliveries if row.pk in scene.deliveries], scene, rules
    )
    counts = _settle_people(scene, rules)
    health.recompute(scene)
    return counts


class Rulebook:
    """The policy of each list as the pure rules of ``policy``; read once per batch."""

    def __init__(self) -> None:
        self._of: dict[int | None, policy.Rules] = {
            row.list_id: rules_of(row) for row in Policy.objects.all()
        }

    def for_list(self, list_id: int) -> policy.Rules:
        return self._of.get(list_id) or self._of.get(None) or default_rules()


def default_rules() -> policy.Rules:
    return policy.Rules(day=timedelta(seconds=settings.DAY_SECONDS))


def rules_of(row: Policy) -> policy.Rules:
    """A stored policy as rules."""
    return policy.Rules(
        soft_retry_days=tuple(row.soft_retry_days),
        soft_exhausted_unsubscribes=row.soft_exhausted_unsubscribes,
        block_retry_days=row.block_retry_days,
        hold_hours=row.hold_hours,
        repeated_soft=row.repeated_soft,
        repeated_window=row.repeated_window,
        repeated_days=row.repeated_days,
        day=timedelta(seconds=settings.DAY_SECONDS),
    )


def _settle_deliveries(deliveries: Collection[Delivery], scene: Scene, rules: Rulebook) -> None:
    """Write down what came back for each attempt, and the states that follow; one statement for each."""
    judged, settled = [], []
    for delivery in deliveries:
        for attempt in range(1, delivery.attempts + 1):
            if found := scene.strongest(delivery.pk, attempt):
                judged.append(queue.Judged(delivery.pk, attempt, found.verdict, found.reason))
        event = scene.complaint(delivery) or scene.counting(delivery)
        if event and (change := _change(delivery, event, scene, rules)):
            settled.append(change)
    queue.judge_attempts(judged)
    queue.settle_all(settled)


def _change(delivery: Delivery, event: Event, scene: Scene, rules: Rulebook) -> queue.Settled | None:
    """The state that the report that counts brings the delivery to."""
    if event.verdict == "delivered":
        return queue.Settled(delivery.pk, State.DELIVERED, "", _REACHABLE[State.DELIVERED])
    decision = decide(event, scene, rules)
    if not decision.delivery_state:
        return None
    state = State(decision.delivery_state)
    retry_at = decision.retry_at if state == State.WAITING else None
    return queue.Settled(delivery.pk, state, f"{event.verdict}:{event.reason}", _REACHABLE[state], retry_at)


#: new state → states it may come from. A mail that was queued again, ended or was cancelled meanwhile is not brought
#: back to an earlier step by an old report; a stronger end replaces a weaker one.
_IN_FLIGHT = (State.SENDING, State.SENT, State.UNKNOWN)
_REACHABLE: dict[str, tuple[str, ...]] = {
    State.DELIVERED: _IN_FLIGHT,
    State.WAITING: (*_IN_FLIGHT, State.DELIVERED),
    State.EXPIRED: (*_IN_FLIGHT, State.DELIVERED, State.WAITING),
    State.FAILED: (*_IN_FLIGHT, State.DELIVERED, State.WAITING, State.QUEUED),
    State.BOUNCED: (*_IN_FLIGHT, State.DELIVERED, State.WAITING, State.QUEUED, State.EXPIRED, State.FAILED),
    State.COMPLAINED: tuple(set(State) - {State.COMPLAINED}),
}


def decide(event: Event, scene: Scene, rules: Rulebook) -> policy.Decision:
    """The policy's decision about one event, from everything known about its mail and its address."""
    delivery = scene.deliveries.get(event.delivery_id or 0)
    subscriber = scene.subscribers[event.subscriber_id or 0]
    history = policy.History(
        delivery_id=event.delivery_id or 0,
        attempt=event.attempt_number,
        mail_at=scene.mail_time(event),
        retryable=delivery is not None and delivery.purpose == Delivery.Purpose.CAMPAIGN,
        retry_until=delivery.campaign.retry_until if delivery and delivery.campaign else None,
        soft_failures=scene.failures_up_to(event, ("soft",)),
        block_failures=scene.failures_up_to(event, ("block", "unknown")),
        delivered_before=scene.delivered_before(event),
        earlier_hard_at=scene.earlier_hard(event),
        earlier_domain_failures=scene.earlier(event, verdict="soft", reason="domain-not-found"),
        listed_without_fault=scene.listed_without_fault(event),
        campaigns=tuple(scene.campaigns(event)),
        reset_at=subscriber.reset_at,
        standing=scene.standing(event),
    )
    return policy.decide(
        policy.Report(
            verdict=event.verdict,
            reason=event.reason,
            occurred_at=event.occurred_at,
            listed=is_listing(event),
        ),
        history,
        rules.for_list(delivery.list_id) if delivery else default_rules(),
    )


def _settle_people(scene: Scene, rules: Rulebook) -> Counts:
    """Write down what each open event means for its person, and do what is due."""
    counts, now = Counts(), timezone.now()
    for event in _open(scene):
        decision = decide(event, scene, rules)
        _write_down(event, decision)
        if decision.effect and not decision.held and (event.effect_at or now) <= now:
            done = apply.carry_out(event, decision, scene.deliveries.get(event.delivery_id or 0))
            counts.unsubscribed += done.unsubscribed
            counts.suppressed += done.suppressed
            event.applied_at = now
            event.save(update_fields=["applied_at"])
    return counts


def _open(scene: Scene) -> Iterable[Event]:
    return [
        event
        for event in scene.events
        if event.applied_at is None
        and event.verdict in JUDGED
        and event.delivery_id
        and not is_harmless(event)
    ]


def _write_down(event: Event, decision: policy.Decision) -> None:
    wanted = (decision.effect, decision.sentence, decision.effect_at if decision.effect else None)
    if (event.effect, event.effect_text, event.effect_at) != wanted:
        event.effect, event.effect_text, event.effect_at = wanted
        event.save(update_fields=["effect", "effect_text", "effect_at"])
