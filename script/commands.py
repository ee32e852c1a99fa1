"""What manage.py does around Django: the right Python, and a database to work with.

A command works from cron whether script/start runs or not. The broker is not needed: a message that is not
sent costs the time until the next sweep.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from script import embedded, postgres
from script.environment import PYTHON, VENV
from script.errors import StartError

#: Commands that never ask the database, so that none is started for them.
_WITHOUT_DATABASE = (
    "classify_bounces", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help",
    "makemessages", "startapp", "version", "--version", "--help", "-h",
)  # fmt: skip


def again_in_venv(arguments: Sequence[str]) -> int:
    """Start ``arguments`` over with .venv's Python; returns a status only where there is none to use."""
    if not PYTHON.exists():
        print("Django is not installed here. Run script/start once: it makes .venv.", file=sys.stderr)
    elif os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        print("Django is missing in .venv. Run script/start: it installs requirements.txt.", file=sys.stderr)
    else:
        os.execv(PYTHON, [str(PYTHON), *arguments])
    return 1


@contextlib.contextmanager
def database(arguments: Sequence[str]) -> Iterator[None]:
    """A database for the command in ``arguments`` (manage.py's own): the one of DATABASE_URL, the running
    embedded one, or one for the time of the command. Ends the process with a sentence where there is none.
    """
    try:
        if needs_embedded(arguments):
            with postgres.for_one_command(embedded.var_dir()):
                yield
        else:
            yield
    except StartError as error:
        sys.exit(str(error))


def needs_embedded(arguments: Sequence[str]) -> bool:
    """Whether this command asks a database, and it is the embedded one."""
    if os.environ.get("DATABASE_URL", "").strip() or len(arguments) < 2:
        return False
    return arguments[1] not in _WITHOUT_DATABASE and not {"--help", "-h"} & set(arguments[2:])
