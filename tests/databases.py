"""One migrated database for the whole run: each process of pytest-xdist copies it instead of migrating its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.postgresql.creation import DatabaseCreation

from script import embedded
from script.locks import Lock

_migrate = DatabaseCreation.create_test_db


@contextmanager
def copied(worker: str) -> Iterator[None]:
    """Meanwhile, Django's test database is made as a copy, with the worker's name at its end."""

    def create_test_db(self: DatabaseCreation, verbosity: int = 1, **options: bool) -> str:
        with _first_come() as migrated:
            if migrated.exists():
                self.connection.settings_dict["NAME"] = self._get_test_db_name()
            else:
                _migrate(self, verbosity, **options)
                migrated.touch()
            self.clone_test_db(worker, verbosity)  # PostgreSQL copies only what nobody is connected to
        self.connection.settings_dict.update(self.get_test_db_clone_settings(worker))
        self.connection.ensure_connection()
        return str(self.connection.settings_dict["NAME"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseCreation, "create_test_db", create_test_db)
        yield


def forget_original() -> None:
    """Before the run: what one that was killed left behind is not this one's, and is made anew."""
    with _first_come() as migrated:
        migrated.unlink(missing_ok=True)


def drop_original() -> None:
    """After the run, when its processes have ended: drop what they copied, if they did."""
    with _first_come() as migrated:
        if migrated.exists():
            creation = connection.creation
            creation._destroy_test_db(creation._get_test_db_name(), verbosity=0)
            migrated.unlink()


@contextmanager
def _first_come() -> Iterator[Path]:
    """One process at a time; the file that is there when the database is."""
    var = embedded.var_dir()
    embedded.make_private(var)
    lock = Lock(var / "tests.lock")
    lock.take(wait=True)
    try:
        yield var / "tests.migrated"
    finally:
        lock.release()
