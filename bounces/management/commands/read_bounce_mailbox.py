"""manage.py read_bounce_mailbox [--json]"""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import mailbox


class Command(BaseCommand):
    help = (
        "Read the mailbox of BOUNCE_IMAP_URL: store and process each new mail, then mark it as read, or move it to the "
        "folder BOUNCE_IMAP_DONE. Workers do it every five minutes. Safe to repeat and to interrupt. "
        "Example: manage.py read_bounce_mailbox --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOUNCE_IMAP_URL:
            raise CommandError(
                "BOUNCE_IMAP_URL is empty: set it to imaps://user:password@host/INBOX.", returncode=2
            )
        try:
            done = mailbox.read_all(settings.BOUNCE_IMAP_URL, done_folder=settings.BOUNCE_IMAP_DONE)
        except mailbox.BadMailbox as error:
            raise CommandError(str(error), returncode=2) from error
        except mailbox.FAULTS as error:
            raise CommandError(f"The mail server does not do it: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
            return
        self.stdout.write(
            f"{done.stored} stored, {done.duplicates} known before, {done.processed} processed with {done.events} "
            f"events, {done.quarantined} in quarantine, {done.left} left for the next time."
        )
