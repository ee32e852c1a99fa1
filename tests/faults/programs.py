"""The processes under test: workers, scheduler, web server, and the manager that acts for people."""

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from script import processes

ROOT = Path(__file__).resolve().parent.parent.parent


class Program:
    """A Python module in a process group of its own."""

    def __init__(self, name: str, arguments: list[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.child = processes.spawn(
            [sys.executable, "-m", *arguments], log=log, environment=environment, folder=ROOT
        )

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    def kill(self) -> None:
        """SIGKILL for the whole group."""
        processes.kill_group(self.child)

    def end(self, seconds: float = 10) -> None:
        processes.end(self.child, signal.SIGTERM, seconds=seconds)


def worker(number: int, *, folder: Path, environment: Mapping[str, str], concurrency: int = 4) -> Program:
    return Program(
        f"worker {number}",
        [
            "celery", "-A", "mailinglist", "worker", "--pool", "threads", "--concurrency", str(concurrency),
            "--hostname", f"w{number}@rig", "--without-gossip", "--without-mingle", "--without-heartbeat",
            "--loglevel", "WARNING",
        ],
        log=folder / f"worker-{number}.log",
        environment=environment,
    )  # fmt: skip


def beat(number: int, *, folder: Path, environment: Mapping[str, str]) -> Program:
    return Program(
        f"beat {number}",
        [
            "celery", "-A", "mailinglist", "beat", "--schedule", str(folder / f"beat-{number}"),
            "--loglevel", "WARNING", "--pidfile", "",
        ],
        log=folder / f"beat-{number}.log",
        environment=environment,
    )  # fmt: skip


def web(port: int, *, folder: Path, environment: Mapping[str, str]) -> Program:
    return Program(
        "web",
        [
            "granian", "--interface", "wsgi", "mailinglist.wsgi:application", "--host", "127.0.0.1",
            "--port", str(port), "--blocking-threads", "8", "--no-ws", "--log-level", "warning",
            "--respawn-failed-workers", "--workers-kill-timeout", "3",
        ],
        log=folder / "web.log",
        environment=environment,
    )  # fmt: skip


class CommandFailed(RuntimeError):
    """What the app said to a command of the manager."""


class Manager:
    """``manager.py`` in its process; ``ask`` may be called by several threads."""

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        with (folder / "manager.log").open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.manager"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=dict(environment),
                cwd=ROOT,
                start_new_session=True,
            )
        self._numbers = itertools.count()
        self._writing = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, command: str, /, *, timeout: float = 120, **values: Any) -> Any:
        """The command's value. Raises CommandFailed, queue.Empty after ``timeout`` seconds."""
        number = next(self._numbers)
        self._waiting[number] = answers = queue.SimpleQueue()
        assert self._child.stdin is not None
        with self._writing:
            self._child.stdin.write(json.dumps({"id": number, "do": command, "with": values}) + "\n")
            self._child.stdin.flush()
        found = answers.get(timeout=timeout)
        if "error" in found:
            raise CommandFailed(f"{command}: {found['error']}")
        return found["value"]

    def end(self) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            found = json.loads(line)
            self._waiting.pop(found["id"]).put(found)
        for answers in list(self._waiting.values()):
            answers.put({"error": "the manager's process ended"})
