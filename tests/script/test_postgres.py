"""The embedded servers as real processes: their owners, their ends, and what a killed owner leaves."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest

from script import account, embedded, postgres, processes
from script.environment import PROJECT
from script.errors import StartError
from script.postgres import Postgres
from script.valkey import Valkey
from tests.script.asking import one as ask

AS_ROOT = [account.Account(account.USER_NAMESPACE, 0), account.Account(account.CHANGED_USER, embedded.NOBODY)]
#: Every way to run the server that this user has.
WAYS = AS_ROOT if os.getuid() == 0 else [account.account()]
OWNER = """
import pathlib, sys, time
from script.postgres import Postgres
server = Postgres(pathlib.Path(sys.argv[1]))
assert server.owner.take()
server.start()
print(server.child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "a var"
    yield folder
    left = embedded.socket_dir(folder)
    if left.parent != folder and left.exists():
        for file in left.iterdir():
            file.unlink()
        left.rmdir()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data of a server that nobody runs, made once for all tests that do not look at the making."""
    folder = tmp_path_factory.mktemp("original")
    with postgres.for_one_command(folder):
        pass
    yield folder / "postgres"
    shutil.rmtree(embedded.socket_dir(folder), ignore_errors=True)


@pytest.fixture
def made(var: Path, original: Path) -> Path:
    """``var`` in which a server ran before."""
    embedded.make_private(var)
    shutil.copytree(original, var / "postgres")
    return var


def killed_owner(var: Path) -> int:
    """A process that ran the server was killed with -9; the number that its server has or had."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(var)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    return pid


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.prefix[0] if way.prefix else "ourselves")
def test_every_way_of_running_it_gives_the_same_server(
    monkeypatch: pytest.MonkeyPatch, var: Path, way: account.Account
) -> None:
    monkeypatch.setattr(postgres, "account", lambda: way)
    server = Postgres(var)
    server.start()
    try:
        assert ask(var, "SHOW synchronous_commit") == ask(var, "SHOW fsync") == "on"
        assert ask(var, "SHOW listen_addresses") == ""
        assert ask(var, "SELECT lower('ÄÉ') || getdatabaseencoding()") == "äéUTF8"
        assert server.data.lstat().st_uid == way.owner
    finally:
        server.stop()
    assert not server.answers()


@pytest.mark.parametrize("ways", [WAYS, WAYS[::-1]], ids=["there", "back"])
def test_data_made_one_way_are_used_the_other_way(
    monkeypatch: pytest.MonkeyPatch, var: Path, ways: list[account.Account]
) -> None:
    for way in ways:
        monkeypatch.setattr(postgres, "account", lambda way=way: way)
        server = Postgres(var)
        server.start()
        try:
            assert ask(var, "SELECT current_database()") == "mailinglist"
        finally:
            server.stop()


def test_a_very_long_path_is_no_obstacle(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40) / ("path" * 10)
    with postgres.for_one_command(var):
        assert ask(var, "SELECT 1") == "1"
    embedded.socket_dir(var).rmdir()


def test_after_its_owner_was_killed_the_next_one_starts_it(made: Path) -> None:
    first = killed_owner(made)
    with postgres.for_one_command(made):
        assert ask(made, "SELECT 1") == "1"
        assert not processes.command_of(first)


def test_a_killed_owner_leaves_no_server(made: Path) -> None:
    pid = killed_owner(made)
    if not processes.LINUX:  # there the next start does it
        processes.end_leftover(pid, str(made), signal.SIGINT)
    assert processes.wait_until(lambda: not processes.command_of(pid), 10)


def test_a_server_that_outlived_its_owner_is_ended_and_started_anew(
    monkeypatch: pytest.MonkeyPatch, made: Path
) -> None:
    monkeypatch.setattr(processes, "LINUX", False)  # as where the kernel ends nobody
    left = Postgres(made)
    left.start()
    assert left.child is not None
    with postgres.for_one_command(made):
        assert left.child.wait(10) == 0
        assert ask(made, "SELECT 1") == "1"


def test_the_number_of_a_dead_server_may_belong_to_another_program(made: Path) -> None:
    with postgres.for_one_command(made):
        kept = (made / "postgres" / "postmaster.pid").read_text().splitlines()
    other = subprocess.Popen(["sleep", "60"])
    try:
        (made / "postgres" / "postmaster.pid").write_text("\n".join([str(other.pid), *kept[1:]]) + "\n")
        with postgres.for_one_command(made):
            assert ask(made, "SELECT 1") == "1"
        assert other.poll() is None, "somebody else's program was ended"
    finally:
        other.kill()
        other.wait()


def test_the_owner_waits_for_the_last_command(made: Path) -> None:
    inside, leave, left = threading.Event(), threading.Event(), threading.Event()

    def second() -> None:
        with postgres.for_one_command(made):
            inside.set()
            leave.wait(10)
            assert ask(made, "SELECT 1") == "1"
        left.set()

    with postgres.for_one_command(made):
        other = threading.Thread(target=second)
        other.start()
        assert inside.wait(10)
        threading.Timer(0.5, leave.set).start()
    assert left.is_set() or left.wait(1)
    other.join()
    assert not Postgres(made).answers()


def test_data_of_another_version_are_named_with_the_way_out(made: Path) -> None:
    (made / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match=r"was made by PostgreSQL 12; this is PostgreSQL \d+.*pg_dump"):
        Postgres(made).start()


def test_when_it_does_not_start_the_reason_and_the_log_are_named(made: Path) -> None:
    with pytest.raises(StartError, match=r"invalid value for parameter.*postgres\.log"):
        Postgres(made, max_connections="many").start()


def test_a_broken_start_leaves_no_half_made_database(monkeypatch: pytest.MonkeyPatch, var: Path) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(embedded, "NAME", "no such; name")
        with pytest.raises(StartError, match="The database cannot be made"):
            Postgres(var).start()
    with postgres.for_one_command(var):
        assert ask(var, "SELECT 1") == "1"


def test_the_broker_takes_messages_and_keeps_them(tmp_path: Path) -> None:
    var = tmp_path / "a var"
    broker = Valkey(var)
    broker.start()
    with kombu.Connection(embedded.broker_url(var)) as connection:
        connection.SimpleQueue("q").put("kept")
    broker.stop()
    broker.start()
    try:
        with kombu.Connection(embedded.broker_url(var)) as connection:
            assert connection.SimpleQueue("q").get(timeout=5).payload == "kept"
        assert broker.child is not None
        os.kill(broker.child.pid, signal.SIGKILL)
        broker.child.wait()
        broker.start()
        assert broker.answers()
    finally:
        broker.stop()
    assert not broker.answers()
