"""The subscribers of a list as CSV. Called by the admin and the command export_subscribers.

Streams from a server-side cursor, so that memory does not grow with the list. No cell begins with a sign
that makes a spreadsheet run it as a formula: such values get a leading ``'``, which an import takes away
again.
"""

import csv
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO

from django.db.models import Case, F, Func, Q, QuerySet, TextField, Value, When

from mailinglist.csv_columns import attribute_column
from mailinglist.csv_rows import guarded
from mailinglist.models import MailingList, Subscription

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
_CHUNK = 2_000


def export_csv(list_id: int, out: TextIO, *, statuses: Iterable[str] | None = None) -> int:
    """Write the subscribers with one of ``statuses`` (None: all) to ``out``, opened with ``newline=""``.

    Who left and asked to come back is "unsubscribed" until they confirm. In the order of their addresses; times in
    UTC as ISO 8601, attributes that are no text as JSON. Returns how many. An attribute that nobody had when the
    export began is left out. Raises MailingList.DoesNotExist.
    """
    rows = _rows(MailingList.objects.get(pk=list_id), statuses)
    keys = _attribute_keys(rows)
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *(guarded(attribute_column(key)) for key in keys)])
    count = 0
    found = rows.order_by("subscriber__email_key").values_list(*COLUMNS.values(), "subscriber__attributes")
    for *values, attributes in found.iterator(chunk_size=_CHUNK):
        cells = [*values, *(attributes.get(key) for key in keys)]
        writer.writerow([guarded(_text(value)) for value in cells])
        count += 1
    return count


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
