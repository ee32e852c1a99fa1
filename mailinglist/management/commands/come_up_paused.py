"""manage.py come_up_paused"""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailinglist import restored


class Command(BaseCommand):
    help = (
        "Run this after a cold copy of the database's files, or a snapshot of the machine, was put back, and before the "
        "workers start: they cannot tell it from a restart, and would send again what left since. Campaigns that were "
        "sending are paused, scheduled ones are drafts again, retries and single mails are held as “unknown”. "
        "Example: manage.py come_up_paused"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        held = restored.hold()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(held)))
            return
        self.stdout.write(
            f"Campaigns paused: {held.paused}. Schedules taken back to drafts: {held.unscheduled}. "
            f"Mails held as unknown: {held.mails}. "
            "Look how far the mails had got, then resume or send again in the admin."
        )
