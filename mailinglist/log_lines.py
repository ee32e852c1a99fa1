"""The lines of the log: without people's addresses and without our secrets, in tracebacks too. Named in settings.py.

An exception says what it failed on: PostgreSQL names the row, a program of the network what it was given. The log is kept
elsewhere, and longer, than people's data; so of an address its domain is left, which is what one looks for.
"""

import logging
import re
from functools import cache

from django.conf import settings

# A local part as it is written in mails and, encoded, in addresses of pages; also the password of an address of a server.
_ADDRESS = re.compile(r"[^\s\"'<>()\[\]{},;:=/|\\]+(?:@|%40)(?=[\w.-])")
_SECRET = re.compile(r"(?:KEY|KEY_ID|KEY_FALLBACKS|SECRET|TOKEN|PASSWORD)$")
#: Shorter ones are words of the language.
_LEAST = 8


class Masked(logging.Formatter):
    """A line with its traceback, as logging.Formatter makes it, and then without what is nobody's business."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in secrets():
            line = line.replace(secret, "********")
        return _ADDRESS.sub("…@", line)


@cache
def secrets() -> tuple[str, ...]:
    """The values of the settings whose names say that they are secret."""
    found = [getattr(settings, name) for name in dir(settings) if _SECRET.search(name)]
    values = [value for one in found for value in (one if isinstance(one, list) else [one])]
    return tuple(value for value in values if isinstance(value, str) and len(value) >= _LEAST)
