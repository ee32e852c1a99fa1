"""Waking a worker. PostgreSQL holds the work; a message that is lost only costs the time until the next sweep."""

import logging
import threading
import time
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

#: Seconds in which ``ring_together`` sends one message, however often it is called.
PAUSE = 0.1
#: Seconds for which a broker that did not answer is left alone: each try may take a visitor seconds of waiting.
AWAY_SECONDS = 5.0
_away_until = 0.0
_lock = threading.Lock()
#: Name of a task → when it was last sent; names of those that a timer is going to send.
_rung_at: dict[str, float] = {}
_waiting: set[str] = set()


def ring(task: Any, *args: int | None) -> None:
    """Send ``task(*args)`` to the workers after the current transaction commits. Never raises for the broker."""
    transaction.on_commit(lambda: _send(task, args))


def ring_together(task: Any) -> None:
    """``ring`` for what may happen hundreds of times a second: at once, and then once for all calls in a PAUSE.

    A message costs more than storing what it is about, and one wakes a worker for all of it.
    """
    transaction.on_commit(lambda: _gather(task))


def _gather(task: Any) -> None:
    now = time.monotonic()
    with _lock:
        wait = _rung_at.get(task.name, now - PAUSE) + PAUSE - now
        if task.name in _waiting:
            return
        if wait > 0:
            _waiting.add(task.name)
        else:
            _rung_at[task.name] = now
    if wait > 0:
        timer = threading.Timer(wait, _send_gathered, (task,))
        timer.daemon = True  # a process that ends leaves the rest to the next sweep
        timer.start()
    else:
        _send(task, ())


def _send_gathered(task: Any) -> None:
    with _lock:
        _waiting.discard(task.name)
        _rung_at[task.name] = time.monotonic()
    _send(task, ())


def _send(task: Any, args: tuple[int | None, ...]) -> None:
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        task.apply_async(args=args, expires=3600)
    except (OperationalError, OSError) as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("The broker is away (%s); %s%s is left to the next sweep.", error, task.name, args)
