"""manage.py import_subscribers: subscribe the people of a CSV file."""

import csv
import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from mailinglist import imports
from mailinglist.changes import Actor, Kind
from mailinglist.csv_rows import guarded
from mailinglist.models import MailingList

SHOWN = 20
WORDS = {
    "rows": "rows",
    "new_subscriptions": "new subscriptions",
    "new_subscribers": "new people",
    "updated": "people updated",
    "already": "on the list already",
    "unsubscribed": "recorded as unsubscribed",
    "kept_unsubscribed": "had left, left alone",
    "suppressed": "suppressed, not subscribed",
    "duplicates_in_file": "the same address again",
    "bad_total": "bad rows",
}


class Command(BaseCommand):
    help = (
        "Subscribe the people of a CSV file to a list. Who has left or is suppressed is never brought back."
    )
    epilog = """examples:
  manage.py import_subscribers news people.csv --dry-run
  manage.py import_subscribers news people.csv --update --errors bad.csv
  zcat people.csv.gz | manage.py import_subscribers news - --json

The first line names the columns: email, and if you like name, language, time_zone, consent_at, consent_ip and
status. All others become attributes for merge tags.

exit status: 0 all rows were good, 1 some were bad (the others are imported), 2 nothing could be read"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = self.epilog
        parser.add_argument("list", help="the list's short name, as in its address")
        parser.add_argument("file", help="the CSV file; - for the standard input")
        parser.add_argument(
            "--update", action="store_true", help="take names and attributes of known people too"
        )
        parser.add_argument("--dry-run", action="store_true", help="report the same, change nothing")
        parser.add_argument(
            "--status",
            choices=["confirmed", "pending"],
            default="confirmed",
            help="of new subscriptions; confirmed (default) says that the people have agreed to it",
        )
        parser.add_argument("--encoding", default="utf-8", help="utf-8 (default), cp1252, utf-16, …")
        parser.add_argument("--errors", metavar="FILE.csv", type=Path, help="write all bad rows there")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        mailing_list = find_list(options["list"])
        if options["errors"] is not None:
            _refuse(options["errors"], options["file"])
        name = "the standard input" if options["file"] == "-" else options["file"]
        on_terminal = self.stderr.isatty() and not options["json"]
        try:
            with self._errors(options["errors"]) as on_bad:
                report = imports.import_csv(
                    mailing_list.pk,
                    sys.stdin.buffer if options["file"] == "-" else Path(options["file"]),
                    by=Actor(Kind.COMMAND, evidence={"command": "import_subscribers"}),
                    status=options["status"],
                    update=options["update"],
                    dry_run=options["dry_run"],
                    encoding=options["encoding"],
                    on_bad=on_bad,
                    progress=self._progress if on_terminal else None,
                )
        except imports.UnreadableFile as error:
            raise CommandError(f"{name}: {error}", returncode=2) from error
        except OSError as error:
            raise CommandError(f"{error.filename or name}: {error.strerror}.", returncode=2) from error
        finally:
            if on_terminal:
                self._progress("")
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict()))
        else:
            self._print(report, errors=options["errors"])
        if report.bad_total:
            sys.exit(1)

    def _print(self, report: imports.ImportReport, *, errors: Path | None) -> None:
        for bad in report.bad[:SHOWN]:
            where = f"line {bad.line}" + (f", {bad.column}" if bad.column else "")
            self.stderr.write(f"{where}: {bad.reason} [{bad.value}]")
        if report.bad_total > SHOWN:
            rest = f"all are in {errors}" if errors else "--errors FILE.csv writes all of them"
            self.stderr.write(f"… and {report.bad_total - SHOWN:,} more bad rows ({rest})")
        for name, words in WORDS.items():
            if (count := getattr(report, name)) or name in ("rows", "new_subscriptions"):
                self.stdout.write(f"{count:>10,}  {words}")
        if report.columns_not_imported:
            self.stdout.write(f"Not imported: the columns {', '.join(report.columns_not_imported)}.")
        if report.dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")

    def _progress(self, words: str) -> None:
        self.stderr.write(f"\r\033[K{words}", ending="")
        self.stderr.flush()

    @contextmanager
    def _errors(self, path: Path | None) -> Iterator[Callable[[imports.BadRow], None] | None]:
        if path is None:
            yield None
            return
        with _written_at_the_end(path) as file:
            writer = csv.writer(file)
            writer.writerow(imports.BadRow._fields)
            yield lambda bad: writer.writerow([guarded(str(value)) for value in bad])


def _refuse(errors: Path, file: str) -> None:
    """Raises CommandError where the bad rows would replace what is read, under whichever name."""
    if errors.is_dir():
        raise CommandError(f"--errors {errors} is a folder; name a file in it.", returncode=2)
    try:
        read = os.fstat(sys.stdin.fileno()) if file == "-" else os.stat(file)
        same = errors.is_file() and os.path.samestat(read, errors.stat())
    except (OSError, ValueError):  # what cannot be looked at is told when it is opened
        return
    if same:
        raise CommandError(
            f"--errors {errors} is the file that is read, and would replace it. Name another one.",
            returncode=2,
        )


@contextmanager
def _written_at_the_end(path: Path) -> Iterator[TextIO]:
    """Written beside the file and moved there at the end: an earlier one survives an input that cannot be read."""
    if path.exists() and not path.is_file():  # a terminal or a pipe
        with path.open("w", newline="", encoding="utf-8") as file:
            yield file
        return
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        file = draft.open("x", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--errors {path}: {error.strerror}.", returncode=2) from error
    try:
        with file:
            yield file
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def find_list(slug: str) -> MailingList:
    """The list of that short name. Raises CommandError with the names there are."""
    found = MailingList.objects.filter(slug=slug).first()
    if found is None:
        slugs = ", ".join(MailingList.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(f"There is no list “{slug}”. The lists are: {slugs or 'none yet'}.", returncode=2)
    return found
