"""An import from its upload to its end: columns, check, start, cancel, and the worker's part. Undo is in import_undo.py.

Called by the staff pages and tasks.py. What is to be done stands in the state of the Import, so a lost message only costs
the time until the next sweep. A worker that dies leaves whole chunks behind, counted in the transaction that made them;
the next one reads the file again and goes on after them. One import runs at a time.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from celery import signature
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mailinglist import doorbell, import_files, import_staging, import_undo, imports, places
from mailinglist.changes import Actor, Kind, Noun, record
from mailinglist.csv_rows import HEAD, BadRow, UnreadableFile, likely_encoding
from mailinglist.import_merge import Counts
from mailinglist.import_sessions import Part, Work
from mailinglist.import_undo import Stopped
from mailinglist.models import Import, ImportBadRow, ImportedBefore, ImportPart, MailingList

State = Import.State
#: So many refused rows are kept for download; all of them are counted.
MOST_BAD_ROWS = 100_000
#: Runs without any progress after which the import is given up.
MOST_TRIES = 5
_BAD_ROWS_TOGETHER = 1_000


class CannotDo(ValueError):
    """The import is not in a state for this; the message says what it is."""


def create(
    mailing_list: MailingList, pieces: Iterable[bytes], *, file_name: str, encoding: str, by: Actor
) -> Import:
    """Keep an uploaded file and guess its columns. ``encoding``: "" to find it out.

    Raises UnreadableFile, and then keeps nothing.
    """
    with transaction.atomic():
        row = Import.objects.create(
            list=mailing_list,
            user=by.user,
            stamp=timezone.now(),
            file_name=file_name[-200:] or "a file",
            size=0,
            encoding="",
        )
        row.size = import_files.store(row, pieces)
        head = import_files.opened(row.pk).read(HEAD)
        import_files.refuse_other_kinds(head)
        row.encoding = encoding or likely_encoding(head)
        _look_into(row)
        row.save()
    return row


def read_as(import_id: int, encoding: str) -> None:
    """Read the file in another encoding, and guess its columns anew. Raises UnreadableFile, CannotDo."""
    with transaction.atomic():
        row = _locked(import_id, State.MAPPING, State.CHECKED)
        row.encoding, row.state = encoding, State.MAPPING
        _look_into(row)
        row.save()


def check(import_id: int, columns: list[str], *, status: str, update: bool, consent_text: str) -> None:
    """Have a worker read the file with these columns and report what an import would do. Raises UnreadableFile,
    CannotDo."""
    with transaction.atomic():
        row = _locked(import_id, State.MAPPING, State.CHECKED)
        import_files.refuse_columns(columns, encoding=row.encoding)
        if len(columns) != len(row.header):
            raise CannotDo("These are not the columns of this file.")
        row.columns, row.status, row.update, row.consent_text = columns, status, update, consent_text
        row.state, row.rows_read, row.people_done, row.people, row.tries = State.CHECKING, 0, 0, 0, 0
        row.check_report = {}
        row.save()
        _ring(row)


def start(import_id: int, *, by: Actor) -> None:
    """Have a worker bring the people in. Raises CannotDo."""
    with transaction.atomic():
        row = _locked(import_id, State.CHECKED)
        row.state, row.rows_read, row.people_done, row.people, row.tries = State.IMPORTING, 0, 0, 0, 0
        row.started_at, row.user = timezone.now(), by.user
        row.save()
        _record(row, "import started", f"Import of {row.file_name} started.", by)
        _ring(row)


def cancel(import_id: int, *, by: Actor) -> None:
    """Stop it where it is: what was imported until now stays, and can be undone. Raises CannotDo."""
    with transaction.atomic():
        row = _locked(import_id, State.MAPPING, State.CHECKING, State.CHECKED, State.IMPORTING)
        row.state, row.finished_at = State.CANCELLED, timezone.now()
        row.save()
        _let_go(row)
        if row.started_at:
            made = row.report.get("new_subscriptions", 0)
            _record(
                row,
                "import cancelled",
                f"Import of {row.file_name} cancelled after {made:,} subscriptions.",
                by,
            )


def undo(import_id: int, *, by: Actor) -> None:
    """Have a worker take the import back. Raises CannotDo."""
    with transaction.atomic():
        row = _locked(import_id, State.DONE, State.CANCELLED, State.FAILED)
        if not row.can_undo:
            raise CannotDo("Nothing was imported, so there is nothing to undo.")
        if row.started_at and row.started_at < timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS):
            raise CannotDo(
                f"It was imported more than {settings.IMPORT_KEEP_DAYS:g} days ago: what people were before is no "
                "longer kept."
            )
        row.state, row.undo_report, row.tries = State.UNDOING, {}, 0
        row.save()
        _record(row, "import being undone", f"Undo of the import of {row.file_name} started.", by)
        _ring(row)


def next_to_do() -> int | None:
    """The import that a worker should take now; None: there is none, or one is under way."""
    if places.is_taken(places.IMPORTS, 0, 1):
        return None
    return Import.objects.filter(state__in=Import.WORK).order_by("pk").values_list("pk", flat=True).first()


def run(import_id: int, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Do what is to be done with an import. Nothing where another worker is at one, or there is nothing to do.

    ``stopping``: whether this worker was asked to end. It leaves the rest to the next one.
    """
    with places.place(places.IMPORTS, 0, 1) as free:
        if not free:
            return
        row = (
            Import.objects.select_related("list", "user").filter(pk=import_id, state__in=Import.WORK).first()
        )
        if row is None or not _may_try(row):
            return
        try:
            _STEPS[State(row.state)](row, stopping)
        except Stopped:
            import_staging.drop_staged()
            if stopping():  # no fault of the file
                Import.objects.filter(pk=row.pk).update(tries=row.tries)
        except UnreadableFile as error:
            _fail(row, str(error))


