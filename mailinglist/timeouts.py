"""Statements that may take so long and no longer: what a page counts must never hold the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

_LIMIT = """
    WITH held AS MATERIALIZED (SELECT current_setting('statement_timeout') AS limited)
    SELECT limited, set_config('statement_timeout', %s, true){more} FROM held"""
_ROW_BY_ROW = ", set_config('work_mem', '64kB', true), set_config('hash_mem_multiplier', '1', true)"


class TookTooLong(Exception):
    """The database gave up after the time that was allowed; nothing was changed."""


@contextmanager
def within(seconds: float, *, row_by_row: bool = False) -> Iterator[None]:
    """Each statement inside ends after so many seconds. Raises TookTooLong; what was done inside is taken back.

    ``row_by_row``: for the first few rows of many, in a transaction of its own. What PostgreSQL would put into a hash
    table first, all mails that were ever opened for example, takes longer than to look at one row after another.
    """
    inside = connection.in_atomic_block
    with part():
        with connection.cursor() as cursor:
            more = _ROW_BY_ROW if row_by_row else ""
            cursor.execute(_LIMIT.format(more=more), [str(max(1, int(seconds * 1000)))])
            before = cursor.fetchone()[0]
        yield
        if inside:  # the transaction around this one goes on with its own limit
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])


@contextmanager
def part() -> Iterator[None]:
    """Inside ``within``: what may take too long without ending the rest of it. Raises TookTooLong."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
