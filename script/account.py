"""PostgreSQL refuses to run as root. Where we are root, this gives its commands another user.

First choice is a user namespace: inside it the server is nobody, outside it stays root, so that private
folders above the project and the data need no change. Where a container forbids that, setpriv makes it
nobody who may still read through private folders (the one capability it keeps). No permission of any folder
above ``var`` is ever changed.
"""

import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from script.embedded import NOBODY
from script.errors import StartError
from script.processes import LINUX, output

USER_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
CHANGED_USER = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
    "--pdeathsig=INT",  # a change of user makes the kernel forget who to end
)


@dataclass(frozen=True)
class Account:
    """How to run PostgreSQL's programs: words to put before them, and the user who owns its files then."""

    prefix: tuple[str, ...]
    owner: int

    def take(self, folder: Path) -> None:
        """Make the files of ``folder`` this account's own, as an earlier start may have used the other
        way."""
        if folder.lstat().st_uid == self.owner:
            return
        if os.getuid() != 0:
            raise StartError(
                f"{folder} belongs to another user ({folder.lstat().st_uid}). Start as that user, or set "
                "MAILINGLIST_VAR to a folder of your own."
            )
        for place, _, files in os.walk(folder):
            for name in (place, *(os.path.join(place, file) for file in files)):
                os.chown(name, self.owner, -1, follow_symlinks=False)


@functools.cache
def account() -> Account:
    """The account for this process. Raises StartError when we are root and no way is open."""
    if os.getuid() != 0:
        return Account((), os.getuid())
    for prefix, owner in ((USER_NAMESPACE, 0), (CHANGED_USER, NOBODY)):
        if LINUX and shutil.which(prefix[0]) and _runs(prefix):
            return Account(prefix, owner)
    raise StartError(
        "PostgreSQL does not run as root, and neither unshare nor setpriv (package util-linux) can change "
        "that here. Start as another user, or set DATABASE_URL."
    )


def _runs(prefix: tuple[str, ...]) -> bool:
    probe = [*prefix, "sh", "-c", "test $(id -u) != 0"]
    return output(probe)[0] == 0
