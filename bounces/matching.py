"""Which delivery an event is about: by our signed tag, by our signed header, else by SES's message id.

Read-only. An event that matches nothing belongs to another program on the same account: it is kept and acts on
nobody. An event whose tag and message id contradict each other is not believed at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from bounces.events import EventFacts
from mailinglist import tokens
from mailinglist.models import Attempt


@dataclass(frozen=True, slots=True)
class Match:
    """``delivery_id`` None: nothing of ours. ``conflict``: the sentence for the quarantine."""

    delivery_id: int | None = None
    attempt_number: int = 0
    subscriber_id: int | None = None
    conflict: str = ""


def match(facts: Sequence[EventFacts]) -> list[Match]:
    """One Match per event, in their order; two queries however many there are."""
    named = [_named(fact) for fact in facts]
    by_number = {
        (row.delivery_id, row.number): row
        for row in Attempt.objects.select_related("delivery").filter(
            delivery_id__in={delivery for delivery, _ in filter(None, named)}
        )
    }
    message_ids = {fact.message_id for fact in facts if fact.message_id}
    by_message = {
        row.message_id: row for row in Attempt.objects.select_related("delivery").filter(message_id__in=message_ids)
    }
    return [_match(fact, name, by_number, by_message) for fact, name in zip(facts, named, strict=True)]


def unmatched_attempts(message_ids: set[str]) -> dict[str, Match]:
    """Matches for events that came before the answer of SES was written down, by message id."""
    rows = Attempt.objects.select_related("delivery").filter(Q(message_id__in=message_ids))
    return {str(row.message_id): _found(row) for row in rows}


def _named(fact: EventFacts) -> tuple[int, int] | None:
    for value in (fact.tags.get("delivery", ""), fact.our_header):
        if value and (found := tokens.read_delivery(value)):
            return found
    return None


def _match(
    fact: EventFacts,
    named: tuple[int, int] | None,
    by_number: dict[tuple[int, int], Attempt],
    by_message: dict[str | None, Attempt],
) -> Match:
    if named is None:
        row = by_message.get(fact.message_id) if fact.message_id else None
        return _found(row) if row else Match()
    row = by_number.get(named)
    if row is None:
        return Match()
    if row.message_id and fact.message_id and row.message_id != fact.message_id:
        return Match(
            conflict=f"The event is about message {fact.message_id}, but its tag names attempt {row.number} of "
            f"delivery {row.delivery_id}, which SES accepted as {row.message_id}. It changes nothing."
        )
    return _found(row)


def _found(row: Attempt) -> Match:
    return Match(row.delivery_id, row.number, row.delivery.subscriber_id)
