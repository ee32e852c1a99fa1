"""How the lines of the log are written. Named in settings.py.

An exception says what it failed on: PostgreSQL names the row, a program of the network what it was given. The log is kept
elsewhere, and longer, than people's data; so of an address its domain is left, which is what one looks for, and of our
secrets, and of the links in mails, which act for a person, nothing, in tracebacks too. What a visitor did wrong is one
line, so that nobody can fill the log with tracebacks.
"""

import logging
import re
from copy import copy
from functools import cache

from django.conf import settings

# A local part as it is written in mails and, encoded, in addresses of pages; also the password of an address of a server.
# Bounded, because a search for the end of each run of signs would take for ever in a long line.
_ADDRESS = re.compile(r"[^\s\"'<>()\[\]{},;:=/|\\]{1,254}(?:@|%40)(?=[\w.-])")
#: What stands in the links of mails (tokens.py): two tokens of 22 signs and what signs them, in whichever address it is
#: asked for. Also where its end is missing.
_LINK = re.compile(r"[\w-]{22}\.[\w-]{22}(?:(?::|%3A)[\w-]*){1,2}", re.ASCII | re.IGNORECASE)
_SECRET = re.compile(r"(?:KEY|KEY_ID|KEY_FALLBACKS|SECRET|TOKEN|PASSWORD)$")
#: Shorter ones are words of the language.
_LEAST = 8
#: Signs of a line about a request that was not right; the visitor chose what stands in it.
_LONGEST = 500


class LineFormatter(logging.Formatter):
    """A line with its traceback, as logging.Formatter makes it, less what is nobody's business; without the traceback
    where Django answered with 4xx, such as to a false Host or a NUL."""

    def format(self, record: logging.LogRecord) -> str:
        if not 400 <= getattr(record, "status_code", 0) < 500:
            return _masked(super().format(record))
        line = copy(record)  # other handlers get the record as it is
        line.exc_info = line.exc_text = None
        written = _masked(super().format(line))
        return written if len(written) <= _LONGEST else f"{written[:_LONGEST]} …"


def _masked(line: str) -> str:
    for secret in secrets():
        line = line.replace(secret, "********")
    line = _LINK.sub("…", line)
    # The search looks at each sign some hundred times, for nothing in most lines.
    return _ADDRESS.sub("…@", line) if "@" in line or "%40" in line else line


@cache
def secrets() -> tuple[str, ...]:
    """The values of the settings whose names say that they are secret."""
    found = [getattr(settings, name) for name in dir(settings) if _SECRET.search(name)]
    values = [value for one in found for value in (one if isinstance(one, list) else [one])]
    return tuple(value for value in values if isinstance(value, str) and len(value) >= _LEAST)
