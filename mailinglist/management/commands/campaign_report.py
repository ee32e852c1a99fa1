"""manage.py campaign_report: what became of a campaign's recipients."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand

from mailinglist import reports
from mailinglist.management import named


class Command(BaseCommand):
    help = "Print what became of a campaign's recipients."
    epilog = """example:
  manage.py campaign_report 7 --json

exit status: 0 printed, 2 wrong arguments or no such campaign"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = self.epilog
        parser.add_argument("id", type=int, help="number of the campaign (in the address of its admin page)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = named.campaign(options["id"])
        report = reports.campaign_report(campaign.pk)
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        self.stdout.write(f"{campaign} ({campaign.get_status_display()})")
        for name, value in report.items():
            if name == "by_state":
                value = ", ".join(f"{count} {state}" for state, count in value.items() if count) or "none"
            if name == "links":
                value = "".join(
                    f"\n    {row['link'] or 'another address'}: {row['people']} people, {row['machines']} programs"
                    for row in value
                )
            self.stdout.write(f"  {name.replace('_', ' '):20} {value}")
