"""Places where the fault tests end the process at once, as a crash would: ``reach("after-claim")``.

Armed only by MAILINGLIST_FAILPOINTS, which production mode refuses (mailinglist.E013); without it ``reach`` is bound to
a function that does nothing, once, at import. The setting is a list of ``name:N`` (at the Nth time, per process) and
``name@text`` (whenever the text is part of the detail), such as ``after-claim:3,before-post@poison``.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: In the order in which one mail comes by.
NAMES = (
    "before-claim",
    "after-claim",
    "before-post",
    "request-sent",
    "answer-arrived",
    "before-write-back",
    "write-back-uncommitted",
    "after-write-back",
    "before-ack",
)


def armed(text: str, die: Callable[[], None]) -> Callable[[str, str], None]:
    """The function behind ``reach`` for this setting; it calls ``die`` where a point is struck.

    Raises ImproperlyConfigured for what is not understood.
    """
    at_time: dict[str, int] = {}
    at_detail: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, at, detail = part.partition("@")
        number = ""
        if not at:
            name, _, number = part.partition(":")
        if name not in NAMES or not (detail or number.isdecimal()):
            raise ImproperlyConfigured(
                f"MAILINGLIST_FAILPOINTS: {part!r} is not understood. Write NAME:N or NAME@TEXT, "
                f"with one of {', '.join(NAMES)}."
            )
        if at:
            at_detail[name] = detail
        else:
            at_time[name] = int(number)
    seen: Counter[str] = Counter()
    counting = threading.Lock()

    def strike(name: str, detail: str = "") -> None:
        if name in at_detail and at_detail[name] in detail:
            die()
        with counting:
            seen[name] += 1
            due = seen[name] == at_time.get(name)
        if due:
            die()

    return strike


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _nothing(name: str, detail: str = "") -> None:
    """What ``reach`` is everywhere but in the fault tests."""


reach: Callable[..., None] = armed(settings.FAILPOINTS, _die) if settings.FAILPOINTS else _nothing
