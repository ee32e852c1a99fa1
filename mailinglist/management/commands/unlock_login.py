"""manage.py unlock_login NAME"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailinglist import logins
from mailinglist.management import named


class Command(BaseCommand):
    help = (
        "Forget the wrong passwords and codes of a manager, so that they can log in at once from everywhere. "
        "Example: manage.py unlock_login anna"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"]
        found = logins.unlock(name)
        if not found:
            named.manager(name)
        self.stdout.write(f"{name} is unlocked." if found else f"{name} was not locked. Nothing was changed.")
