"""Waking a worker. PostgreSQL holds the work; a message that is lost only costs the time until the next sweep."""

import logging
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: Any, *args: int | None) -> None:
    """Send ``task(*args)`` to the workers after the current transaction commits. Never raises for the broker."""
    transaction.on_commit(lambda: _send(task, args))


def _send(task: Any, args: tuple[int | None, ...]) -> None:
    try:
        task.apply_async(args=args, expires=3600)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away (%s); %s%s is left to the next sweep.", error, task.name, args)
