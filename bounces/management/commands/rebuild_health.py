"""manage.py rebuild_health [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bounces import health
from bounces.management.progress import Progress


class Command(BaseCommand):
    help = (
        "Compute the health of every address and the counts per provider anew from the stored events, for "
        "instance after a restore of the database. Safe to repeat. Example: manage.py rebuild_health"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            done = health.rebuild(lambda count: progress.show(f"{count} addresses"))
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(done))
        else:
            self.stdout.write(
                f"{done['addresses']} addresses and {done['slots']} quarters of an hour were computed."
            )
