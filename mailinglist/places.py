"""A few places for work that many messages may ask for at once: who finds none free leaves the work to those inside.

Places are advisory locks of the database session, so that a dead worker frees its own. Used by the sending engine (runs
of one campaign), by the processing of notifications, by imports, of which one runs at a time, and by the counts for the
staff pages.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

#: Namespaces of the locks, far enough apart for their places.
SENDING, NOTIFICATIONS, IMPORTS, COUNTS = 0x6D6C0000, 0x6D6D0000, 0x6D6E0000, 0x6D6F0000


@contextmanager
def place(space: int, key: int, places: int) -> Iterator[bool]:
    """Hold one of ``places`` for ``key`` in the namespace ``space``; False when all are taken."""
    number = key % 2**31
    with connection.cursor() as cursor:
        taken = None
        for candidate in range(places):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space + candidate, number])
            if cursor.fetchone()[0]:
                taken = space + candidate
                break
    try:
        yield taken is not None
    finally:
        # A broken connection has given the lock back already.
        if taken is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [taken, number])


def is_taken(space: int, key: int, places: int) -> bool:
    """Whether any process holds one of the places now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
            "AND classid BETWEEN %s AND %s AND objid = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [space, space + places - 1, key % 2**31],
        )
        return bool(cursor.fetchone()[0])
