"""Rows that are made once for all tests of a module, where making them takes longer than the tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import transaction

Made = TypeVar("Made")


@contextmanager
def rows(blocker: Any, make: Callable[[], Made]) -> Iterator[Made]:
    """For a fixture of a module: what ``make`` writes is there for each test, which works in a transaction within ours.

    Give out ids: each test reads its rows anew, or it would see what the last one did to an object.
    PostgreSQL's now() stands still all the time.
    """
    with blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        made = make()
    try:
        yield made
    finally:
        with blocker.unblock():
            transaction.set_rollback(True)
            around.__exit__(None, None, None)
