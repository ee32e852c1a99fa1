"""manage.py reset_second_step NAME"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailinglist import logins, second_step
from mailinglist.changes import Actor, Kind
from mailinglist.management import named


class Command(BaseCommand):
    help = (
        "Switch off the second step of a manager who lost phone and recovery codes, and unlock the account. They log in "
        "by password, then set it up anew. Make sure first that it is them who ask. Example: "
        "manage.py reset_second_step anna"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"]
        user = named.manager(name)
        by = Actor(Kind.COMMAND, evidence={"command": "reset_second_step"})
        was_on = second_step.switch_off(user, by=by, why="Reset on the server.")
        logins.unlock(name)
        self.stdout.write(
            f"{name} logs in by password alone now."
            if was_on
            else f"{name} had no second step. Nothing was changed."
        )
