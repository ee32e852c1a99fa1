"""One PostgreSQL for the whole run, and browser tests only where there is a browser.

The process that controls the run starts an embedded server, unless DATABASE_URL names one; the workers of
pytest-xdist find it by MAILINGLIST_VAR (tests/settings.py). It gives up safety on the disk, never the order of
commits: a system check of the product asks for synchronous_commit.
"""

import os
import shutil

import pytest

from script import embedded
from script.errors import StartError
from script.postgres import Postgres

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FAST = {"fsync": "off", "full_page_writes": "off"}
_server = pytest.StashKey[Postgres]()


def pytest_configure(config: pytest.Config) -> None:
    if not _has_browser() and os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError(f"REQUIRE_BROWSER=1, and there is none of {', '.join(_BROWSERS)}.")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if os.environ.get("DATABASE_URL", "").strip() or "PYTEST_XDIST_WORKER" in os.environ:
        return
    server = Postgres(embedded.var_dir(), **_FAST)
    session.config.stash[_server] = server
    try:
        if not server.owner.take():
            raise StartError(f"{server.var} is in use. Take MAILINGLIST_VAR away to test in a new folder.")
        server.start()
    except StartError as error:
        pytest.exit(str(error), returncode=3)


def pytest_unconfigure(config: pytest.Config) -> None:
    if server := config.stash.get(_server, None):
        server.stop()
        server.owner.release()
    var = embedded.var_dir()
    if "PYTEST_XDIST_WORKER" not in os.environ and var.name.startswith("mailinglist-tests-"):
        shutil.rmtree(var, ignore_errors=True)
        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _has_browser():
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _has_browser():
        terminalreporter.write_line(
            f"The browser tests were left out: there is none of {', '.join(_BROWSERS)} on this machine.",
            yellow=True,
        )


def _has_browser() -> bool:
    return any(map(shutil.which, _BROWSERS))
