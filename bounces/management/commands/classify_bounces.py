"""manage.py classify_bounces PATH… | -   or   manage.py classify_bounces --diagnostics FILE.csv"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import opinion, sources

COLUMNS = ("code", "enhanced", "text", "provider")


class Command(BaseCommand):
    help = (
        "Say what bounces mean, and change nothing: SES JSON, SNS envelopes, JSON lines, mails (.eml, "
        "Maildir, mbox) or directories of them. Needs no database. Exit status 0: every document has its "
        "answer; 1: there was nothing to read; 2: a path or a table cannot be read. "
        "Example: manage.py classify_bounces ~/Maildir/ --json"
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths", nargs="*", metavar="PATH", help="A file, a directory, or - for standard input."
        )
        parser.add_argument(
            "--diagnostics",
            metavar="FILE.csv",
            help=f"Judge the rows of a CSV with the columns {', '.join(COLUMNS)} instead.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        paths, table = options["paths"], options["diagnostics"]
        if bool(paths) == bool(table):
            raise CommandError(
                "Name files or directories, or one --diagnostics FILE.csv, not both.", returncode=2
            )
        count = 0
        try:
            for found in _of_table(table) if table else _of_paths(paths):
                self.stdout.write(json.dumps(found.as_dict()) if options["json"] else _line(found))
                count += 1
        except sources.UnreadableSource as error:
            raise CommandError(str(error), returncode=2) from error
        if not count:
            raise CommandError("There was nothing to read.", returncode=1)


def _of_paths(paths: list[str]) -> Iterator[opinion.Opinion]:
    for document in sources.documents(paths):
        yield from opinion.of_document(document.name, document.raw)


def _of_table(name: str) -> Iterator[opinion.Opinion]:
    """An opinion a row, named by its line. Raises UnreadableSource."""
    try:
        with Path(name).open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            rows = csv.DictReader(stream)
            if "text" not in (rows.fieldnames or ()):
                raise sources.UnreadableSource(
                    f"{name}: the first line names no column “text”. The columns are {', '.join(COLUMNS)}."
                )
            for row in rows:
                cells = {column: row.get(column) or "" for column in COLUMNS}
                yield opinion.of_row(f"{name}:{rows.line_num}", cells)
    except OSError as error:
        raise sources.UnreadableSource(f"{name}: {error.strerror}.") from error
    except csv.Error as error:
        raise sources.UnreadableSource(f"{name}: it is no CSV table ({error}).") from error


def _line(found: opinion.Opinion) -> str:
    return f"{found.file}  {found.recipient or '-'}  {found.verdict} ({found.reason}): {found.explanation}"
