"""Starts servers one after the other, starts again what dies, and ends all of them within five seconds.

Used by script/start. Remembers its children in ``processes.json``, so that the next start can end those
that a killed supervisor left on a system whose kernel does not do it.
"""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Protocol

from script import processes
from script.errors import StartError

#: Seconds before a dead server is started again, by the number of times it died in a row; then it is given
#: up.
PAUSES = (0.5, 1.0, 3.0, 10.0, 30.0)
#: Who ran so long is healthy again.
_GOOD_SECONDS = 60.0
#: All of them together may take this long to end in good order.
_STOP_SECONDS = 3.0
_STOP_SERVERS_SECONDS = 1.3


class Server(Protocol):
    name: str
    log: Path
    child: subprocess.Popen[bytes] | None
    ends_by: Signals
    #: It finishes what it has in hand, for which it needs the others.
    ends_first: bool

    def start(self) -> None: ...


@dataclass
class _Running:
    server: Server
    started: float
    deaths: int = 0
    again_at: float | None = None


class Supervisor:
    """``say`` gets a sentence for every thing that happens."""

    def __init__(self, var: Path, say: Callable[[str], None]) -> None:
        self._file = var / "processes.json"
        self._mark = str(var)
        self._say = say
        self._running: list[_Running] = []

    def end_leftovers(self) -> None:
        """End what an earlier, killed supervisor left; the caller makes sure that none is alive."""
        try:
            left = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return
        for pid in left:
            processes.end_leftover(int(pid), self._mark, SIGTERM, seconds=2)
        self._file.unlink(missing_ok=True)

    def start(self, server: Server) -> None:
        """Start it and wait until it is ready. Raises StartError, Stopping."""
        self._say(f"Starting {server.name} …")
        # It is in the list before it runs, so that stop() ends it however far it came.
        running = _Running(server, time.monotonic())
        self._running.append(running)
        server.start()
        self._remember()

    def look(self) -> None:
        """Start again what died, when its pause is over, and those that work with others after these. Raises StartError
        when one dies again and again.
        """
        for running in self._running:
            child = running.server.child
            if running.again_at is None and (child is None or child.poll() is not None):
                if time.monotonic() - running.started > _GOOD_SECONDS:
                    running.deaths = 0
                self._pause(running, f"ended (status {child.returncode if child else 'unknown'})")
        for running in self._running:
            if running.again_at is None or time.monotonic() < running.again_at:
                continue
            # It would wait to be ready, in vain, for what nobody starts meanwhile.
            if not (running.server.ends_first and self._waits_for_others()):
                self._start_again(running)

    def _waits_for_others(self) -> bool:
        return any(
            running.again_at is not None and not running.server.ends_first for running in self._running
        )

    def _start_again(self, running: _Running) -> None:
        running.again_at = None
        running.started = time.monotonic()
        try:
            running.server.start()
        except StartError as error:
            self._pause(running, f"did not start ({error})")
        else:
            self._say(f"{_capital(running.server.name)} runs again.")
            self._remember()

    def _pause(self, running: _Running, what: str) -> None:
        server = running.server
        if server.child is not None:
            processes.kill_group(server.child)  # its own children may hold the port
        if running.deaths >= len(PAUSES):
            raise StartError(
                f"{_capital(server.name)} {what} again and again. {server.log} should tell why; then start anew."
            )
        pause = PAUSES[running.deaths]
        running.deaths += 1
        running.again_at = time.monotonic() + pause
        self._say(
            f"{_capital(server.name)} {what}; it is started again in {pause:g} s. Its log: {server.log}"
        )

    def stop(self) -> None:
        """End everything: first who works, then who they work with. Nothing is left afterwards."""
        children = [(running.server, running.server.child) for running in self._running]
        alive = [(server, child) for server, child in children if child is not None]
        workers = [(server, child) for server, child in alive if server.ends_first]
        servers = [(server, child) for server, child in alive if not server.ends_first]
        for group, seconds in ((workers, _STOP_SECONDS), (servers, _STOP_SERVERS_SECONDS)):
            for server, child in group:
                if child.poll() is None:
                    child.send_signal(server.ends_by)
            end = time.monotonic() + seconds
            for _, child in group:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(max(0.01, end - time.monotonic()))
                processes.kill_group(child)
        self._file.unlink(missing_ok=True)

    def _remember(self) -> None:
        pids = [running.server.child.pid for running in self._running if running.server.child is not None]
        self._file.write_text(json.dumps(pids))


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
