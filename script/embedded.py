"""What lives under ``var/`` and where the embedded servers listen. Asked by mailinglist/settings.py and
script/.

Reading an address starts nothing: ``postgres.py`` and ``valkey.py`` do. Both servers listen on unix sockets
in a folder that only we can enter, never on TCP.
"""

import hashlib
import json
import os
import re
import secrets
from pathlib import Path
from urllib.parse import quote

from script.environment import PROJECT
from script.errors import StartError

#: User and database of the embedded PostgreSQL.
NAME = "mailinglist"
POSTGRES_PORT = 5432
POSTGRES_SOCKET = f".s.PGSQL.{POSTGRES_PORT}"
VALKEY_SOCKET = "valkey.sock"
#: Bytes of a socket's path that every system takes (macOS has 103, Linux 107).
_LONGEST_SOCKET = 100


def var_dir() -> Path:
    """The folder of all local state, absolute: MAILINGLIST_VAR or ``var`` in the project. It need not
    exist."""
    named = os.environ.get("MAILINGLIST_VAR", "").strip()
    return Path(named).expanduser().resolve() if named else PROJECT / "var"


def local_settings(var: Path) -> dict[str, str]:
    """SECRET_KEY and SUPPRESSION_KEY of this installation, made at the first call and the same ever after.

    Kept in ``local.json``, readable by its owner only. Raises StartError when that file is damaged: keys made
    anew would silently break every link in sent mails and the suppression list.
    """
    file = var / "local.json"
    if not file.exists():
        make_private(var)
        made = {"SECRET_KEY": secrets.token_urlsafe(50), "SUPPRESSION_KEY": secrets.token_hex(32)}
        draft = var / f".local.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(made, out)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, file)  # unlike a rename, this lets the first of two processes win
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        kept = json.loads(file.read_text())
        return {name: str(kept[name]) for name in ("SECRET_KEY", "SUPPRESSION_KEY")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{file} with the keys of this installation cannot be read ({type(error).__name__}: {error}). "
            "Restore it from a backup; only if nothing was ever sent, delete it."
        ) from error


def make_private(folder: Path) -> None:
    """Make the folder, for its owner only, unless it is there. Raises StartError where that is not
    allowed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"The folder {folder} cannot be made ({error.strerror}). Set MAILINGLIST_VAR to one that can."
        ) from error


def socket_dir(var: Path) -> Path:
    """Where the servers' sockets are: ``run`` in var, or a short folder under /tmp where that path is too
    long.

    Depends on ``var`` and the user alone (not on TMPDIR, which cron does not have), so that every process
    finds it.
    """
    close = var / "run"
    length = len(os.fsencode(close / POSTGRES_SOCKET))
    # libpq and PostgreSQL split lists of folders at commas.
    if length <= _LONGEST_SOCKET and re.fullmatch(r"[\w./+~ -]+", str(close)):
        return close
    digest = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(f"/tmp/mailinglist-{os.getuid()}-{digest}")


def make_socket_dir(var: Path) -> Path:
    """Make that folder; raises StartError when somebody else has made it or can enter it."""
    folder = socket_dir(var)
    make_private(folder)
    owners = (os.getuid(), NOBODY) if os.getuid() == 0 else (os.getuid(),)
    if not is_private(folder, *owners):
        raise StartError(f"{folder} is not a private folder of this user. Remove it, or set MAILINGLIST_VAR.")
    return folder


def is_private(folder: Path, *owners: int) -> bool:
    """Whether it is a true folder of one of ``owners`` (user numbers) that nobody else can enter."""
    found = folder.lstat()
    return not folder.is_symlink() and found.st_uid in owners and not found.st_mode & 0o077


#: The user that PostgreSQL runs as where we are root and have no user namespaces.
NOBODY = 65534


def database_url(var: Path) -> str:
    """The url of the embedded PostgreSQL, for Django; whether it runs or not."""
    return f"postgres://{NAME}@{quote(str(socket_dir(var)), safe='')}:{POSTGRES_PORT}/{NAME}"


def broker_url(var: Path) -> str:
    """The url of the embedded Valkey, for Celery; whether it runs or not."""
    return f"redis+socket://{quote(str(socket_dir(var) / VALKEY_SOCKET))}"
