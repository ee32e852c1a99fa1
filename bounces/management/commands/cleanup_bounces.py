"""manage.py cleanup_bounces [--dry-run] [--list LIST] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import cleanup
from bounces.management.progress import Progress
from mailinglist.models import MailingList


class Command(BaseCommand):
    help = (
        "Apply the bounce policy to the whole history: unsubscribe, suppress, and prune raw notifications past "
        "their retention. Safe to repeat. Example: manage.py cleanup_bounces --dry-run --list news"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--list", metavar="LIST", help="Only subscribers of this list (its short name).")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            done = cleanup.cleanup(
                list_id=list_id(options["list"]),
                dry_run=options["dry_run"],
                progress=lambda so_far: progress.show(f"{so_far.addresses} addresses looked at"),
            )
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(done.as_dict()))
            return
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{done.addresses} addresses with open bounces looked at: {done.unsubscribed} subscriptions {verb} ended, "
            f"{done.suppressed} addresses suppressed, {done.held} hard bounces still held; "
            f"{done.pruned} raw notifications {verb} pruned."
        )


def list_id(slug: str | None) -> int | None:
    """The list of a short name; CommandError (status 2) that names the existing ones."""
    if not slug:
        return None
    found = MailingList.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(MailingList.objects.values_list("slug", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no list {slug!r}. Lists: {known}.", returncode=2)
    return found.pk
