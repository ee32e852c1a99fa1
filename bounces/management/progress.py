"""One line of progress on a terminal, and nothing where the output goes to a file or another program."""

import time
from typing import Any

#: Seconds between two lines.
PAUSE = 0.2


class Progress:
    """``show`` replaces the line, ``end`` removes it. ``stream`` is a command's stderr."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream if stream.isatty() else None
        self._shown_at = 0.0

    def show(self, text: str) -> None:
        now = time.monotonic()
        if self._stream is not None and now - self._shown_at >= PAUSE:
            self._shown_at = now
            self._stream.write(f"\r\x1b[K{text} …", ending="")
            self._stream.flush()

    def end(self) -> None:
        if self._stream is not None and self._shown_at:
            self._stream.write("\r\x1b[K", ending="")
            self._stream.flush()