def prune() -> None:
    """Throw away what waits for nobody any more: files that were never imported, refused rows, what people were before.
    An import can be undone until then."""
    old = Import.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS))
    for row in old.filter(state__in=(State.MAPPING, State.CHECKED)):
        with transaction.atomic():
            Import.objects.filter(pk=row.pk, state=row.state).update(
                state=State.CANCELLED, finished_at=timezone.now()
            )
            _let_go(row)
    ended = old.exclude(state__in=Import.WORK)
    ImportBadRow.objects.filter(owner__in=ended).delete()
    ImportedBefore.objects.filter(owner__in=ended).delete()


def forget(needles: Iterable[str]) -> None:
    """Take refused rows away that hold one of these addresses (in lower case)."""
    for needle in needles:
        ImportBadRow.objects.filter(value__icontains=needle).delete()


def _check(row: Import, stopping: Callable[[], bool]) -> None:
    ImportBadRow.objects.filter(owner=row).delete()
    bad_rows = _BadRows(row)
    report = _import_csv(row, stopping, dry_run=True, on_bad=bad_rows.add)
    bad_rows.flush()
    Import.objects.filter(pk=row.pk, state=State.CHECKING).update(
        state=State.CHECKED, check_report=_numbers(report), rows_read=report.rows, tries=0
    )


def _import(row: Import, stopping: Callable[[], bool]) -> None:
    def at_end(report: imports.ImportReport) -> None:
        done = Import.objects.filter(pk=row.pk, state=State.IMPORTING).update(
            state=State.DONE,
            report=_numbers(report),
            rows_read=report.rows,
            finished_at=timezone.now(),
            tries=0,
        )
        if not done:
            raise Stopped
        _let_go(row)

    _import_csv(row, stopping, resume=_rest(row) if row.people_done else None, at_end=at_end)


def _rest(row: Import) -> Work:
    """What an earlier run of this import has left to do."""
    counts = Counts(**{field.name: row.report.get(field.name, 0) for field in fields(Counts)})
    parts = row.report.get("parts", [[row.people_done, row.people]])
    return Work([Part(*part) for part in parts], counts)


