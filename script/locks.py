"""Who runs an embedded server: a lock on a file, which the kernel takes back whatever becomes of the
holder."""

import fcntl
import os
from pathlib import Path

from script.errors import StartError


class Lock:
    """A file that one process holds (``exclusive``) or several (``shared``). The file itself stays."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._fd: int | None = None

    def take(self, *, shared: bool = False, wait: bool = False) -> bool:
        """Whether we hold it now. Without ``wait`` the answer comes at once. Raises StartError where it is another
        user's."""
        if self._fd is None:
            try:
                self._fd = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
            except PermissionError as error:
                raise StartError(
                    f"{self.file} belongs to another user. Start as that user, or set MAILINGLIST_VAR to a folder of "
                    "your own."
                ) from error
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._fd, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
