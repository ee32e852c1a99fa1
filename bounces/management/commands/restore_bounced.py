"""manage.py restore_bounced --domain D --from T --to T | --incident ID [--dry-run] [--json]"""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import incidents, undo
from bounces.management.progress import Progress
from bounces.management.when import moment
from bounces.models import Incident
from mailinglist.addresses import BadAddress
from mailinglist.changes import Actor, Kind

BY = Actor(Kind.COMMAND, evidence={"command": "restore_bounced"})


class Command(BaseCommand):
    help = (
        "Take back what bounces did to the addresses of a domain in a span of time, for instance after an outage of "
        "the provider, or what an incident did. People who left by themselves stay away. Example: manage.py "
        "restore_bounced --domain gmail.com --from 2020-12-14T20:00 --to 2020-12-16 --dry-run"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--domain", help="The part of the addresses after the @.")
        parser.add_argument("--from", dest="start", metavar="T", help="First moment (UTC).")
        parser.add_argument("--to", dest="end", metavar="T", help="Last moment (UTC).")
        parser.add_argument(
            "--incident",
            type=int,
            metavar="ID",
            help="Instead: all bounces of an incident, by the number in its address in the admin. They never count.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say what would happen.")
        parser.add_argument("--json", action="store_true", help="Print the counts as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        span = [options[name] for name in ("domain", "start", "end")]
        if options["incident"] is not None:
            if any(span):
                raise CommandError("--incident has a domain and a time of its own.", returncode=2)
            self._incident(options)
        elif not all(span):
            raise CommandError("Name --domain, --from and --to, or an --incident.", returncode=2)
        else:
            self._span(options)

    def _incident(self, options: dict[str, Any]) -> None:
        incident = _incident(options["incident"])
        progress = Progress(self.stderr)
        try:
            done = incidents.release(
                incident.pk,
                by=BY,
                why=f"The bounces of the incident were taken back: {incident}.",
                dry_run=options["dry_run"],
                progress=lambda so_far: progress.show(f"{so_far.people} people"),
            )
        except incidents.CannotDecide as error:
            raise CommandError(f"{incident}: {error}", returncode=2) from error
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
            return
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(
            f"{incident}. {done.people} people: {done.subscriptions} subscriptions {verb} restored, "
            f"{done.suppressions} suppressions released."
        )

    def _span(self, options: dict[str, Any]) -> None:
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
                by=BY,
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


def _incident(pk: int) -> Incident:
    """CommandError (status 2) that names the newest ones where there is none."""
    found = Incident.objects.filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        newest = Incident.objects.order_by("-pk")[:10]
        known = "; ".join(f"{row.pk}: {row} ({row.get_state_display()})" for row in newest) or "none yet"
        raise CommandError(f"There is no incident {pk}. Incidents: {known}.", returncode=2)
    return found
