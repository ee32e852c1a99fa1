"""The two servers of a rig: PostgreSQL that waits for the disk at every commit, and Valkey. One database per rig."""

import subprocess
from pathlib import Path
from signal import SIGKILL, SIGQUIT

import psycopg

from script import embedded, processes
from script.errors import StartError
from script.postgres import Postgres
from script.valkey import Valkey

_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Servers:
    """Started by ``start``; both listen on unix sockets in the folder ``sockets`` only."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.postgres = Postgres(var, **_DURABLE, max_connections="200")
        self.valkey = Valkey(var)

    def start(self) -> None:
        if not self.postgres.owner.take():
            raise StartError(f"{self.var} is in use.")
        self.postgres.start()
        self.valkey.start()

    def stop(self) -> None:
        self.valkey.stop()
        self.postgres.stop()
        self.postgres.owner.release()

    @property
    def postgres_socket(self) -> Path:
        return embedded.socket_dir(self.var) / embedded.POSTGRES_SOCKET

    @property
    def valkey_socket(self) -> Path:
        return embedded.socket_dir(self.var) / embedded.VALKEY_SOCKET

    def connect(self) -> psycopg.Connection[tuple]:
        """The checker's own way to the database, past every proxy; autocommit."""
        return psycopg.connect(
            host=str(embedded.socket_dir(self.var)), port=embedded.POSTGRES_PORT,
            user=embedded.NAME, dbname=embedded.NAME, autocommit=True,
        )  # fmt: skip

    def crash_postgres(self, *, down: float = 0) -> None:
        """What ``pg_ctl restart -m immediate`` does: no checkpoint, recovery from the log at the next start."""
        child = self.postgres.child
        assert child is not None
        processes.end(child, SIGQUIT, seconds=10)
        processes.stopping.wait(down)
        self.postgres.start()

    def crash_valkey(self, *, down: float = 0, forget: bool = True) -> None:
        """Kill the broker; ``forget`` its messages too."""
        child = self.valkey.child
        assert child is not None
        processes.end(child, SIGKILL, seconds=10)
        if forget:
            for file in self.valkey.data.rglob("*"):
                if file.is_file():
                    file.unlink()
        processes.stopping.wait(down)
        self.valkey.start()

    def flush_valkey(self) -> None:
        self.broker("FLUSHALL")

    def broker(self, *words: str) -> bytes:
        """One command to the broker, its first answer as it came."""
        import socket

        with socket.socket(socket.AF_UNIX) as found:
            found.settimeout(5)
            found.connect(str(self.valkey_socket))
            found.sendall(
                b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w.encode()) for w in words)
            )
            return found.recv(65536)


def programs_of(pid: int) -> list[int]:
    """Ids of the children of a process."""
    found = subprocess.run(
        ["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False
    )
    return [int(line) for line in found.stdout.split()]
