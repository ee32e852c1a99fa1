"""What stands in the embedded database of a folder, asked past the app: no process has to start for it."""

from pathlib import Path
from typing import Any

import dj_database_url
import psycopg

from script import embedded


def ask(var: Path, question: str) -> list[tuple[Any, ...]]:
    """All rows."""
    found = dj_database_url.parse(embedded.database_url(var))
    with psycopg.connect(
        host=found["HOST"], port=found["PORT"], user=found["USER"], dbname=found["NAME"]
    ) as connection:
        return connection.execute(question).fetchall()


def one(var: Path, question: str) -> str:
    """The first value of the only row."""
    ((value, *_),) = ask(var, question)
    return str(value)
