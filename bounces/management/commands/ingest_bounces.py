"""manage.py ingest_bounces PATH… | -"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import ingest, pipeline, sources
from bounces.management.progress import Progress
from bounces.models import Notification

_TOGETHER = 200


class Command(BaseCommand):
    help = (
        "Store and process bounces from files: SES JSON, SNS envelopes, SQS messages, JSON lines, mails (.eml, Maildir, "
        "mbox), or directories of them; - reads one mail or JSON from standard input, as a mail server pipes it. What "
        "cannot be read is kept in the quarantine. A mailed report acts only where it returns our signed header. "
        "Exit status 2: a path cannot be read; with -, 75 (try again later) for all that is not the mail's fault. "
        "Example: manage.py ingest_bounces ~/Maildir/"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="A file, a directory, or - for standard input."
        )
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        counts = _Counts()
        try:
            for rows in _together(sources.documents(options["paths"])):
                counts.take(rows)
                progress.show(f"{counts.stored + counts.duplicates} documents, {counts.events} events")
        except sources.UnreadableInput as error:
            raise CommandError(str(error)) from error
        except sources.UnreadableSource as error:
            raise CommandError(str(error), returncode=2) from error
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(counts.as_dict()))
            return
        self.stdout.write(
            f"{counts.stored} stored, {counts.duplicates} known before, {counts.processed} processed with "
            f"{counts.events} events, {counts.quarantined} in quarantine."
        )
        if counts.quarantined:
            self.stdout.write("See the quarantined ones in the admin under Bounces › Notifications.")


@dataclass(slots=True)
class _Counts:
    stored: int = 0
    duplicates: int = 0
    processed: int = 0
    quarantined: int = 0
    events: int = 0

    def take(self, rows: Sequence[ingest.Incoming]) -> None:
        """Store and process these."""
        stored = ingest.store_many(rows, wake=False)
        new = [row.notification_id for row in stored if row.created]
        self.stored += len(new)
        self.duplicates += len(stored) - len(new)
        done = pipeline.process(new)
        self.processed += done.processed
        self.quarantined += done.quarantined
        self.events += done.events

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def _together(documents: Iterator[sources.Document]) -> Iterator[list[ingest.Incoming]]:
    rows: list[ingest.Incoming] = []
    for document in documents:
        rows.append(_incoming(document))
        if len(rows) == _TOGETHER:
            yield rows
            rows = []
    if rows:
        yield rows


def _incoming(document: sources.Document) -> ingest.Incoming:
    return ingest.Incoming(
        document.raw,
        Notification.Source.DSN if document.is_mail else Notification.Source.FILE,
        f"sns:{document.sns_message_id}" if document.sns_message_id else ingest.content_key(document.raw),
        topic_arn=document.topic_arn,
    )
