"""Which delivery an event is about: by our signed tag, by our signed header, else by SES's message id.

Read-only. An event that matches nothing belongs to another program on the same account: it is kept and acts on
nobody. An event whose tag contradicts its message id or the address that SES mailed to is not believed at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bounces.events import EventFacts
from mailinglist import addresses, tokens
from mailinglist.models import Attempt


@dataclass(frozen=True, slots=True)
class Match:
    """``delivery_id`` None: nothing of ours. ``conflict``: the sentence for the quarantine.

    ``known``: the attempt has the event's message id already, so that there is nothing to prove. ``erased``: it is a
    mail of ours to a person who was erased since. ``sent_at``: when the attempt began.
    """

    delivery_id: int | None = None
    attempt_number: int = 0
    subscriber_id: int | None = None
    conflict: str = ""
    known: bool = False
    erased: bool = False
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """The columns of an attempt that are asked for."""

    delivery_id: int
    number: int
    message_id: str | None
    subscriber_id: int | None
    email_key: str | None
    started_at: datetime


_COLUMNS = (
    "delivery_id",
    "number",
    "message_id",
    "delivery__subscriber_id",
    "delivery__subscriber__email_key",
    "started_at",
)


def match(facts: Sequence[EventFacts]) -> list[Match]:
    """One Match per event, in their order; two queries however many there are."""
    named = [_named(fact) for fact in facts]
    deliveries = {found[0] for found in named if found}
    by_number = {(row.delivery_id, row.number): row for row in _rows(delivery_id__among=deliveries)}
    unnamed = {
        fact.message_id for fact, found in zip(facts, named, strict=True) if not found and fact.message_id
    }
    by_message = _by_message(unnamed)
    return [_match(fact, name, by_number, by_message) for fact, name in zip(facts, named, strict=True)]


def unmatched_attempts(message_ids: set[str]) -> dict[str, Match]:
    """Matches for events that came before the answer of SES was written down, by message id."""
    return {str(found): _found(row, str(found)) for found, row in _by_message(message_ids).items()}


def _by_message(message_ids: set[str]) -> dict[str | None, _Row]:
    return {row.message_id: row for row in _rows(message_id__among=message_ids)}


def _rows(**asked: object) -> list[_Row]:
    return [_Row(*values) for values in Attempt.objects.filter(**asked).values_list(*_COLUMNS)]


def _named(fact: EventFacts) -> tuple[int, int] | None:
    for value in (fact.tags.get("delivery", ""), fact.our_header):
        if value and (found := tokens.read_delivery(value)):
            return found
    return None


def _match(
    fact: EventFacts,
    named: tuple[int, int] | None,
    by_number: dict[tuple[int, int], _Row],
    by_message: dict[str | None, _Row],
) -> Match:
    row = by_number.get(named) if named else by_message.get(fact.message_id) if fact.message_id else None
    if row is None:
        return Match()
    if named and row.message_id and fact.message_id and row.message_id != fact.message_id:
        return Match(
            conflict=f"The event is about message {fact.message_id}, but its tag names attempt {row.number} of "
            f"delivery {row.delivery_id}, which SES accepted as {row.message_id}. It changes nothing."
        )
    if row.email_key and fact.mailed_to and not _is_among(row.email_key, fact.mailed_to):
        return Match(
            conflict=f"The event names attempt {row.number} of delivery {row.delivery_id}, but is about a mail that SES "
            "sent to another address. It changes nothing."
        )
    if row.subscriber_id is not None and fact.among > 1 and _key(fact.recipient) != row.email_key:
        # Our mails have one recipient each: of several people behind an alias only the one we mailed is meant.
        return Match()
    return _found(row, fact.message_id)


def _is_among(email_key: str, mailed_to: Sequence[str]) -> bool:
    # SES repeats what we wrote; only another spelling is worth the work of normalising it.
    return any(address.lower() == email_key or _key(address) == email_key for address in mailed_to)


def _key(address: str) -> str:
    try:
        return addresses.normalise(address).key
    except addresses.BadAddress:
        return ""


def _found(row: _Row, message_id: str) -> Match:
    return Match(
        row.delivery_id,
        row.number,
        row.subscriber_id,
        known=row.message_id == message_id,
        erased=row.subscriber_id is None,
        sent_at=row.started_at,
    )
