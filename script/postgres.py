"""The embedded PostgreSQL: made once under ``var/postgres``, run as a child of whoever started it.

Used by script/start for its whole life, by manage.py for the time of one command, and by the tests. One
owner at a time (a lock); the others use the running server.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from script import embedded, processes
from script.account import account
from script.binaries import postgres_bin
from script.errors import StartError
from script.locks import Lock

_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    # An import of a million people writes some gigabytes. With PostgreSQL's own small settings its indexes do not stay in
    # memory, and a checkpoint every few seconds has each of their pages written down in full again.
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
}


class Postgres:
    """One embedded server in ``var``. ``settings`` are added to its command line."""

    name = "PostgreSQL"
    ends_by = signal.SIGINT  # its fast shutdown: disconnect everybody, write everything down
    ends_first = False

    def __init__(self, var: Path, **settings: str) -> None:
        self.var = var
        self.data = var / "postgres"
        self.log = var / "log" / "postgres.log"
        self.settings = {**_SETTINGS, **settings}
        self.child: subprocess.Popen[bytes] | None = None
        embedded.make_private(self.log.parent)
        self.owner = Lock(var / "postgres.lock")
        self.users = Lock(var / "postgres.users")

    def answers(self) -> bool:
        """Whether the server is ready, whoever runs it."""
        return self._status() == "ready" and _listens(
            embedded.socket_dir(self.var) / embedded.POSTGRES_SOCKET
        )

    def start(self) -> None:
        """Run the server and wait until it is ready; the caller holds ``owner``. Raises StartError with the
        log."""
        sockets = embedded.make_socket_dir(self.var)
        self._end_leftover()
        if not self.data.exists():
            self._make()
        self._check_version()
        for folder in (self.data, sockets):
            account().take(folder)
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        server = [
            str(postgres_bin() / "postgres"), "-D", str(self.data), "-k", str(sockets),
            "-p", str(embedded.POSTGRES_PORT), *options,
        ]  # fmt: skip
        self.child = processes.spawn(
            [*account().prefix, *server], log=self.log, environment=_environment(), ends_by=self.ends_by
        )
        child = self.child
        processes.wait_until(lambda: child.poll() is not None or self.answers(), _START_SECONDS)
        if child.poll() is not None or not self.answers():
            self.stop()
            raise StartError(f"PostgreSQL does not start: {_last_line(self.log)} More in {self.log}.")

    def stop(self, seconds: float = 5) -> None:
        """End it in good order; kill it only when that takes longer."""
        if self.child is not None:
            processes.end(self.child, self.ends_by, seconds=seconds)
            self.child = None

    def _make(self) -> None:
        """A new data folder, with our database in it; complete or not there at all."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account().take(draft)
        programs, prefix = postgres_bin(), account().prefix
        self._run(
            *prefix, str(programs / "initdb"), "-D", str(draft), "--username", embedded.NAME,
            "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        )  # fmt: skip
        self._run(
            *prefix, str(programs / "postgres"), "--single", "-D", str(draft),
            "-c", "exit_on_error=true", "postgres",
            words=f"CREATE DATABASE {embedded.NAME};\n",
        )  # fmt: skip
        draft.rename(self.data)

    def _run(self, *arguments: str, words: str = "") -> None:
        status, said, complaint = processes.output(arguments, environment=_environment(), words=words)
        with self.log.open("a") as out:
            out.write(f"{said}\n{complaint}\n")
        if status:
            why = complaint or said or f"{Path(arguments[0]).name} failed"
            raise StartError(f"The database cannot be made: {why} More in {self.log}.")

    def _check_version(self) -> None:
        made = (self.data / "PG_VERSION").read_text().strip()
        status, said, complaint = processes.output([str(postgres_bin() / "postgres"), "--version"])
        if status:
            raise StartError(f"PostgreSQL does not run on this machine: {complaint or status}")
        ours = said.split()[-1].partition(".")[0]
        if made != ours:
            raise StartError(
                f"{self.data} was made by PostgreSQL {made}; this is PostgreSQL {ours}. Write it out with "
                "pg_dump of the earlier version, move the folder away, start, and read it in with psql."
            )

    def _end_leftover(self) -> None:
        """Nobody holds the lock, so a server that still runs here lost its owner."""
        file = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(file.read_text().splitlines()[0])
            processes.end_leftover(pid, str(self.data), signal.SIGINT, signal.SIGQUIT)
            # Another program has got its number, which PostgreSQL would take for a running server.
            if processes.command_of(pid):
                file.unlink()

    def _status(self) -> str:
        """The last line of postmaster.pid, by which the server tells that it is ready."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7].strip()
        except (OSError, IndexError):
            return ""


@contextlib.contextmanager
def for_one_command(var: Path) -> Iterator[None]:
    """The running server, or one that is started now and ends with the last command that uses it."""
    server = Postgres(var)
    if not server.owner.take():
        yield from _borrowed(server)
        return
    try:
        server.start()
        yield
    finally:
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            server.users.take(wait=True)
        server.stop()
        server.users.release()
        server.owner.release()


def _borrowed(server: Postgres) -> Iterator[None]:
    """The server that another process runs; that process waits for us before it stops it."""
    server.users.take(shared=True, wait=True)
    try:
        if not processes.wait_until(server.answers, _START_SECONDS, every=0.1):
            raise StartError(
                f"PostgreSQL is being started elsewhere and does not answer. Look into {server.log}."
            )
        yield
    finally:
        server.users.release()


def _environment() -> dict[str, str]:
    """Without the caller's PG* variables, which the server and initdb would obey."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _listens(file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as found:
        found.settimeout(5)
        try:
            found.connect(str(file))
        except OSError:
            return False
    return True


def _last_line(log: Path) -> str:
    lines = [
        line
        for line in log.read_text(errors="replace").splitlines()
        if "FATAL" in line or "error" in line.lower()
    ]
    return lines[-1].strip() if lines else "it says nothing."
