"""Events that must not be kept as they came. Called by the pipeline between matching and writing.

Opens and clicks of a mail that was to leave without tracking, or of a person who was erased, are personal data that
nobody may have: they are not stored, and their raw notification is emptied at once. Other reports about a mail of an
erased person are kept for the counts, without the address and without the words of the server.
"""

from collections.abc import Sequence
from dataclasses import replace

from bounces.models import Event, Notification
from bounces.writing import Found
from mailinglist import tracking

#: What a person does with a mail.
BEHAVIOUR = ("open", "click")


def reduce(found: Sequence[Found]) -> tuple[list[Found], set[int]]:
    """What of these may be stored, and the notifications to be emptied."""
    mails = {row.match.delivery_id for row in found if _kind(row) in BEHAVIOUR and row.match.delivery_id}
    refused = tracking.refused(mails) if mails else set()
    kept, emptied = [], set()
    for row in found:
        unwanted = _kind(row) in BEHAVIOUR and (row.match.erased or row.match.delivery_id in refused)
        if unwanted or row.match.erased:
            emptied.add(row.row.pk)
        if not unwanted:
            kept.append(_without_person(row) if row.match.erased else row)
    return kept, emptied


def forget(events: Sequence[Event]) -> None:
    """The same for events that turned out only later to be about erased people. Their rows are the caller's to save."""
    for event in events:
        event.recipient, event.diagnostic, event.extra = "", "", {}
    Notification.objects.filter(pk__in={event.notification_id for event in events}).update(raw=None)


def _kind(found: Found) -> str:
    return found.event.fact.kind


def _without_person(found: Found) -> Found:
    fact = replace(found.event.fact, recipient="", diagnostic="", extra={})
    return found._replace(event=replace(found.event, fact=fact))
