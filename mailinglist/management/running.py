"""Runs a command of manage.py. What lies outside of the command (settings, the database, its tables) and is not
right is told in one sentence with what to do; ``--traceback`` shows where.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.db import Error, InterfaceError, OperationalError, ProgrammingError

#: PostgreSQL's codes for a table or a column that is not there.
_NOT_MIGRATED = ("42P01", "42703")


def run(arguments: Sequence[str]) -> None:
    """Run the command in ``arguments`` (manage.py's own). Ends with SystemExit 1 where it cannot be run, and 2 where an
    argument is wrong."""
    try:
        _Utility(list(arguments)).execute()
    except UnicodeEncodeError:
        wrong = next((word for word in arguments if not _is_text(word)), None)
        if wrong is None or "--traceback" in arguments:
            raise
        shown = str(os.fsencode(wrong))[1:]
        sys.stderr.write(
            f"The argument {shown} is not UTF-8. Write it in UTF-8; give a file another name first.\n"
        )
        sys.exit(2)
    except (ImproperlyConfigured, Error) as error:
        sentence = cause(error)
        if not sentence or "--traceback" in arguments:
            raise
        sys.stderr.write(f"{sentence}\n")
        sys.exit(1)


class _Utility(ManagementUtility):
    """Django's, which ends with 1 where there is no such command."""

    def fetch_command(self, subcommand: str) -> Any:
        try:
            return super().fetch_command(subcommand)
        except SystemExit:
            sys.exit(2)


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def cause(error: Exception) -> str:
    """What is wrong around the command and what to do; "" where the error is the command's own."""
    if isinstance(error, ImproperlyConfigured):
        return f"The settings are not usable. {error}"
    first = str(error).strip().partition("\n")[0].rstrip(".")
    if isinstance(error, ProgrammingError) and getattr(error.__cause__, "sqlstate", "") in _NOT_MIGRATED:
        return (
            f"The database is not prepared for this version ({first}). Run script/start once, which does it, or "
            "manage.py migrate."
        )
    if isinstance(error, OperationalError | InterfaceError):
        place = "DATABASE_URL and the server that it names" if _is_external() else "var/log/postgres.log"
        return f"The database cannot be used: {first}. Look at {place}."
    return ""


def _is_external() -> bool:
    return bool(os.environ.get("DATABASE_URL", "").strip())
