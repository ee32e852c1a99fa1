"""A cursor for the few statements that run once per handful of mails or notifications.

Used by ``claims.py``, ``pacing.py`` and ``bounces/ingest.py``, on Django's own connection. Statements are prepared by the
server after their second use, and they are planned for index look-ups: a claim names some dozens of rows, but the
planner, which cannot see how long an array will be, may otherwise read whole tables for them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

_PLAN_FOR_FEW_ROWS = """
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
           set_config('plan_cache_mode', 'force_generic_plan', true)"""


@contextmanager
def hot_cursor(*, plan: bool = True) -> Iterator[psycopg.Cursor[Any]]:
    """Call it in a transaction. Raises Django's database errors, as every other cursor does.

    ``plan`` False: for a second cursor of the same transaction, which is planned like the first, and for a statement
    that is a transaction of its own.
    """
    connection.ensure_connection()
    raw = connection.connection
    if raw.prepare_threshold is None:  # Django's default, for connection pools that cannot keep statements
        raw.prepare_threshold = 2
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        if plan:
            cursor.execute(_PLAN_FOR_FEW_ROWS)
        yield cursor
