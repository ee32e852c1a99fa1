"""manage.py bounce_report [--list LIST] [--since WHEN] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bounces import reports
from bounces.management.commands.cleanup_bounces import list_id
from bounces.management.when import moment


class Command(BaseCommand):
    help = "What bounced, why and where. Example: manage.py bounce_report --list news --since 2026-11-01"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", metavar="LIST", help="Only mails of this list (its short name).")
        parser.add_argument("--since", metavar="WHEN", help="A date or time (UTC); default: 30 days ago.")
        parser.add_argument("--json", action="store_true", help="Print the report as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        since = moment(options["since"], option="--since") if options["since"] else None
        report = reports.bounce_report(list_id=list_id(options["list"]), since=since)
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        self.stdout.write(f"Since {report['since']}:")
        for title, counts in (
            ("By verdict", report["by_verdict"]),
            ("By reason", report["by_reason"]),
            ("By domain", report["by_domain"]),
        ):
            self.stdout.write(f"\n{title}")
            if not counts:
                self.stdout.write("  nothing bounced")
            for name, count in counts.items():
                self.stdout.write(f"  {count:>8}  {name}")
        self.stdout.write(
            f"\n{report['unsubscribed']} subscriptions ended by bounces and complaints, {report['suppressed']} "
            f"addresses suppressed, {report['held']} hard bounces held, {report['quarantined']} notifications "
            "in quarantine."
        )
