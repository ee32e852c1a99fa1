"""manage.py erase_subscriber ADDRESS [--yes] [--json]"""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailinglist import addresses, erasure
from mailinglist.changes import Actor, Kind
from mailinglist.models import Subscriber


class Command(BaseCommand):
    help = (
        "Erase a person: everything that names them goes, the numbers of campaigns stay, and no import brings the "
        "address back. It cannot be undone. Example: manage.py erase_subscriber ada@example.com"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="The whole address.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = addresses.normalise(options["address"]).key
        except addresses.BadAddress as bad:
            raise CommandError(f"{options['address']!r} is no address: {bad}", returncode=2) from bad
        found = Subscriber.objects.filter(email_key=key).values_list("pk", flat=True).first()
        if found is None:
            raise CommandError("Nobody with this address is known here.", returncode=2)
        if not options["yes"]:
            self._ask(options["address"])
        by = Actor(Kind.COMMAND, evidence={"command": "erase_subscriber"})
        done = erasure.forget(found, by=by, why="Erased by a command.")
        if options["json"]:
            self.stdout.write(json.dumps(done.as_dict()))
            return
        self.stdout.write(
            f"Erased. {done.subscriptions} subscriptions and {done.consents} consents are gone; {done.mails} mails and "
            f"{done.changes} changes stay without the person."
        )

    def _ask(self, address: str) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to be asked. Say --yes if you are sure.", returncode=2)
        self.stdout.write(f"{address} will be erased for good. Type the address again to go on: ", ending="")
        self.stdout.flush()
        if sys.stdin.readline().strip().lower() != address.strip().lower():
            raise CommandError("That is another address. Nothing was done.")
