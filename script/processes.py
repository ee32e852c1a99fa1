"""Children that end with their parent: starting them, ending them, and finding what an earlier run left.

Each child leads a process group of its own, so that Ctrl-C reaches only the parent (who ends the children
in order) and a child's own children can be ended with it. On Linux the kernel ends a child when its parent
is killed; elsewhere ``end_leftover`` does that at the next start.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1

#: Set when this process is asked to end: whatever waits here stops waiting.
stopping = threading.Event()


class Child(Protocol):
    """A process of ours, as subprocess.Popen shows it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Stopping(Exception):
    """This process was asked to end while it waited."""


def spawn(
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    ends_by: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child that gets ``ends_by`` when this process dies; its output is appended to ``log``.

    Must be called in the main thread: the kernel watches the thread that started the child.
    """
    with log.open("ab") as out:
        return subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=dies_with_parent(ends_by) if LINUX else None,
        )


def dies_with_parent(ends_by: signal.Signals) -> Callable[[], None]:
    """Linux: what a new child calls to get ``ends_by`` when this process dies."""
    parent, libc = os.getpid(), ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(ends_by))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return prepare


def output(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    words: str = "",
) -> tuple[int, str, str]:
    """Run a command that reads ``words`` to its end: status, what it printed, and what it complained about.

    Raises Stopping, when the command has ended.
    """
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as errors,
    ):
        given.write(words.encode())
        given.seek(0)
        child = subprocess.Popen(
            list(arguments),
            stdin=given,
            stdout=out,
            stderr=errors,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM) if LINUX else None,
        )
        try:
            while child.poll() is None:
                if stopping.wait(0.03):
                    raise Stopping
        except BaseException:
            kill_group(child)
            raise
        said = []
        for file in (out, errors):
            file.seek(0)
            said.append(file.read().decode(errors="replace").strip())
    return child.returncode, said[0], said[1]


def wait_until(true: Callable[[], bool], seconds: float, *, every: float = 0.02) -> bool:
    """Whether ``true()`` became true within so many seconds. Raises Stopping."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() >= end:
            return False
        if stopping.wait(every):
            raise Stopping
    return True


def end(child: Child, by: signal.Signals, *, seconds: float) -> None:
    """Ask the child to end, wait so long, then kill whatever is left of its group."""
    if child.poll() is None:
        child.send_signal(by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
    kill_group(child)


def kill_group(child: Child) -> None:
    """Kill what is left of the child and of its own children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def command_of(pid: int) -> str:
    """The command line of a living process, words divided by spaces; empty when there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (
            ""
            if status[0] == "Z"
            else Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        )
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends while its file is being read
        if Path("/proc/self").exists():
            return ""
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def end_leftover(pid: int, mark: str, *signals: signal.Signals, seconds: float = 5) -> None:
    """End the process of an earlier run, if ``pid`` still is one: its command line has to contain ``mark``.

    Each signal is given so many seconds; the last resort is SIGKILL for its group.
    """

    def gone() -> bool:
        return mark not in command_of(pid)

    for number in signals:
        if gone():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        wait_until(gone, seconds)
    if not gone():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        wait_until(gone, seconds)
