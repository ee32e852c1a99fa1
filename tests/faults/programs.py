"""The processes under test: workers and scheduler from the nursery, web server, and the manager that acts for people."""

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from script import processes

ROOT = Path(__file__).resolve().parent.parent.parent


class Child:
    """A process that the nursery started, with what ``script.processes`` wants of one."""

    def __init__(self, pid: int, nursery: "Nursery") -> None:
        self.pid = pid
        self._nursery = nursery
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            self._status = self._nursery.ask({"poll": self.pid})
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.005)
        return status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


class Nursery:
    """``nursery.py`` in its process; ``ask`` may be called by several threads."""

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(environment),
            cwd=ROOT,
            start_new_session=True,
        )
        self._asking = threading.Lock()
        self._answer()

    def start(self, arguments: list[str], *, log: Path, environment: Mapping[str, str]) -> Child:
        order = {"arguments": arguments, "environment": dict(environment), "log": str(log)}
        return Child(self.ask(order), self)

    def ask(self, order: Mapping[str, Any]) -> Any:
        assert self._child.stdin is not None
        with self._asking:
            self._child.stdin.write(json.dumps(order) + "\n")
            self._child.stdin.flush()
            return self._answer()

    def end(self) -> None:
        self._child.communicate()

    def _answer(self) -> Any:
        assert self._child.stdout is not None
        return json.loads(self._child.stdout.readline())


class Program:
    """A program in a process group of its own."""

    def __init__(self, name: str, child: processes.Child) -> None:
        self.name, self.child = name, child

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


def worker(
    number: int, nursery: Nursery, *, folder: Path, environment: Mapping[str, str], concurrency: int = 4
) -> Program:
    arguments = [
        "celery", "-A", "mailinglist", "worker", "--pool", "threads", "--concurrency", str(concurrency),
        "--hostname", f"w{number}@rig", "--without-gossip", "--without-mingle", "--without-heartbeat",
        "--loglevel", "WARNING",
    ]  # fmt: skip
    log = folder / f"worker-{number}.log"
    return Program(f"worker {number}", nursery.start(arguments, log=log, environment=environment))


def beat(number: int, nursery: Nursery, *, folder: Path, environment: Mapping[str, str]) -> Program:
    arguments = [
        "celery", "-A", "mailinglist", "beat", "--schedule", str(folder / f"beat-{number}"),
        "--loglevel", "WARNING", "--pidfile", "",
    ]  # fmt: skip
    log = folder / f"beat-{number}.log"
    return Program(f"beat {number}", nursery.start(arguments, log=log, environment=environment))


def web(port: int, *, folder: Path, environment: Mapping[str, str]) -> Program:
    arguments = [
        "granian", "--interface", "wsgi", "mailinglist.wsgi:application", "--host", "127.0.0.1",
        "--port", str(port), "--blocking-threads", "8", "--no-ws", "--log-level", "warning",
        "--respawn-failed-workers", "--workers-kill-timeout", "3",
    ]  # fmt: skip
    child = processes.spawn(
        [sys.executable, "-m", *arguments], log=folder / "web.log", environment=environment, folder=ROOT
    )
    return Program("web", child)


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
