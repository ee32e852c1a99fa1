"""manage.py expire_sign_ups [--dry-run] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailinglist import pending
from mailinglist.changes import Actor, Kind


class Command(BaseCommand):
    help = (
        "Remind once of sign-ups that were not confirmed, and remove those whose link has expired, with the people of "
        "whom nothing else is known. The workers do it every night. Example: manage.py expire_sign_ups --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        by = Actor(Kind.COMMAND, evidence={"command": "expire_sign_ups"})
        done = pending.tidy(by=by, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(done.as_dict()))
            return
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{done.reminded} people {would}reminded; {done.removed} sign-ups {would}removed, "
            f"{done.forgotten} people {would}forgotten with them; {done.left_again} {would}unsubscribed as before."
        )
