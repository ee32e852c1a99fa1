"""Standard input, output and error that are closed, whose reader has gone (``| head``, a closed terminal) or that take
no more. Used by script/start and manage.py."""

import contextlib
import errno
import io
import os
import select
import sys
from typing import TextIO

#: How shells call the end of a program that wrote to nobody: 128 and SIGPIPE.
NOBODY_READS = 141

#: What a write to a full disk, or one past a quota or the largest file, fails with.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def complete() -> None:
    """Make those of the three that are closed (``>&-``) usable: what is written goes nowhere, and what reads gets an
    OSError that says it. What is opened later no longer takes their place, and gets what was printed.

    Names of files that are not UTF-8 are printed as they are.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(nowhere := os.open(os.devnull, os.O_RDWR), number)
            if nowhere != number:
                os.close(nowhere)
            os.set_inheritable(number, True)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(_Closed()))
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="surrogateescape")


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


class _Closed(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise OSError(errno.EBADF, "it is closed")


def has_no_room(error: OSError) -> bool:
    """Whether something could not be written because its disk or device is full."""
    return error.errno in _NO_ROOM


def silence(*streams: TextIO) -> None:
    """From now on these write to nowhere, also when Python flushes them at its end."""
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def abandoned() -> list[TextIO]:
    """Which of standard output and error nobody reads any more."""
    return [stream for stream in (sys.stdout, sys.stderr) if _has_no_reader(stream)]


def _has_no_reader(stream: TextIO) -> bool:
    looking = select.poll()
    try:
        looking.register(stream.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(seen & (select.POLLERR | select.POLLHUP) for _, seen in looking.poll(0))
