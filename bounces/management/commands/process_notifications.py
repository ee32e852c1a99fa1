"""manage.py process_notifications [--replay-quarantined [--vouch]] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import pipeline
from bounces.management.progress import Progress


class Command(BaseCommand):
    help = (
        "Process every stored notification now, without waiting for a worker. Example: "
        "manage.py process_notifications --replay-quarantined"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--replay-quarantined",
            action="store_true",
            help="Try the quarantined ones again, for instance after an upgrade that understands them.",
        )
        parser.add_argument(
            "--vouch",
            action="store_true",
            help="With --replay-quarantined: also those whose sender nobody proved. You say that they are real.",
        )
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["vouch"] and not options["replay_quarantined"]:
            raise CommandError("--vouch needs --replay-quarantined.", returncode=2)
        progress = Progress(self.stderr)
        try:
            total = pipeline.process_everything(
                lambda so_far: progress.show(f"{so_far.taken} notifications, {so_far.events} events")
            )
        finally:
            progress.end()
        if options["replay_quarantined"]:
            total += pipeline.replay_quarantined(vouched=options["vouch"])
        matched = pipeline.rematch()
        applied = pipeline.apply_due_effects()
        counts = {
            "processed": total.processed,
            "events": total.events,
            "quarantined": total.quarantined,
            "failed": total.failed,
            "matched_later": matched,
            "effects_applied": applied,
        }
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write(
                f"{total.processed} processed with {total.events} events, {total.quarantined} in quarantine, "
                f"{total.failed} to be tried again, {matched} matched late, {applied} held effects applied."
            )
        if total.failed:
            raise SystemExit(1)
