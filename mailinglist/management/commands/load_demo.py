"""manage.py load_demo [--recipients N] [--json]"""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailinglist import demo


class Command(BaseCommand):
    help = (
        "Load a demo list with a realistic mix of good and bad addresses, and a draft campaign. Only in local mode. "
        "Example: manage.py load_demo --recipients 200"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--recipients", type=int, default=60, metavar="N", help="How many people (60).")
        parser.add_argument("--json", action="store_true", help='Print {"list", "campaign"} as JSON.')

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError(
                "The demo is for local mode; this installation is in production mode.", returncode=2
            )
        if not 1 <= options["recipients"] <= 1_000_000:
            raise CommandError("--recipients must be between 1 and 1000000.", returncode=2)
        mailing_list, campaign = demo.load(options["recipients"])
        if options["json"]:
            self.stdout.write(json.dumps({"list": mailing_list.slug, "campaign": campaign.pk}))
        else:
            self.stdout.write(f"List {mailing_list.slug!r} is ready; campaign {campaign.pk} is a draft.")
