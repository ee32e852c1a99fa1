"""Taking an import back: what it made goes, what it changed is as before, unless somebody touched it since.

Called by import_runs.py in a worker. Everything that an import made carries its stamp. Some people at a time, each lot in
its own transaction together with how far it came, so that a killed undo goes on where it was. Kept is who was mailed,
changed their mind or was changed by anybody: the report counts them.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Collate
from django.utils import timezone

from mailinglist.changes import Actor, Kind, Noun, record
from mailinglist.models import (
    Change,
    ConsentRecord,
    Delivery,
    Import,
    ImportedBefore,
    Subscriber,
    Subscription,
)

LOT = 1_000
#: What the report counts, in words.
WORDS = {
    "subscriptions": "subscriptions taken away",
    "subscribers": "people taken away, whom no list knew before",
    "restored": "people with their former name and values",
    "resubscribed": "subscriptions that the file had ended, in force again",
    "kept_mailed": "kept, because mail went to them since: unsubscribe them by hand if they should get no more",
    "kept_changed": "kept, because they changed since",
    "kept_updates": "people whose values changed since, left as they are",
    "kept_ended": "ended subscriptions that changed since, left as they are",
}


class Stopped(Exception):
    """The import is no longer to be worked on, or not by this worker."""


def run(row: Import, *, stopping: Callable[[], bool]) -> None:
    """Take back all that is left of an import in the state UNDOING. Raises Stopped."""
    while True:
        if stopping():
            raise Stopped
        with transaction.atomic():
            mine = Import.objects.select_for_update().filter(pk=row.pk, state=Import.State.UNDOING)
            report = mine.values_list("undo_report", flat=True).first()
            if report is None:
                raise Stopped
            step = report.get("step", 0)
            if step == len(_STEPS):
                _end(row, report)
                return
            last = _STEPS[step](row, report, report.get("last", 0))
            report["step"], report["last"] = (step, last) if last else (step + 1, 0)
            Import.objects.filter(pk=row.pk).update(undo_report=report, tries=0)


def _end(row: Import, report: dict[str, Any]) -> None:
    counts = {name: report[name] for name in WORDS if report.get(name)}
    Import.objects.filter(pk=row.pk).update(
        state=Import.State.UNDONE, undo_report=counts, finished_at=timezone.now()
    )
    record(
        Noun.LIST,
        row.list_id,
        before="imported",
        after="import undone",
        why=f"{counts.get('subscriptions', 0):,} subscriptions from {row.file_name} taken away again.",
        by=Actor(Kind.USER, row.user, {"import": row.pk, "file": row.file_name, **counts}),
        list_id=row.list_id,
    )


def _subscriptions(row: Import, report: dict[str, Any], after: int) -> int | None:
    made = Subscription.objects.filter(
        list=row.list_id, created_at=row.stamp, source="import", pk__gt=after
    ).order_by("pk")
    lot = list(made.values_list("pk", "subscriber_id", "status")[:LOT])
    if not lot:
        return None
    _lock({person for _, person, _ in lot})
    # Read again under the locks: somebody may have left in between.
    lot = list(made.filter(pk__lte=lot[-1][0]).values_list("pk", "subscriber_id", "status"))
    if not lot:
        return after + 1
    people = [person for _, person, _ in lot]
    mailed = set(
        Delivery.objects.filter(
            subscriber__in=people, list=row.list_id, created_at__gte=row.stamp
        ).values_list("subscriber_id", flat=True)
    )
    changed = set(
        Change.objects.filter(
            noun=Noun.SUBSCRIPTION, object_id__in=[pk for pk, _, _ in lot], at__gt=row.stamp
        ).values_list("object_id", flat=True)
    )
    agreed = set(
        ConsentRecord.objects.filter(subscriber__in=people, list=row.list_id).values_list(
            "subscriber_id", flat=True
        )
    )
    kept = {pk for pk, person, _ in lot if pk in changed or person in agreed}
    gone = [found for found in lot if found[0] not in kept and found[1] not in mailed]
    _count(report, "kept_changed", len(kept))
    _count(report, "kept_mailed", len(lot) - len(kept) - len(gone))
    _note(row, [(Noun.SUBSCRIPTION, pk, person, status, "taken back") for pk, person, status in gone])
    Subscription.objects.filter(pk__in=[pk for pk, _, _ in gone]).delete()
    _count(report, "subscriptions", len(gone))
    _count(report, "subscribers", _take_away(row, [person for _, person, _ in gone]))
    return lot[-1][0]


def _take_away(row: Import, people: list[int]) -> int:
    """Those of the people whom this import made and who are nothing else to anybody. Returns how many."""
    candidates = Subscriber.objects.filter(
        pk__in=people, created_at=row.stamp, updated_at=row.stamp, paused_until=None, reset_at=None
    )
    wanted = set(candidates.values_list("pk", flat=True))
    used = (
        Subscription.objects.filter(subscriber__in=wanted),
        Delivery.objects.filter(subscriber__in=wanted),
        ConsentRecord.objects.filter(subscriber__in=wanted),
        Change.objects.filter(subscriber__in=wanted, at__gt=row.stamp).exclude(after="taken back"),
    )
    for rows in used:
        wanted -= set(rows.values_list("subscriber_id", flat=True))
    Subscriber.objects.filter(pk__in=wanted).delete()
    return len(wanted)


def _befores(row: Import, report: dict[str, Any], after: int) -> int | None:
    lot = list(ImportedBefore.objects.filter(owner=row, pk__gt=after).order_by("pk")[:LOT])
    if not lot:
        return None
    people = _lock({found.subscriber_id for found in lot})
    restored = []
    for found in lot:
        person = people.get(found.subscriber_id)
        if person is None or any(getattr(person, name) != value for name, value in found.after.items()):
            continue
        for name, value in found.before.items():
            setattr(person, name, value)
        person.updated_at = timezone.now()
        restored.append(person)
    Subscriber.objects.bulk_update(restored, [*_DETAILS, "updated_at"])
    _note(row, [(Noun.SUBSCRIBER, person.pk, person.pk, "updated", "taken back") for person in restored])
    _count(report, "restored", len(restored))
    _count(report, "kept_updates", len(lot) - len(restored))
    return lot[-1].pk


def _ended(row: Import, report: dict[str, Any], after: int) -> int | None:
    """Subscriptions that were there before and that the file ended."""
    ended = (
        Change.objects.filter(
            noun=Noun.SUBSCRIPTION,
            list=row.list_id,
            at=row.stamp,
            after=Subscription.Status.UNSUBSCRIBED,
            before__in=[Subscription.Status.CONFIRMED, Subscription.Status.PENDING],
            pk__gt=after,
        )
        .order_by("pk")
        .values_list("pk", "object_id", "subscriber_id", "before")
    )
    lot = list(ended[:LOT])
    if not lot:
        return None
    _lock({person for _, _, person, _ in lot if person})
    untouched = set(
        Subscription.objects.filter(
            pk__in=[found[1] for found in lot],
            status=Subscription.Status.UNSUBSCRIBED,
            unsubscribe_reason=Subscription.Reason.IMPORT,
            unsubscribed_at=row.stamp,
        ).values_list("pk", flat=True)
    )
    back = [found for found in lot if found[1] in untouched]
    for status in {found[3] for found in back}:
        Subscription.objects.filter(pk__in=[found[1] for found in back if found[3] == status]).update(
            status=status, unsubscribed_at=None, unsubscribe_reason=""
        )
    _note(row, [(Noun.SUBSCRIPTION, pk, person, "unsubscribed", status) for _, pk, person, status in back])
    _count(report, "resubscribed", len(back))
    _count(report, "kept_ended", len(lot) - len(back))
    return lot[-1][0]


_STEPS = (_subscriptions, _befores, _ended)
_DETAILS = ("name", "language", "time_zone", "attributes")


def _lock(people: set[int]) -> dict[int, Subscriber]:
    """In the order in which imports lock them, so that nobody waits for each other in a circle."""
    rows = Subscriber.objects.select_for_update().filter(pk__in=people)
    return {row.pk: row for row in rows.order_by(Collate(F("email_key"), "C"))}


def _note(row: Import, what: list[tuple[Change.Noun, int, int | None, str, str]]) -> None:
    now = timezone.now()
    why = f"The import of {row.file_name} was undone."
    Change.objects.bulk_create(
        Change(
            at=now,
            actor=Kind.USER,
            user=row.user,
            noun=noun,
            object_id=pk,
            subscriber_id=person,
            list_id=row.list_id,
            before=before,
            after=after,
            why=why,
            evidence={"import": row.pk},
        )
        for noun, pk, person, before, after in what
    )


def _count(report: dict[str, Any], name: str, number: int) -> None:
    report[name] = report.get(name, 0) + number
