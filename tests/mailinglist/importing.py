"""Importing a text, also in a process of its own, for tests."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from mailinglist.changes import Actor, Kind
from mailinglist.imports import ImportReport, import_csv
from mailinglist.models import MailingList

BY = Actor(Kind.COMMAND, evidence={"command": "a test"})


def load(mailing_list: MailingList, text: str | bytes, **options) -> ImportReport:
    data = text.encode() if isinstance(text, str) else text
    return import_csv(mailing_list.pk, io.BytesIO(data), **{"by": BY, **options})


def adds_up(report: ImportReport) -> bool:
    parts = (
        report.new_subscriptions,
        report.unsubscribed,
        report.already,
        report.kept_unsubscribed,
        report.suppressed,
        report.duplicates_in_file,
        report.bad_total,
    )
    return report.rows == sum(parts)


def _url_of_the_test_database() -> str:
    values = connection.settings_dict
    user, password, host = (quote(str(values[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
    port = f":{values['PORT']}" if values["PORT"] else ""
    return f"postgres://{user}:{password}@{host}{port}/{quote(values['NAME'])}"


def wait_for_other_sessions() -> None:
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            if cursor.fetchone()[0] == 1:
                return
        time.sleep(0.05)


def python(program: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that runs the program on the database of this test."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "DATABASE_URL": _url_of_the_test_database(),
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "tests.settings"),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]),
        },
    )
