"""``python -m mailinglist.management.probe``: do the servers that the environment names answer? Asked by script/start
before it starts the rest, which would wait for them in silence. Exit status 1: one does not; the sentence says which.
"""

import os
import sys

import django
from django.conf import settings
from django.db import Error, connection
from kombu import Connection

_SECONDS = 3


def database() -> str:
    """What is wrong with the database of DATABASE_URL, and what to do; "" when it answers."""
    try:
        connection.ensure_connection()
    except Error as error:
        first = str(error).strip().partition("\n")[0].rstrip(".")
        return (
            f"The database of DATABASE_URL cannot be used: {first}. Start that server, correct DATABASE_URL, or take "
            "it away for the embedded PostgreSQL."
        )
    return ""


def broker() -> str:
    """What is wrong with the broker of CELERY_BROKER_URL, and what to do; "" when it answers."""
    try:
        with Connection(
            settings.CELERY_BROKER_URL,
            connect_timeout=_SECONDS,
            transport_options={"socket_connect_timeout": _SECONDS, "socket_timeout": _SECONDS},
        ) as found:
            found.ensure_connection(max_retries=1, interval_start=0.1, timeout=_SECONDS)
    except Exception as error:  # each transport has errors of its own
        words = str(error.args[0] if isinstance(error, KeyError) and error.args else error).rstrip(".")
        return (
            f"The broker of CELERY_BROKER_URL cannot be used: {words}. Start it, correct CELERY_BROKER_URL "
            "(redis://host:6379/0), or take it away for the embedded Valkey."
        )
    return ""


def main() -> int:
    """The exit status."""
    django.setup()
    asked = (("DATABASE_URL", database), ("CELERY_BROKER_URL", broker))
    wrong = [words for name, ask in asked if os.environ.get(name, "").strip() and (words := ask())]
    sys.stderr.write("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
