"""The thread that posts: calls in, outcomes out.

Made by the engine for one run. The engine's own thread talks to PostgreSQL and builds mails; this one has an event loop
and runs every call in a greenlet (``hub.py``), as many at once as ``in_flight.py`` allows. It never touches the database.
A call waits for its permit's moment; one whose lease is nearly over, or that has not begun when the run is stopped, is
not posted and says so.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from mailinglist.sending import hub
from mailinglist.sending.claims import Claimed
from mailinglist.sending.failpoints import reach
from mailinglist.sending.in_flight import START, InFlight
from mailinglist.sending.messages import Mail
from mailinglist.sending.outcomes import NOT_POSTED, Outcome, Unknown
from mailinglist.sending.transport import Transport

logger = logging.getLogger(__name__)

Results = list[tuple[Claimed, Outcome]]
#: How many calls of a size (recipients) the last run of this process kept open: a run is short, and learning takes
#: seconds where SES is far away.
_learnt: dict[int, float] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """Mails that go out in one request. Times are those of time.monotonic()."""

    rows: Sequence[Claimed]
    mails: Sequence[Mail]
    not_before: float
    not_after: float


class Sender:
    """Use it as a context manager: leaving waits until no call is open."""

    def __init__(self, transport: Transport, *, most_open: int) -> None:
        self._transport = transport
        self._in_flight = InFlight(most_open, limit=_learnt.get(transport.size, START))
        self._loop = asyncio.new_event_loop()
        self._waiting: deque[Call] = deque()
        self._open = 0
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None
        self._results: queue.SimpleQueue[Results] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ses-sender", daemon=True)

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        _learnt[self._transport.size] = self._in_flight.limit

    @property
    def open_rows(self) -> int:
        """How many rows, at most, are in calls that are open now."""
        return self._open * self._transport.size

    def submit(self, calls: Sequence[Call]) -> None:
        """Hand calls over; each of their rows comes back once through ``results``."""
        self._loop.call_soon_threadsafe(self._take, list(calls))

    def stop(self) -> None:
        """Post nothing that has not been posted yet. Safe to repeat."""
        self._loop.call_soon_threadsafe(self._stop)

    def results(self, seconds: float) -> Results:
        """The outcomes that came since the last time; waits up to ``seconds`` for the first."""
        try:
            found = (
                list(self._results.get(timeout=seconds)) if seconds > 0 else list(self._results.get_nowait())
            )
        except queue.Empty:
            return []
        while True:
            try:
                found += self._results.get_nowait()
            except queue.Empty:
                return found

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _take(self, calls: list[Call]) -> None:
        self._waiting.extend(calls)
        if self._stopped:
            self._stop()
        self._begin()

    def _stop(self) -> None:
        self._stopped = True
        while self._waiting:
            self._results.put(_all(self._waiting.popleft(), NOT_POSTED))

    def _begin(self) -> None:
        """Open as many calls as are due and allowed. Runs in the loop, never in a call's greenlet."""
        self._timer = None
        while self._waiting and self._open < self._in_flight.allowed:
            wait = self._waiting[0].not_before - time.monotonic()
            if wait > 0.0005:
                self._timer = self._loop.call_later(wait, self._begin)
                return
            self._open += 1
            hub.start(self._work)

    def _work(self) -> None:
        """In a greenlet: post call after call while there are any that may go now."""
        try:
            while call := self._next():
                self._results.put(self._post(call))
        finally:
            self._open -= 1
            if self._waiting and self._timer is None:
                self._timer = self._loop.call_later(0, self._begin)

    def _next(self) -> Call | None:
        if not self._waiting or self._open > self._in_flight.allowed:
            return None
        if self._waiting[0].not_before - time.monotonic() > 0.0005:
            return None
        return self._waiting.popleft()

    def _post(self, call: Call) -> Results:
        begun = time.monotonic()
        if begun > call.not_after:
            return _all(call, NOT_POSTED)

        def may_go() -> bool:
            return not self._stopped and time.monotonic() <= call.not_after

        reach("before-post", call.mails[0].to[0])
        try:
            results = list(zip(call.rows, self._transport.send(call.mails, may_go), strict=True))
        except Exception as error:  # the outermost net of a post: whatever it was, the mails may have left
            logger.exception("A post to SES failed in an unforeseen way.")
            results = _all(call, Unknown("error", f"{type(error).__name__}: {error}"))
        self._in_flight.observe(time.monotonic() - begun, self._open)
        return results


def _all(call: Call, outcome: Outcome) -> Results:
    return [(row, outcome) for row in call.rows]
