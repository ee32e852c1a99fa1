"""manage.py rebuild_engagement [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bounces import engagement
from bounces.management.progress import Progress


class Command(BaseCommand):
    help = (
        "Judge all stored opens and clicks anew, by people or by programs, for instance after an update brought new "
        "rules. Safe to repeat. Example: manage.py rebuild_engagement"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the count as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            mails = engagement.rebuild(lambda count: progress.show(f"{count} mails"))
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps({"mails": mails}))
        else:
            self.stdout.write(f"{mails} mails that were opened or followed were judged.")
