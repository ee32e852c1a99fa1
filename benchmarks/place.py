"""Where measurements happen: a throw-away PostgreSQL with the project's tables, local SES's, and child processes.

Made by ``__main__.py``; needs no Django itself. PostgreSQL runs with the settings of script/start, so its commits wait
for the disk. Leaving the place ends every process and removes its folder.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks import meter
from script import embedded, processes
from script.environment import PROJECT, PYTHON
from script.postgres import Postgres

#: What the measurements must not take over from the caller: they would go to the caller's own servers.
_NOT_OURS = (
    "DATABASE_URL",
    "PUBLIC_URL",
    "SEND_TRANSPORT",
    "SEND_CONCURRENCY",
    "AWS_SESSION_TOKEN",
    "PYTHONPATH",
)


class Failed(Exception):
    """A child did not do its task; the message ends with what it complained about."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a task cost: seconds of wall clock and processor, of which PostgreSQL's apart (None: not measured)."""

    seconds: float
    processor: float
    database: float | None
    #: The largest of the children, in MB.
    peak_mb: float
    #: What the child that took longest found.
    found: Any


class Place:
    """Use it as a context manager."""

    def __enter__(self) -> "Place":
        self.var = Path(tempfile.mkdtemp(prefix="mailinglist-bench-"))
        self._servers: dict[float, subprocess.Popen[str]] = {}
        self.ports: dict[float, int] = {}
        self._lists: dict[int, int] = {}
        self._postgres = Postgres(self.var)
        self._postgres.owner.take()
        try:
            self._postgres.start()
            self.do("migrate")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            processes.end(server, signal.SIGTERM, seconds=2)  # type: ignore[arg-type]
            for stream in (server.stdin, server.stdout):
                if stream is not None:
                    stream.close()
        self._postgres.stop()
        self._postgres.owner.release()
        shutil.rmtree(embedded.socket_dir(self.var), ignore_errors=True)
        shutil.rmtree(self.var, ignore_errors=True)

    def ses(self, latency_ms: float = 0) -> int:
        """The port of a local SES with that latency, started at the first call."""
        if latency_ms not in self.ports:
            server = subprocess.Popen(
                [str(PYTHON), "-m", "benchmarks.local_ses", "--latency-ms", str(latency_ms)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, start_new_session=True,
            )  # fmt: skip
            assert server.stdout is not None
            self._servers[latency_ms] = server
            self.ports[latency_ms] = int(server.stdout.readline())
        return self.ports[latency_ms]

    def ses_processor(self, latency_ms: float = 0) -> float | None:
        """Processor seconds of that local SES so far."""
        self.ses(latency_ms)
        return meter.processor_seconds(self._servers[latency_ms].pid)

    def list_of(self, n: int) -> int:
        """The id of a list with ``n`` confirmed people, made at the first call."""
        if n not in self._lists:
            self._lists[n] = int(self.do("list", n=n).found)
        return self._lists[n]

    def do(
        self, task: str, *, latency_ms: float = 0, copies: int = 1, bulk: bool = False, **arguments: Any
    ) -> Took:
        """Do the task in ``copies`` processes at once, measured from when all are ready to when all are done.

        Raises Failed.
        """
        environment = self._environment(latency_ms, bulk=bulk)
        children = [_Child(task, arguments, environment) for _ in range(copies)]
        try:
            for child in children:
                child.wait_until_ready()
            before = self._database()
            for child in children:
                child.go()
            told = [child.told() for child in children]
            after = self._database()
        finally:
            for child in children:
                child.end()
        return Took(
            seconds=max(part["seconds"] for part in told),
            processor=sum(part["processor"] for part in told),
            database=None if before is None or after is None else after - before,
            peak_mb=max(part["peak_mb"] for part in told),
            found=max(told, key=lambda part: part["seconds"])["found"],
        )

    def _database(self) -> float | None:
        server = self._postgres.child
        return meter.processor_seconds(server.pid) if server else None

    def _environment(self, latency_ms: float, *, bulk: bool) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        return {
            **ours,
            "MAILINGLIST_MODE": "local",
            "MAILINGLIST_VAR": str(self.var),
            "SES_ENDPOINT_URL": f"http://127.0.0.1:{self.ses(latency_ms)}",
            "SEND_TRANSPORT": "bulk" if bulk else "raw",
            # Nobody listens to the messages that wake workers: the measured processes are the workers.
            "CELERY_BROKER_URL": "memory://",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
        }


class _Child:
    """A process of ``worker.py``."""

    def __init__(self, task: str, arguments: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        command: Sequence[str] = [str(PYTHON), "-m", "benchmarks.worker", task, json.dumps(arguments)]
        self._task = task
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, text=True,
            env=environment, cwd=PROJECT,
        )  # fmt: skip

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise self._failed()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failed()
        told: dict[str, Any] = json.loads(line)
        return told

    def end(self) -> None:
        """Wait for it when it is done; kill it when another child has failed."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()

    def _failed(self) -> Failed:
        self._process.wait()
        self._complaints.seek(0)
        return Failed(f"The task {self._task} failed:\n{self._complaints.read()[-3000:]}")
