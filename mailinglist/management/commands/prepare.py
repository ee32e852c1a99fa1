"""manage.py prepare [--load-demo] [--json]"""

import io
import json
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = (
        "Bring the database and the static files up to this version, and make the first administrator where there is "
        "none: migrate, collectstatic and create_first_admin at once, as script/start does. Example: manage.py prepare"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--load-demo", action="store_true", help="Also load_demo, where the administrator is new."
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help='End with {"username", "password"} as JSON; no password: as before.',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, stdout=self.stdout)
        call_command("collectstatic", interactive=False, stdout=self.stdout)
        told = io.StringIO()
        call_command("create_first_admin", json=True, stdout=told)
        first = json.loads(told.getvalue())
        if options["load_demo"] and first["password"]:
            call_command("load_demo", stdout=self.stdout)
        if options["json"]:
            self.stdout.write(json.dumps(first))
        elif first["password"]:
            self.stdout.write(
                f"Administrator {first['username']} with password {first['password']} (shown only now)."
            )
