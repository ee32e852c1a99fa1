"""Many calls in flight in one thread, though each is written as if it blocked.

A call runs in a greenlet; where it has to wait for the network it parks, and the thread's event loop goes on with the
others. That lets django-ses, whose backend is synchronous, keep a hundred requests open without a hundred threads.
Used by ``wire.py`` (parks) and ``sender.py`` (runs many). Outside an event loop ``run`` drives one call to its end.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from greenlet import getcurrent, greenlet

Value = TypeVar("Value")
_own = threading.local()


class Parking(Generic[Value]):
    """The place where one greenlet waits for one value. ``give`` and ``fail`` are called by the event loop, once."""

    __slots__ = ("_error", "_value", "_waiting", "done")

    def __init__(self) -> None:
        self.done = False
        self._waiting: greenlet | None = None
        self._value: Value | None = None
        self._error: BaseException | None = None

    def wait(self) -> Value:
        """Let the event loop run until there is a value; raises what ``fail`` was given."""
        if not self.done:
            self._waiting = getcurrent()
            self._waiting.parent.switch()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def give(self, value: Value) -> None:
        if not self.done:
            self._value = value
            self._wake()

    def fail(self, error: BaseException) -> None:
        if not self.done:
            self._error = error
            self._wake()

    def _wake(self) -> None:
        self.done = True
        if self._waiting is not None:
            self._waiting.switch()


def start(function: Callable[[], None]) -> None:
    """Begin ``function`` in a greenlet of the running loop; call it from the loop. Returns when it parks or ends."""
    greenlet(function).switch()


def run(function: Callable[[], Value]) -> Value:
    """``function``'s result. In a greenlet of a hub it is simply called; elsewhere a loop of this thread drives it."""
    if getcurrent().parent is not None and asyncio._get_running_loop() is not None:
        return function()
    loop: asyncio.AbstractEventLoop | None = getattr(_own, "loop", None)
    if loop is None:
        loop = _own.loop = asyncio.new_event_loop()
    ended: asyncio.Future[Value] = loop.create_future()

    def settle() -> None:
        try:
            ended.set_result(function())
        except BaseException as error:  # handed to the caller, whatever it is
            ended.set_exception(error)

    loop.call_soon(start, settle)
    return loop.run_until_complete(ended)
