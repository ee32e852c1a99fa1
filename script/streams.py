"""Standard output and error whose reader has gone (``| head``, a closed terminal). Used by script/start and
manage.py."""

import contextlib
import os
import select
import sys
from typing import TextIO

#: How shells call the end of a program that wrote to nobody: 128 and SIGPIPE.
NOBODY_READS = 141


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
