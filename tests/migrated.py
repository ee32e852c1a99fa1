"""The tables of the test database for servers that a test runs by itself, at a tenth of the price of migrating there."""

import os
from pathlib import Path

from django.db import connection

from script import embedded, processes
from script.binaries import postgres_bin

#: What the migrations leave in the tables; tests that commit leave other rows elsewhere.
_WITH_ROWS = ("django_migrations", "django_content_type", "auth_permission")


def into(var: Path) -> None:
    """Fill the embedded database of ``var``, which runs and is empty; the caller has the test database
    (``django_db_setup``)."""
    there = connection.settings_dict
    source = [
        "--host",
        there["HOST"],
        "--port",
        str(there["PORT"]),
        "--username",
        there["USER"],
        there["NAME"],
    ]
    secret = {"PGPASSWORD": there["PASSWORD"] or ""}
    target = [
        "--host", str(embedded.socket_dir(var)), "--port", str(embedded.POSTGRES_PORT),
        "--username", embedded.NAME, "--dbname", embedded.NAME,
    ]  # fmt: skip
    rows = [f"--table=public.{name}" for name in _WITH_ROWS]
    for part in (["--section=pre-data"], ["--data-only", *rows], ["--section=post-data"]):
        words = _run("pg_dump", "--no-owner", *part, *source, **secret)
        _run(
            "psql",
            "--quiet",
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            "--output=/dev/null",
            *target,
            words=words,
        )


def _run(program: str, *arguments: str, words: str = "", **values: str) -> str:
    status, said, complaint = processes.output(
        [str(postgres_bin() / program), *arguments], environment={**os.environ, **values}, words=words
    )
    assert status == 0, complaint
    return said
