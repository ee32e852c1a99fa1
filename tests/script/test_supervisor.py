"""Starting again what dies, giving up, and ending everything in time. The servers here are small real processes."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from script import processes, supervisor
from script.errors import StartError
from script.supervisor import Supervisor

STUBBORN = "trap '' TERM INT; echo deaf; while true; do sleep 0.05; done"


class Shell:
    """A shell command as a server; ``starts`` counts."""

    ends_by = signal.SIGTERM

    def __init__(self, var: Path, words: str, *, name: str = "the shell", ends_first: bool = True) -> None:
        self.name, self.words, self.ends_first = name, words, ends_first
        self.log = var / "shell.log"
        self.child: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        self.child = processes.spawn(["sh", "-c", self.words, "sh", str(self.log.parent)], log=self.log)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watched(tmp_path: Path, said: list[str]) -> Supervisor:
    return Supervisor(tmp_path, said.append)


def test_who_dies_is_started_again_after_a_pause(
    tmp_path: Path, watched: Supervisor, said: list[str]
) -> None:
    server = Shell(tmp_path, "sleep 60")
    watched.start(server)
    assert server.child is not None
    server.child.kill()
    server.child.wait()
    watched.look()
    assert server.starts == 1, "not at once"
    assert processes.wait_until(lambda: watched.look() or server.starts == 2, 5)
    assert server.child.poll() is None
    watched.stop()
    assert said[1].startswith("The shell ended (status -9); it is started again in 0.5 s.")
    assert said[2] == "The shell runs again."


def test_who_works_with_others_is_started_again_after_them(tmp_path: Path, watched: Supervisor) -> None:
    database, web = Shell(tmp_path, "sleep 60", ends_first=False), Shell(tmp_path, "sleep 60", name="the web")
    for server in (web, database):
        watched.start(server)
    for server in (web, database):
        assert server.child is not None
        server.child.kill()
        server.child.wait()
        watched.look()
        time.sleep(0.2)
    order: list[str] = []
    for server in (web, database):
        begin = server.start
        server.start = lambda name=server.name, begin=begin: (order.append(name), begin())  # type: ignore[method-assign]
    assert processes.wait_until(lambda: watched.look() or len(order) == 2, 5)
    assert order == ["the shell", "the web"]
    watched.stop()


def test_who_dies_again_and_again_is_given_up_with_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, watched: Supervisor
) -> None:
    monkeypatch.setattr(supervisor, "PAUSES", (0.0, 0.0))
    server = Shell(tmp_path, "exit 3")
    watched.start(server)
    with pytest.raises(StartError, match=r"The shell ended \(status 3\) again and again\. .*shell\.log"):
        processes.wait_until(lambda: watched.look() is not None, 10)
    assert server.starts == 3


def test_what_a_dead_server_left_running_is_ended_before_it_starts_again(
    tmp_path: Path, watched: Supervisor
) -> None:
    server = Shell(tmp_path, "sleep 600 & echo $!; exit 1")
    watched.start(server)
    assert server.child is not None
    server.child.wait()
    left = int(server.log.read_text())
    watched.look()
    assert processes.wait_until(lambda: not processes.command_of(left), 5)


def test_all_ends_within_five_seconds_even_who_does_not_listen(tmp_path: Path, watched: Supervisor) -> None:
    servers = [
        Shell(tmp_path, STUBBORN),
        Shell(tmp_path, STUBBORN, ends_first=False),
        Shell(tmp_path, "sleep 60"),
    ]
    for server in servers:
        watched.start(server)
    begin = time.monotonic()
    watched.stop()
    assert time.monotonic() - begin < 5
    assert [server.child.poll() is not None for server in servers if server.child] == [True] * 3
    assert not (tmp_path / "processes.json").exists()


def test_who_works_ends_before_who_it_works_with(tmp_path: Path, watched: Supervisor) -> None:
    order = tmp_path / "order"
    bye = "trap 'echo {0} >> {1}; exit' TERM; while true; do sleep 0.05; done"
    watched.start(Shell(tmp_path, bye.format("database", order), ends_first=False))
    watched.start(Shell(tmp_path, bye.format("worker", order)))
    time.sleep(0.3)
    watched.stop()
    assert order.read_text().split() == ["worker", "database"]


def test_the_next_start_ends_what_a_killed_one_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, watched: Supervisor
) -> None:
    monkeypatch.setattr(processes, "LINUX", False)  # as where the kernel ends nobody
    left = Shell(tmp_path, STUBBORN)
    watched.start(left)
    assert left.child is not None
    assert processes.wait_until(lambda: "deaf" in left.log.read_text(), 5)
    Supervisor(tmp_path, print).end_leftovers()
    assert left.child.wait(5) == -signal.SIGKILL


def test_a_stranger_with_the_number_of_a_dead_server_is_left_alone(
    tmp_path: Path, watched: Supervisor
) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "processes.json").write_text(f"[{stranger.pid}]")
        watched.end_leftovers()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_who_ends_while_it_is_looked_at_has_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Path) -> bytes:
        raise ProcessLookupError

    monkeypatch.setattr(Path, "read_text", lambda _: "1 (sh) S 0")
    monkeypatch.setattr(Path, "read_bytes", gone)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    assert processes.command_of(os.getpid()) == ""


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import pathlib, time; from script import processes\n"
        f"print(processes.spawn(['sleep', '600'], log=pathlib.Path({str(tmp_path / 'log')!r})).pid, flush=True)\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen(["python3", "-c", program], stdout=subprocess.PIPE, text=True, cwd=_project())
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    if not processes.LINUX:  # there the next start does it
        os.kill(pid, signal.SIGTERM)
    assert processes.wait_until(lambda: not processes.command_of(pid), 5)


def _project() -> Path:
    return Path(supervisor.__file__).resolve().parent.parent
