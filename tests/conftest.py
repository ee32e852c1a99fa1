"""One PostgreSQL for the whole run; tests that need a browser or openssl only where the machine has it.

The process that controls the run starts an embedded server, unless DATABASE_URL names one; the workers of
pytest-xdist find it by MAILINGLIST_VAR (tests/settings.py). It gives up safety on the disk, never the order of
commits: a system check of the product asks for synchronous_commit.
"""

import gc
import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest
from django.contrib import admin
from django.core.management.color import Style
from django.db.backends.postgresql.operations import DatabaseOperations

from script import embedded
from script.errors import StartError
from script.postgres import Postgres
from tests import databases

#: Marker → the programs of which its tests need one.
_PROGRAMS = {
    "browser": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "openssl": ("openssl",),
}
# A busy machine is no counter-example.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")
_FAST = {"fsync": "off", "full_page_writes": "off"}
#: Rooms whose tests watch other processes, or walk through what the tests beside the code reach already. Being measured
#: costs a test half as much again.
_UNMEASURED = ("browser/", "faults/", "sandbox/", "script/", "benchmarks/")
_TESTS = Path(__file__).parent
#: Tables that are made anew after each flush, with the same rows.
_ALWAYS_THE_SAME = {"django_content_type", "auth_permission"}
_server = pytest.StashKey[Postgres]()
# What is imported and collected stays to the end: looking for garbage in it takes a quarter of the time until the first
# test, and later a part of each test's.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        for marker in _missing():
            raise pytest.UsageError(
                f"REQUIRE_BROWSER=1, and there is none of {', '.join(_PROGRAMS[marker])}."
            )


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """pytest-django asks for this before it makes the test database."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        with databases.copied(worker):
            yield
    else:
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Empty the few tables that a test filled: truncating all, with their indexes, takes longer than most tests."""
    usual = DatabaseOperations.sql_flush

    def sql_flush(
        self: DatabaseOperations, style: Style, tables: Sequence[str], **options: bool
    ) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone() != (True,):  # only a superuser may delete without minding references
                return usual(self, style, tables, **options)
            cursor.execute(
                " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
            )
            filled = [name for (name,) in cursor.fetchall() if name not in _ALWAYS_THE_SAME]
        return [
            "SET LOCAL session_replication_role = replica",
            *(f"DELETE FROM {name}" for name in filled),
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    admin.autodiscover()  # tests walk through all of it
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    databases.forget_original()
    if os.environ.get("DATABASE_URL", "").strip():
        return
    server = Postgres(embedded.var_dir(), **_FAST)
    session.config.stash[_server] = server
    try:
        if not server.owner.take():
            raise StartError(f"{server.var} is in use. Take MAILINGLIST_VAR away to test in a new folder.")
        server.start()
    except StartError as error:
        pytest.exit(str(error), returncode=3)


@pytest.hookimpl(trylast=True)  # pytest-django keeps everybody from the database until its own end
def pytest_unconfigure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    databases.drop_original()
    if server := config.stash.get(_server, None):
        server.stop()
        server.owner.release()
    var = embedded.var_dir()
    if var.name.startswith("mailinglist-tests-"):
        shutil.rmtree(var, ignore_errors=True)
        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(_TESTS).as_posix().startswith(_UNMEASURED):
            item.add_marker("no_cover")
    # The files that wait most come first, so that no process is left alone with one of them at the end.
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
    left_out = [item for item in items if any(map(item.get_closest_marker, _missing()))]
    if not left_out:
        return
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker in _missing():
        terminalreporter.write_line(
            f"The {marker} tests were left out: there is none of {', '.join(_PROGRAMS[marker])} on this machine.",
            yellow=True,
        )


def _missing() -> list[str]:
    return [marker for marker, programs in _PROGRAMS.items() if not any(map(shutil.which, programs))]
