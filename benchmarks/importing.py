"""A CSV file of subscribers, by our import and by Django's bulk_create. Runs in the children, after ``django.setup``.

Both make the same checks of each row (``csv_columns``), look the same addresses up in the suppression list, and write
the same rows: subscriber, subscription, and the entry of the audit trail.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from mailinglist import suppression
from mailinglist.changes import SYSTEM
from mailinglist.csv_columns import Columns, Person
from mailinglist.csv_rows import BadRow, CsvFile
from mailinglist.imports import import_csv
from mailinglist.models import Change, MailingList, Subscriber, Subscription, Suppression

BATCH = 1000


def by_us(list_id: int, file: Path) -> int:
    """How many people were subscribed."""
    return import_csv(list_id, file, by=SYSTEM).new_subscriptions


def by_bulk_create(list_id: int, file: Path) -> int:
    """How many people were subscribed."""
    now, done = timezone.now(), 0
    mailing_list = MailingList.objects.get(pk=list_id)
    with file.open("rb") as stream:
        source = CsvFile(stream, encoding="utf-8")
        columns = Columns(source.header)
        rows = (
            columns.person(row, status="confirmed", now=now) for row in source if not isinstance(row, BadRow)
        )
        people = (person for person in rows if isinstance(person, Person))
        for batch in _batches(people):
            with transaction.atomic():
                done += _create(batch, mailing_list, now)
    return done


def _batches(people: Iterator[Person]) -> Iterator[list[Person]]:
    while batch := list(islice(people, BATCH)):
        yield batch


def _create(batch: list[Person], mailing_list: MailingList, now: datetime) -> int:
    keys = {person.address.key: suppression.key_for(person.address.key) for person in batch}
    blocked = set(
        Suppression.objects.filter(key__in=keys.values(), released_at=None).values_list("key", flat=True)
    )
    wanted = {person.address.key: person for person in batch if keys[person.address.key] not in blocked}
    Subscriber.objects.bulk_create(
        [
            Subscriber(
                email=person.address.as_written, email_key=key, name=person.name, attributes=person.attributes,
                language=person.language, time_zone=person.time_zone, suppression_key=keys[key],
            )
            for key, person in wanted.items()
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    found = list(Subscriber.objects.filter(email_key__in=wanted).values_list("pk", flat=True))
    known = set(
        Subscription.objects.filter(list=mailing_list, subscriber__in=found).values_list(
            "subscriber", flat=True
        )
    )
    made = Subscription.objects.bulk_create(
        Subscription(list=mailing_list, subscriber_id=pk, status="confirmed", source="import")
        for pk in found
        if pk not in known
    )
    Change.objects.bulk_create(
        Change(
            at=now, actor=SYSTEM.kind, noun="subscription", object_id=row.pk, list=mailing_list,
            subscriber_id=row.subscriber_id, before="", after="confirmed", why="Imported.",
        )
        for row in made
    )  # fmt: skip
    return len(made)
