"""manage.py restore_bounced --domain D --from T --to T [--dry-run] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import undo
from bounces.management.progress import Progress
from bounces.management.when import moment
from mailinglist.addresses import BadAddress
from mailinglist.changes import Actor, Kind


class Command(BaseCommand):
    help = (
        "Take back what bounces did to the addresses of a domain in a span of time, for instance after an outage of "
        "the provider. People who left by themselves stay away. Example: manage.py restore_bounced "
        "--domain gmail.com --from 2020-12-14T20:00 --to 2020-12-16 --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--domain", required=True, help="The part of the addresses after the @.")
        parser.add_argument("--from", dest="start", required=True, metavar="T", help="First moment (UTC).")
        parser.add_argument("--to", dest="end", required=True, metavar="T", help="Last moment (UTC).")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = moment(options["start"], option="--from"), moment(options["end"], option="--to")
        if end < start:
            raise CommandError("--to is before --from.", returncode=2)
        why = f"Bounces at {options['domain']} from {options['start']} to {options['end']} were taken back."
        progress = Progress(self.stderr)
        try:
            done = undo.restore_bounced(
                options["domain"],
                start=start,
                end=end,
                by=Actor(Kind.COMMAND, evidence={"command": "restore_bounced"}),
                why=why,
                dry_run=options["dry_run"],
                progress=lambda so_far: progress.show(f"{so_far.subscribers} people"),
            )
        except BadAddress as error:
            raise CommandError(
                f"--domain {options['domain']!r} is not a domain name: {error}", returncode=2
            ) from error
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(done.as_dict()))
            return
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{done.subscribers} people: {done.subscriptions} subscriptions {verb} restored, "
            f"{done.suppressions} suppressions released."
        )
        for address in done.addresses:
            self.stdout.write(f"  {address}")
        if done.subscribers > len(done.addresses):
            self.stdout.write(f"  … and {done.subscribers - len(done.addresses)} more")
