"""manage.py retry_soft_bounces [--dry-run] [--json]"""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bounces import retries


class Command(BaseCommand):
    help = (
        "Queue the mails again whose retry after a soft bounce is due. Workers do the same by themselves. Example: "
        "manage.py retry_soft_bounces --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        done = retries.run_due(dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
            return
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{done.requeued} {verb} queued again; not sent again: {done.superseded} superseded by a newer mail, "
            f"{done.unsubscribed} unsubscribed or suppressed, {done.paused} paused, "
            f"{done.expired} past the campaign's time for retries."
        )
