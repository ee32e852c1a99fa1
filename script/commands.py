"""What manage.py does around Django: the right Python, a database to work with, and the exit status.

A command works from cron whether script/start runs or not. The broker is not needed: a message that is not
sent costs the time until the next sweep.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import NoReturn

from script import embedded, postgres, streams
from script.environment import PYTHON, VENV, can_use
from script.errors import StartError

#: Commands that never ask the database, so that none is started for them.
_WITHOUT_DATABASE = (
    "classify_bounces", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help",
    "makemessages", "startapp", "version", "--version", "--help", "-h",
)  # fmt: skip
#: sysexits.h, EX_TEMPFAIL: a mail server that pipes a mail here keeps it and tries again.
_TRY_AGAIN = 75
_INTERRUPTED = 130


def again_in_venv(arguments: Sequence[str]) -> int:
    """Start ``arguments`` over with .venv's Python; returns a status only where there is none to use."""
    try:
        usable = can_use(PYTHON)
    except StartError as error:
        print(error, file=sys.stderr)
        return failure(arguments)
    if not usable:
        print("Django is not installed here. Run script/start once: it makes .venv.", file=sys.stderr)
    elif os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        print("Django is missing in .venv. Run script/start: it installs requirements.txt.", file=sys.stderr)
    else:
        os.execv(PYTHON, [str(PYTHON), *arguments])
    return failure(arguments)


@contextlib.contextmanager
def database(arguments: Sequence[str]) -> Iterator[None]:
    """A database for the command in ``arguments`` (manage.py's own): the one of DATABASE_URL, the running
    embedded one, or one for the time of the command. Ends the process with a sentence where there is none.
    """
    with _ending(arguments):
        if needs_embedded(arguments):
            with postgres.for_one_command(embedded.var_dir()):
                yield
        else:
            yield


def needs_embedded(arguments: Sequence[str]) -> bool:
    """Whether this command asks a database, and it is the embedded one."""
    if os.environ.get("DATABASE_URL", "").strip() or len(arguments) < 2:
        return False
    return arguments[1] not in _WITHOUT_DATABASE and not {"--help", "-h"} & set(arguments[2:])


def failure(arguments: Sequence[str]) -> int:
    """The exit status for what is not the caller's fault. A mail server returns a mail to its sender at any other
    status than EX_TEMPFAIL, and this one would be lost as a bounce."""
    piped = list(arguments[1:2]) == ["ingest_bounces"] and "-" in arguments[2:]
    return _TRY_AGAIN if piped else 1


@contextlib.contextmanager
def _ending(arguments: Sequence[str]) -> Iterator[None]:
    """How a command ends that does not end well."""
    streams.complete()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except StartError as error:
        _end(failure(arguments), f"{error}\n")
    except SystemExit as end:
        if end.code == 1:
            sys.exit(failure(arguments))
        raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        closed = streams.abandoned()
        if not closed:
            raise
        streams.silence(*closed)
        sys.exit(streams.NOBODY_READS)
    except Exception as error:
        told = traceback.format_exc()
        if isinstance(error, OSError) and streams.has_no_room(error):
            streams.silence(sys.stdout)
            if "--traceback" not in arguments:
                told = (
                    f"Not everything could be written: {error.filename or 'the output'}: {error.strerror}.\n"
                )
        _end(failure(arguments), told)


def _end(status: int, told: str) -> NoReturn:
    """End with these words, whether or not they can be written."""
    with contextlib.suppress(OSError):
        sys.stderr.write(told)
    sys.exit(status)
