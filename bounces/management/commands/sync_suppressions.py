"""manage.py sync_suppressions [--dry-run] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import suppression_sync
from bounces.management.progress import Progress


class Command(BaseCommand):
    help = (
        "Make our suppressions and the suppression list of the SES account alike, in both directions: what SES "
        "has is suppressed here, our hard bounces and complaints are put there, what was released here is taken "
        "off there. One call a second; can be interrupted and started again. Exit status 1: SES did not answer. "
        "Example: manage.py sync_suppressions --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Read SES's list, and change nothing.")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            done = suppression_sync.sync(
                dry_run=options["dry_run"],
                progress=lambda so_far: progress.show(
                    f"{so_far.seen} read, {so_far.put} put, {so_far.deleted} taken off"
                ),
            )
        except (suppression_sync.SesAway, suppression_sync.Busy) as error:
            raise CommandError(str(error), returncode=1) from error
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(done.as_dict()))
            return
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{done.seen} addresses on SES's list{' (continued)' if done.resumed else ''}: {done.suppressed_here} "
            f"{verb} suppressed here, {done.put} {verb} put there, {done.deleted} {verb} taken off there."
        )
