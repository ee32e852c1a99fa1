"""manage.py create_first_admin [--json]"""

import json
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction


class Command(BaseCommand):
    help = (
        "Create the first administrator with a random password and print it once; does nothing when there is an "
        "administrator already. Example: manage.py create_first_admin"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="admin")
        parser.add_argument("--json", action="store_true", help='Print {"username", "password"} as JSON.')

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model()._default_manager
        existing = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
        username, password = options["username"], None
        if existing:
            username = existing.get_username()
        else:
            password = secrets.token_urlsafe(12)
            users.create_superuser(username, password=password)
        if options["json"]:
            self.stdout.write(json.dumps({"username": username, "password": password}))
        elif password:
            self.stdout.write(f"Administrator {username} with password {password} (shown only now).")
        else:
            self.stdout.write(f"There is an administrator already: {username}. Nothing was changed.")
