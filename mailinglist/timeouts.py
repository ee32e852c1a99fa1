"""Statements that may take so long and no longer: what a page counts must never hold the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

_LIMIT = """
    WITH held AS MATERIALIZED (SELECT current_setting('statement_timeout') AS limited)
    SELECT limited, set_config('statement_timeout', %s, true) FROM held"""


class TookTooLong(Exception):
    """The database gave up after the time that was allowed; nothing was changed."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Each statement inside ends after so many seconds. Raises TookTooLong; what was done inside is taken back."""
    inside = connection.in_atomic_block
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_LIMIT, [str(max(1, int(seconds * 1000)))])
                before, _ = cursor.fetchone()
            yield
            if inside:  # the transaction around this one goes on with its own limit
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