def _undo(row: Import, stopping: Callable[[], bool]) -> None:
    import_undo.run(row, stopping=stopping)


_STEPS = {State.CHECKING: _check, State.IMPORTING: _import, State.UNDOING: _undo}


def _import_csv(
    row: Import, stopping: Callable[[], bool], *, dry_run: bool = False, **options: Any
) -> imports.ImportReport:
    mine = Import.objects.filter(pk=row.pk, state=row.state)

    def on_read(rows: int) -> None:
        if stopping() or not mine.update(rows_read=rows):
            raise Stopped

    def keep(people: int, work: Work) -> None:
        values: dict[str, Any] = {"people_done": work.people_done, "people": people, "tries": 0}
        if not dry_run:
            values["report"] = {
                **asdict(work.total),
                "parts": [(part.done, part.upto) for part in work.parts],
            }
        if stopping() or not mine.update(**values):
            raise Stopped

    return imports.import_csv(
        row.list_id,
        import_files.opened(row.pk),
        by=Actor(Kind.USER, row.user, {"import": row.pk}),
        status=row.status,
        update=row.update,
        dry_run=dry_run,
        encoding=row.encoding,
        file_name=row.file_name,
        columns=row.columns,
        consent_text=row.consent_text,
        at=row.stamp,
        import_id=None if dry_run else row.pk,
        keep=keep,
        keep_bad=0,
        on_read=on_read,
        **options,
    )


class _BadRows:
    """Refused rows on their way into the database, some at a time."""

    def __init__(self, owner: Import) -> None:
        self._owner, self._kept = owner, 0
        self._waiting: list[ImportBadRow] = []

    def add(self, bad: BadRow) -> None:
        if self._kept == MOST_BAD_ROWS:
            return
        self._kept += 1
        self._waiting.append(
            ImportBadRow(
                owner=self._owner, line=bad.line, column=bad.column[:100], value=bad.value, reason=bad.reason
            )
        )
        if len(self._waiting) == _BAD_ROWS_TOGETHER:
            self.flush()

    def flush(self) -> None:
        ImportBadRow.objects.bulk_create(self._waiting)
        self._waiting = []


def _numbers(report: imports.ImportReport) -> dict[str, Any]:
    return {name: value for name, value in report.as_dict().items() if type(value) is int}


def _look_into(row: Import) -> None:
    found = import_files.sample(import_files.opened(row.pk), row.encoding)
    row.header, row.columns = found.header, import_files.guess(found)


def _locked(import_id: int, *states: str) -> Import:
    row = Import.objects.select_for_update(of=("self",)).select_related("list").get(pk=import_id)
    if row.state not in states:
        raise CannotDo(f"This import is {row.get_state_display()} now. Nothing was changed.")
    return row


def _may_try(row: Import) -> bool:
    if row.tries >= MOST_TRIES:
        _fail(row, f"A worker began {row.tries} times and never came further. Its log says why.")
        return False
    Import.objects.filter(pk=row.pk).update(tries=row.tries + 1, rows_read=0)
    return True


def _fail(row: Import, trouble: str) -> None:
    """What was imported until now stays, and can be undone."""
    with transaction.atomic():
        Import.objects.filter(pk=row.pk, state=row.state).update(
            state=State.FAILED, trouble=trouble, finished_at=timezone.now()
        )
        _let_go(row)


def _let_go(row: Import) -> None:
    """The file is of no more use, and full of addresses."""
    ImportPart.objects.filter(owner=row).delete()


def _ring(row: Import) -> None:
    doorbell.ring(signature("mailinglist.tasks.run_import"), row.pk)


def _record(row: Import, after: str, why: str, by: Actor) -> None:
    record(
        Noun.LIST,
        row.list_id,
        before="",
        after=after,
        why=why,
        by=Actor(by.kind, by.user, {**by.evidence, "import": row.pk, "file": row.file_name}),
        list_id=row.list_id,
    )
