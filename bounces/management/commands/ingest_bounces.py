"""manage.py ingest_bounces PATH… | -"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import ingest, pipeline, sources
from bounces.models import Notification


class Command(BaseCommand):
    help = (
        "Store and process bounce notifications from files: SES JSON, SNS envelopes, SQS messages, JSON lines, or "
        "directories of them. What cannot be read is kept in the quarantine. Example: "
        "manage.py ingest_bounces exported-events/ --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="A file, a directory, or - for standard input."
        )
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        ids: list[int] = []
        duplicates = 0
        try:
            for document in sources.documents(options["paths"]):
                stored = _store(document)
                duplicates += not stored.created
                if stored.created:
                    ids.append(stored.notification_id)
        except sources.UnreadableSource as error:
            raise CommandError(str(error), returncode=2) from error
        done = pipeline.process(ids)
        counts = {
            "stored": len(ids),
            "duplicates": duplicates,
            "processed": done.processed,
            "quarantined": done.quarantined,
            "events": done.events,
        }
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        self.stdout.write(
            f"{counts['stored']} stored, {counts['duplicates']} known before, {counts['processed']} processed with "
            f"{counts['events']} events, {counts['quarantined']} in quarantine."
        )
        if done.quarantined:
            self.stdout.write("See the quarantined ones in the admin under Bounces › Notifications.")


def _store(document: sources.Document) -> ingest.Stored:
    key = f"sns:{document.sns_message_id}" if document.sns_message_id else ingest.content_key(document.raw)
    return ingest.store(
        document.raw,
        source=Notification.Source.FILE,
        dedupe_key=key,
        topic_arn=document.topic_arn[:256],
        wake=False,
    )
