"""How our logs are written: what a visitor did wrong is one line, so that nobody can fill them with tracebacks."""

import logging
from copy import copy

#: Signs of such a line; the visitor chose what stands in it.
_LONGEST = 500


class LineFormatter(logging.Formatter):
    """Writes a record; without its traceback where Django answered with 4xx, such as to a false Host or a NUL."""

    def format(self, record: logging.LogRecord) -> str:
        if not 400 <= getattr(record, "status_code", 0) < 500:
            return super().format(record)
        line = copy(record)  # other handlers get the record as it is
        line.exc_info = line.exc_text = None
        written = super().format(line)
        return written if len(written) <= _LONGEST else f"{written[:_LONGEST]} …"
