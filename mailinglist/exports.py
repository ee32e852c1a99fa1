"""The subscribers of a list, and the recipients of a campaign, as CSV. Called by the admin and the command
export_subscribers.

Streams from a server-side cursor, so that memory does not grow with the list. No cell begins with a sign
that makes a spreadsheet run it as a formula: such values get a leading ``'``, which an import takes away
again.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TextIO

from django.db.models import Case, F, Func, Q, QuerySet, TextField, Value, When

from mailinglist import who_got_it
from mailinglist.changes import Actor, Noun, record
from mailinglist.csv_columns import attribute_column
from mailinglist.csv_rows import guarded
from mailinglist.models import Campaign, Delivery, MailingList, Subscriber, Subscription

#: Column → where the value is. The attributes of the people follow, in the order of their names.
COLUMNS = {
    "email": "subscriber__email",
    "name": "subscriber__name",
    "status": "known_status",
    "language": "subscriber__language",
    "time_zone": "subscriber__time_zone",
    "source": "source",
    "consent_at": "consent_at",
    "confirmed_at": "confirmed_at",
    "unsubscribed_at": "unsubscribed_at",
    "unsubscribe_reason": "unsubscribe_reason",
}
#: The same for the recipients of a campaign.
RECIPIENT_COLUMNS = {
    "email": "subscriber__email",
    "name": "subscriber__name",
    "state": "state",
    "reason": "reason",
    "attempts": "attempts",
    "changed_at": "changed_at",
    "opened": "engagement__opened",
    "clicked": "engagement__clicked",
}
_CHUNK = 2_000


def export_csv(list_id: int, out: TextIO, *, statuses: Iterable[str] | None = None) -> int:
    """Write the subscribers with one of ``statuses`` (None: all) to ``out``, opened with ``newline=""``.

    Who left and asked to come back is "unsubscribed" until they confirm. In the order of their addresses; times in
    UTC as ISO 8601, attributes that are no text as JSON. Returns how many. An attribute that nobody had when the
    export began is left out. Raises MailingList.DoesNotExist.
    """
    count = -1
    for line in subscriber_lines(list_id, statuses=statuses):
        out.write(line)
        count += 1
    return count


def subscriber_lines(list_id: int, *, statuses: Iterable[str] | None = None) -> Iterator[str]:
    """The same line by line, the names of the columns first."""
    rows = _rows(MailingList.objects.get(pk=list_id), statuses)
    keys = _attribute_keys(rows)
    found = rows.order_by("subscriber__email_key").values_list(*COLUMNS.values(), "subscriber__attributes")
    people = (
        [*values, *(attributes.get(key) for key in keys)]
        for *values, attributes in found.iterator(chunk_size=_CHUNK)
    )
    return _lines([*COLUMNS, *(attribute_column(key) for key in keys)], people)


def recipient_lines(
    campaign_id: int, *, states: Iterable[str] | None = None, who: str = "all", **narrow: Any
) -> Iterator[str]:
    """Everybody whom a campaign went to or was to go to, and what became of it, in the order of the snapshot.

    ``states``: only these states of deliveries. ``who``: only a group, narrowed as for who_got_it.tables. Opened and
    clicked say who did: person, unsure, machine; empty: nobody. Outcome and why say the state and its reason in words.
    """
    rows = Delivery.objects.filter(campaign=campaign_id)
    if who != "all" or any(narrow.values()):
        rows &= who_got_it.together(who_got_it.tables(campaign_id, who, **narrow))
    if states is not None:
        rows = rows.filter(state__in=list(states))
    found = rows.order_by("pk").values_list(*RECIPIENT_COLUMNS.values())
    state, reason, attempts = map(list(RECIPIENT_COLUMNS).index, ("state", "reason", "attempts"))
    people = (
        [
            *values,
            Delivery.State(values[state]).label,
            who_got_it.sentence(values[state], values[reason], values[attempts]),
        ]
        for values in found.iterator(chunk_size=_CHUNK)
    )
    return _lines([*RECIPIENT_COLUMNS, "outcome", "why"], people)


def record_export(
    mailing_list: MailingList | None, campaign: Campaign | None, *, what: str, by: Actor
) -> None:
    """Note in the audit trail that somebody takes addresses along. Call it before the first line goes out."""
    about = campaign or mailing_list
    assert about is not None
    record(
        Noun.CAMPAIGN if campaign else Noun.LIST,
        about.pk,
        before="",
        after="exported",
        why=f"Downloaded {what} of “{about}”.",
        by=by,
        list_id=mailing_list.pk if mailing_list else None,
    )


def record_person(subscriber: Subscriber, *, by: Actor) -> None:
    """Note that somebody takes everything along that is stored about one person."""
    record(
        Noun.SUBSCRIBER,
        subscriber.pk,
        before="",
        after="exported",
        why="Downloaded all data of this person.",
        by=by,
        subscriber_id=subscriber.pk,
    )


def _lines(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    for row in chain([header], rows):
        writer.writerow([guarded(_text(value)) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _rows(mailing_list: MailingList, statuses: Iterable[str] | None) -> QuerySet[Subscription]:
    left = Subscription.Status.UNSUBSCRIBED
    rows = Subscription.objects.filter(list=mailing_list).annotate(
        known_status=Case(When(unsubscribe_reason="", then=F("status")), default=Value(left.value))
    )
    if statuses is None:
        return rows
    wanted = set(statuses)
    found = Q(status__in=wanted - {left}, unsubscribe_reason="")
    return rows.filter(found | ~Q(unsubscribe_reason="") if left in wanted else found)


def _attribute_keys(rows: QuerySet[Subscription]) -> list[str]:
    keys = Func(F("subscriber__attributes"), function="jsonb_object_keys", output_field=TextField())
    return sorted(rows.order_by().annotate(key=keys).values_list("key", flat=True).distinct())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
