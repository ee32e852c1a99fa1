"""CSV files into subscribers and subscriptions. Called by the admin, the demo and the command
import_subscribers.

Guarantees: memory does not grow with the file · a bad row is reported with its line and reason and stops
nothing · who has left the list stays away, who is suppressed is not subscribed, whatever the file says ·
importing the same file again, also after a kill -9 in the middle, makes nothing twice.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from mailinglist import attributes, import_sessions, import_staging
from mailinglist.changes import Actor, Noun, record
from mailinglist.csv_columns import Columns, Person
from mailinglist.csv_rows import MAX_COLUMNS, MAX_ROW, BadRow, CsvFile, UnreadableFile
from mailinglist.import_merge import Order
from mailinglist.import_sessions import Work
from mailinglist.models import MailingList, Subscription

__all__ = ["BadRow", "ImportReport", "UnreadableFile", "import_csv"]

KEPT_BAD_ROWS = 100
_TELL_EVERY = 5_000


@dataclass(slots=True)
class ImportReport:
    """What became of the rows. Each row is counted once:

    rows = new_subscriptions + unsubscribed + already + kept_unsubscribed + suppressed + duplicates_in_file +
    bad_total. ``new_subscribers`` and ``updated`` count people among them.
    """

    dry_run: bool = False
    rows: int = 0
    #: People whom no list knew before.
    new_subscribers: int = 0
    new_subscriptions: int = 0
    #: People whose name, language, time zone or attributes changed (with ``update``).
    updated: int = 0
    #: Had this subscription before, confirmed or pending; an import does not confirm a pending one.
    already: int = 0
    #: The file says "unsubscribed", and so it was recorded.
    unsubscribed: int = 0
    #: Have left this list and were left alone.
    kept_unsubscribed: int = 0
    #: On the suppression list of the installation: not subscribed.
    suppressed: int = 0
    duplicates_in_file: int = 0
    bad_total: int = 0
    #: The first bad rows.
    bad: list[BadRow] = field(default_factory=list)
    #: Columns with a meaning that an import leaves out.
    columns_not_imported: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "bad": [row._asdict() for row in self.bad]}


def import_csv(
    list_id: int,
    file: BinaryIO | Path,
    *,
    by: Actor,
    status: str = Subscription.Status.CONFIRMED,
    update: bool = False,
    dry_run: bool = False,
    encoding: str = "utf-8",
    file_name: str = "",
    max_row: int = MAX_ROW,
    max_columns: int = MAX_COLUMNS,
    columns: Sequence[str] | None = None,
    consent_text: str = "",
    at: datetime | None = None,
    import_id: int | None = None,
    resume: Work | None = None,
    keep: Callable[[int, Work], None] | None = None,
    keep_bad: int = KEPT_BAD_ROWS,
    on_bad: Callable[[BadRow], None] | None = None,
    on_read: Callable[[int], None] | None = None,
    progress: Callable[[str], None] | None = None,
    at_end: Callable[[ImportReport], None] | None = None,
) -> ImportReport:
    """Subscribe the people of a CSV file to a list. The first line names the columns, one of them ``email``.

    ``name``, ``language``, ``time_zone``, ``consent_at`` (ISO 8601), ``consent_ip`` and ``status`` are
    known, every other column becomes an attribute, checked where its kind is defined (attributes.py).
    ``status`` (confirmed or pending) is what new
    subscriptions get, less where the file's own status column says less: pending, or unsubscribed, which is
    recorded so that later imports respect it. ``confirmed`` asserts that the person has agreed; it does not
    confirm a subscription that is pending here, because only the person can. Nobody is mailed.

    What is known already stays as it is. ``update`` takes names, languages, time zones and attributes from
    the file where it says something, and ends the subscriptions that the file calls unsubscribed.
    ``dry_run`` changes nothing and reports the same. ``on_bad`` hears every bad row, the report keeps the
    first ``keep_bad``; ``on_read`` hears how many rows were read, ``progress`` a few words now and then. Rows
    longer than ``max_row`` characters are bad.

    ``columns`` names the columns instead of the first line, "" leaves one out. ``consent_text`` says how all of
    them agreed and is kept with every new subscription. ``at`` is the time that all new rows carry.
    ``import_id``: what people were before is kept for that Import. ``keep`` hears how many people there are in all
    and what is done, inside the transaction that makes it true and perhaps in another thread; after a crash that goes
    back in as ``resume``, with the same file and ``at``. ``at_end`` is called in the transaction of the last entry in
    the audit trail.

    Raises UnreadableFile when nothing of the file can be used, OSError when it cannot be opened,
    MailingList.DoesNotExist. Needs one database session for all of it (a session pool, no transaction pool).
    """
    report = ImportReport(dry_run=dry_run)
    mailing_list = MailingList.objects.get(pk=list_id)
    now = at or timezone.now()
    tell = progress or (lambda words: None)
    file_name = file_name or _name_of(file)
    with _opened(file) as stream:
        source = CsvFile(stream, encoding=encoding, max_row=max_row, max_columns=max_columns)
        named = Columns(
            source.header if columns is None else columns, encoding=encoding, typed=attributes.meanings()
        )
        report.columns_not_imported = named.not_imported
        people = _people(source, named, _Reading(report, status, now, keep_bad, on_bad, on_read, tell))
        staged, different = import_staging.stage(people)
    report.duplicates_in_file = staged - different
    order = Order(
        list_id=mailing_list.pk,
        update=update,
        dry_run=dry_run,
        now=now,
        actor=by.kind,
        user_id=by.user.pk if by.user else None,
        why=f"Imported from {file_name}.",
        evidence={**by.evidence, "file": file_name},
        consent_text=consent_text,
        import_id=import_id,
    )
    counts = import_sessions.merge(
        resume or import_sessions.work_for(different),
        order,
        done=lambda done: tell(f"merged {done:,} of {different:,} people"),
        keep=(lambda work: keep(different, work)) if keep else None,
    )
    for name, count in asdict(counts).items():
        setattr(report, name, count)
    if not dry_run:
        with transaction.atomic():
            _record(report, mailing_list, by=by, file_name=file_name)
            if at_end:
                at_end(report)
    return report


@dataclass(frozen=True, slots=True)
class _Reading:
    """What reading a file needs beside the file."""

    report: ImportReport
    status: str
    now: datetime
    keep_bad: int
    on_bad: Callable[[BadRow], None] | None
    on_read: Callable[[int], None] | None
    tell: Callable[[str], None]


def _people(source: CsvFile, columns: Columns, reading: _Reading) -> Iterator[Person]:
    report = reading.report
    for row in source:
        report.rows += 1
        found = (
            row if isinstance(row, BadRow) else columns.person(row, status=reading.status, now=reading.now)
        )
        if isinstance(found, Person):
            yield found
        else:
            _note(found, reading)
        if report.rows % _TELL_EVERY == 0:
            reading.tell(f"read {report.rows:,} rows")
            if reading.on_read:
                reading.on_read(report.rows)


def _note(bad: BadRow, reading: _Reading) -> None:
    reading.report.bad_total += 1
    if len(reading.report.bad) < reading.keep_bad:
        reading.report.bad.append(bad)
    if reading.on_bad:
        reading.on_bad(bad)


def _record(report: ImportReport, mailing_list: MailingList, *, by: Actor, file_name: str) -> None:
    what = {name: value for name, value in report.as_dict().items() if isinstance(value, int) and value}
    record(
        Noun.LIST,
        mailing_list.pk,
        before="",
        after="imported",
        why=f"{report.new_subscriptions:,} new subscriptions from {report.rows:,} rows of {file_name}.",
        by=Actor(by.kind, by.user, {**by.evidence, "file": file_name, **what}),
        list_id=mailing_list.pk,
    )


@contextmanager
def _opened(file: BinaryIO | Path) -> Iterator[BinaryIO]:
    if not isinstance(file, Path):
        yield file
        return
    with file.open("rb") as stream:
        yield stream


def _name_of(file: BinaryIO | Path) -> str:
    name = getattr(file, "name", "")
    return Path(name).name if isinstance(name, str) and name else "a file"
