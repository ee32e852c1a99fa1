"""Carrying out what the policy decided about a person. The only module here that unsubscribes and suppresses.

Each effect is written with its event as evidence, so that the recipient page can show it and a manager can undo it.
"""

from dataclasses import dataclass

from bounces.models import Event
from bounces.policy import Decision, Effect
from mailinglist import subscriptions, suppression
from mailinglist.changes import Actor, Kind
from mailinglist.models import Delivery, Subscription, Suppression

#: verdict → (reason of the unsubscribe, reason of the suppression).
_REASONS = {
    "hard": (Subscription.Reason.HARD_BOUNCE, Suppression.Reason.HARD_BOUNCE),
    "soft": (Subscription.Reason.HARD_BOUNCE, Suppression.Reason.HARD_BOUNCE),
    "complaint": (Subscription.Reason.COMPLAINT, Suppression.Reason.COMPLAINT),
}


@dataclass(frozen=True, slots=True)
class Applied:
    """Subscriptions that ended now, and whether the address was suppressed now."""

    unsubscribed: int = 0
    suppressed: bool = False


def carry_out(event: Event, decision: Decision, delivery: Delivery | None) -> Applied:
    """Apply ``decision.effect`` to the event's subscriber. Call it once per event, in its transaction."""
    subscriber_id = event.subscriber_id
    if subscriber_id is None:
        return Applied()
    by = Actor(Kind.RULE, evidence={"event": event.pk, "verdict": event.verdict, "reason": event.reason})
    why = decision.sentence
    match Effect(decision.effect):
        case Effect.UNSUBSCRIBE_LIST:
            ended = subscriptions.unsubscribe(
                subscriber_id,
                reason=Subscription.Reason.SOFT_EXHAUSTED,
                by=by,
                why=why,
                list_ids=[delivery.list_id] if delivery else [],
                at=event.occurred_at,
            )
            return Applied(ended)
        case Effect.UNSUBSCRIBE_ALL:
            reason = (
                Subscription.Reason.SES if event.verdict == "suppressed" else Subscription.Reason.UNREACHABLE
            )
            return Applied(
                subscriptions.unsubscribe(subscriber_id, reason=reason, by=by, why=why, at=event.occurred_at)
            )
        case Effect.UNSUBSCRIBE_AND_SUPPRESS:
            leave, block = _REASONS[event.verdict]
            ended = subscriptions.unsubscribe(
                subscriber_id, reason=leave, by=by, why=why, at=event.occurred_at
            )
            return Applied(
                ended,
                suppression.suppress(subscriber_id, reason=block, by=by, why=why, since=event.occurred_at),
            )
        case Effect.SUPPRESS:
            return Applied(
                suppressed=suppression.suppress(
                    subscriber_id,
                    reason=Suppression.Reason.SES_LIST,
                    by=by,
                    why=why,
                    since=event.occurred_at,
                )
            )
        case Effect.UNLIST:
            suppression.unlist(subscriber_id, at=event.occurred_at, by=by, why=why)
    return Applied()
