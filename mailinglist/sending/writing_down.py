"""Outcomes into PostgreSQL, whatever happens to them: the database is away, or a row is not taken.

Used by the engine, one per run. Nothing raises here, so that a run always ends and each answer of SES gets its try.
"""

import logging
import threading
import time
from collections.abc import Callable
from itertools import chain, repeat

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from mailinglist.sending import queue
from mailinglist.sending.outcomes import Unknown
from mailinglist.sending.sender import Results

logger = logging.getLogger(__name__)

#: What says that PostgreSQL is away, and not that it does not like a row.
AWAY = (OperationalError, InterfaceError)
#: Seconds between tries while PostgreSQL is away; the last one repeats.
PAUSES = (0.2, 0.5, 1, 2, 4, 8)
#: A process that is asked to end tries no longer than so many seconds: it has 25.
STOP_SECONDS = 18.0
NOT_STORED = "not-stored"


class WritingDown:
    """``stopping``: set when the process is asked to end. ``away`` is called when PostgreSQL is more than interrupted."""

    def __init__(self, stopping: threading.Event, away: Callable[[], None]) -> None:
        self._stopping, self._away = stopping, away
        self._until: float | None = None
        self._stops_at: float | None = None
        #: Why outcomes were given up. Their rows stay leased and become unknown when the lease ends.
        self.error: Exception | None = None

    def hurry(self) -> None:
        """The process is asked to end. Safe to repeat."""
        if self._stops_at is None:
            self._stops_at = time.monotonic() + STOP_SECONDS

    def write(self, results: Results) -> None:
        """Write outcomes down. While PostgreSQL is away this waits, at most for the time of a lease over the whole run:
        after that the rows are others' to decide.
        """
        if self.error and self._stops_at and time.monotonic() > self._stops_at:
            return self._give_up(results)
        for tries, pause in enumerate(chain(PAUSES, repeat(PAUSES[-1]))):
            try:
                _finish(results)
                self._until = None
                return None
            except AWAY as error:
                connection.close()
                if tries:
                    self._away()
                if not self._wait(pause):
                    self.error = error
                    return self._give_up(results)
                logger.warning(
                    "%d outcomes could not be written down yet (%s); trying again.", len(results), error
                )

    def _give_up(self, results: Results) -> None:
        logger.error(
            "PostgreSQL is away (%s), and outcomes were given up; they become unknown: deliveries %s.",
            self.error,
            [row.delivery_id for row, _ in results],
        )

    def _wait(self, seconds: float) -> bool:
        """False when the time is over."""
        if self._stopping.is_set():
            self.hurry()
        now = time.monotonic()
        if self._until is None:
            self._until = now + settings.LEASE_SECONDS
        left = min(self._until, self._stops_at or self._until) - now
        if left <= 0:
            return False
        if self._stops_at is None:
            self._stopping.wait(min(seconds, left))
        else:
            time.sleep(min(seconds, left, 1.0))
        return True


def _finish(results: Results) -> None:
    """Raises only AWAY. Where PostgreSQL does not take a row, its neighbours are written without it."""
    try:
        queue.finish(results)
    except AWAY:
        raise
    except Exception as error:
        if len(results) > 1:
            middle = len(results) // 2
            _finish(results[:middle])
            _finish(results[middle:])
        else:
            _set_aside(results, error)


def _set_aside(results: Results, error: Exception) -> None:
    [(row, outcome)] = results
    logger.error("The outcome of delivery %d cannot be stored: %r", row.delivery_id, outcome, exc_info=error)
    if not (isinstance(outcome, Unknown) and outcome.code == NOT_STORED):
        text = f"SES answered, but the answer cannot be stored: {outcome!r} ({type(error).__name__}: {error})"
        _finish([(row, Unknown(NOT_STORED, text))])
