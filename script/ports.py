"""TCP ports for the servers of script/start: claimed from the choice on, long before anybody listens there."""

import os
import socket
from pathlib import Path

from script import embedded
from script.errors import StartError
from script.locks import Lock


class Port:
    """A port that no other script/start of this user takes while we hold it. The kernel frees it whatever becomes of us.

    Listening there proves nothing: the web server shares its port with every other one of the same user (SO_REUSEPORT),
    and between the choice and the listening lies the preparation of the database.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._lock: Lock | None = None

    def claim(self) -> bool:
        """Whether it is ours now: nobody has claimed it and nobody listens there. Raises StartError where it may not be
        used."""
        self._lock = Lock(_make_folder() / f"{self.number}.lock")
        try:
            ours = self._lock.take() and is_free(self.number)
        except StartError:
            self.release()
            raise
        if not ours:
            self.release()
        return ours

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def claim_or_another(wanted: int) -> Port:
    """``wanted`` or another port that is free, claimed."""
    port = Port(wanted)
    while not port.claim():
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = Port(int(other.getsockname()[1]))
    return port


def is_free(number: int) -> bool:
    """Whether nobody listens there. Raises StartError where we may not."""
    try:
        # As the servers do, so that connections of an earlier run that are still closing are no obstacle.
        with socket.create_server(("127.0.0.1", number)):
            return True
    except PermissionError as error:
        raise StartError(
            f"Port {number} may not be used ({error.strerror}); choose one above 1023."
        ) from error
    except OSError:
        return False


def _make_folder() -> Path:
    """For all installations of this user, so that it depends on nothing else, not even on TMPDIR, which cron does not
    have."""
    folder = Path(f"/tmp/mailinglist-{os.getuid()}-ports")
    embedded.make_private(folder)
    if not embedded.is_private(folder, os.getuid()):
        raise StartError(
            f"{folder} is not a private folder of this user. Whoever owns it, or root, has to remove it."
        )
    return folder
