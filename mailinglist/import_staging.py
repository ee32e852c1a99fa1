"""The staging tables of an import: COPY the rows of a file in, once each, in the order of their keys.

The tables are temporary and belong to the database session. Called by imports.py and import_sessions.py.
"""

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from mailinglist import suppression
from mailinglist.csv_columns import Person

#: Rows in one COPY: about half a megabyte.
TOGETHER = 2_500
# What COPY's text format takes for something else.
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_quoted = json.encoder.encode_basestring


def stage(people: Iterable[Person]) -> tuple[int, int]:
    """COPY the people into the session's staging table. Returns how many rows, and how many different people.

    Of several rows with the same address the first counts, but one that says "unsubscribed" before all. While
    ``people`` are asked for, no statement is under way, so they may use the connection themselves.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DROP)
        cursor.execute(_CREATE)
        for lines in _copied(people):
            with cursor.copy("COPY import_rows FROM STDIN") as copy:
                copy.write(lines)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROOM_TO_SORT)
        rows = _one(cursor, "SELECT count(*) FROM import_rows")
        cursor.execute(_PEOPLE)
        different = _one(cursor, "SELECT count(*) FROM import_people")
        cursor.execute("DROP TABLE import_rows")
        index_people()
    return rows, different


def drop_staged() -> None:
    """Free what an import has staged in this session, also one that was stopped."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP)


def hand_over(other: BaseDatabaseWrapper, after: int) -> None:
    """Stage the people with numbers above ``after`` in another session too."""
    with connection.cursor() as mine, other.cursor() as theirs:
        theirs.execute(_CREATE_PEOPLE)
        with mine.copy(_PEOPLE_OUT, [after]) as out, theirs.copy(_PEOPLE_IN) as into:
            for block in out:
                into.write(block)


def index_people() -> None:
    """Make the staged people of this session quick to find by their numbers."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX ON import_people (number)")
        cursor.execute("ANALYZE import_people")


def _one(cursor: CursorWrapper, sql: str) -> int:
    cursor.execute(sql)
    return int(cursor.fetchone()[0])


def _copied(people: Iterable[Person]) -> Iterator[str]:
    """The people as lines of COPY, made by hand: a third cheaper than psycopg's rows."""
    people = iter(people)
    key_for = suppression.keys()
    while batch := list(islice(people, TOGETHER)):
        yield "".join(
            _line(person, token, key_for(person.address.key))
            for person, token in zip(batch, _tokens(len(batch)), strict=True)
        )


def _tokens(count: int) -> Iterator[str]:
    """Tokens as secrets.token_urlsafe(16) makes them, all at once: each is the beginning of 18 bytes in base64."""
    noise = base64.urlsafe_b64encode(os.urandom(18 * count)).decode()
    return (noise[at : at + 22] for at in range(0, len(noise), 24))


def _line(person: Person, token: str, suppression_key: str) -> str:
    attributes = _plain(_to_json(person.attributes))
    consent_at = person.consent_at.isoformat() if person.consent_at else _NULL
    return (
        f"{person.line}\t{_plain(person.address.as_written)}\t{_plain(person.address.key)}\t{_plain(person.name)}\t"
        f"{person.language}\t{person.time_zone}\t{attributes}\t{token}\t{suppression_key}\t{person.status}\t"
        f"{consent_at}\t{person.consent_ip or _NULL}\n"
    )


def _to_json(values: Mapping[str, str]) -> str:
    """As json.dumps, which takes twice as long for a handful of texts."""
    return f"{{{', '.join([f'{_quoted(name)}: {_quoted(value)}' for name, value in values.items()])}}}"


def _plain(text: str) -> str:
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


_NULL = r"\N"
_ROOM_TO_SORT = "SET LOCAL work_mem = '64MB'; SET LOCAL maintenance_work_mem = '64MB'"
_DROP = "DROP TABLE IF EXISTS pg_temp.import_rows, pg_temp.import_people"
_COLUMNS = """
    line bigint, email text, email_key text, name text, language text, time_zone text, attributes jsonb,
    token text, suppression_key text, status text, consent_at timestamptz, consent_ip inet
"""
_CREATE = f"CREATE TEMP TABLE import_rows ({_COLUMNS})"
_PEOPLE = """
CREATE TEMP TABLE import_people AS
SELECT row_number() OVER (ORDER BY email_key COLLATE "C") AS number, once.*
FROM (
    SELECT DISTINCT ON (email_key COLLATE "C") *
    FROM import_rows
    ORDER BY email_key COLLATE "C", status <> 'unsubscribed', line
) once"""
_CREATE_PEOPLE = f"CREATE TEMP TABLE import_people (number bigint, {_COLUMNS})"
_PEOPLE_OUT = "COPY (SELECT * FROM import_people WHERE number > %s) TO STDOUT (FORMAT binary)"
_PEOPLE_IN = "COPY import_people FROM STDIN (FORMAT binary)"
