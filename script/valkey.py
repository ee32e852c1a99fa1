"""The embedded Valkey, Celery's broker: a child of script/start that listens on a unix socket alone.

What is lost with it costs only the time until the next sweep; it writes its messages down all the same, so
that a restart is quick to go on.
"""

import signal
import socket
import subprocess
from pathlib import Path

from script import embedded, processes
from script.binaries import valkey_server
from script.errors import StartError

_START_SECONDS = 20.0


class Valkey:
    """One embedded broker in ``var``."""

    name = "the broker"
    ends_by = signal.SIGTERM
    ends_first = False

    def __init__(self, var: Path) -> None:
        self.var = var
        self.data = var / "valkey"
        self.log = var / "log" / "valkey.log"
        self.pid_file = self.data / "valkey.pid"
        self.child: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        """Whether it is ready (it says LOADING while it reads its messages)."""
        with socket.socket(socket.AF_UNIX) as found:
            found.settimeout(2)
            try:
                found.connect(str(embedded.socket_dir(self.var) / embedded.VALKEY_SOCKET))
                found.sendall(b"PING\r\n")
                return found.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def start(self) -> None:
        """Run it and wait until it answers. Raises StartError with its log."""
        sockets = embedded.make_socket_dir(self.var)
        for folder in (self.data, self.log.parent):
            embedded.make_private(folder)
        self._end_leftover()
        self.child = processes.spawn(
            [
                str(valkey_server()), "--port", "0", "--unixsocket", str(sockets / embedded.VALKEY_SOCKET),
                "--unixsocketperm", "600", "--appendonly", "yes", "--save", "", "--dir", ".",
                "--pidfile", self.pid_file.name,
            ],
            log=self.log,
            folder=self.data,
        )  # fmt: skip
        child = self.child
        processes.wait_until(lambda: child.poll() is not None or self.answers(), _START_SECONDS)
        if child.poll() is not None or not self.answers():
            self.stop()
            raise StartError(f"The broker (Valkey) does not start. Its words are in {self.log}.")

    def stop(self, seconds: float = 3) -> None:
        """Write everything down and end."""
        if self.child is not None:
            processes.end(self.child, self.ends_by, seconds=seconds)
            self.child = None

    def _end_leftover(self) -> None:
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return
        processes.end_leftover(pid, "valkey-server", signal.SIGTERM)
        self.pid_file.unlink(missing_ok=True)
