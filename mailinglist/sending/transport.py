"""The two ways to hand mails to SES, behind one small interface.

``Raw``: through django-ses, SendEmail with a raw message, one recipient per call. ``bulk.Bulk``: SendBulkEmail, up to 50
recipients per call. The engine groups mails into calls of ``size`` and gets one outcome per mail back, in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mailinglist.sending.messages import Mail
from mailinglist.sending.outcomes import Outcome


class Transport(Protocol):
    """Called in a greenlet of ``hub.py``; never raises for anything that SES or the network does."""

    @property
    def size(self) -> int:
        """Recipients per call at most."""
        ...

    def group(self, mails: Sequence[Mail]) -> list[list[int]]:
        """The calls that these mails make: positions in ``mails``, each once, at most ``size`` per call."""
        ...

    def send(self, mails: Sequence[Mail], may_go: Callable[[], bool]) -> list[Outcome]:
        """One call for one group; the outcome of each mail, in order. Before each request after the first it asks
        ``may_go``: what must not go any more is NOT_POSTED.
        """
        ...


def _through_django_ses() -> Callable[[Mail], Outcome]:
    from mailinglist.sending import ses  # slow, and the web server and most commands never send

    return ses.send


@dataclass(frozen=True, slots=True)
class Raw:
    """One mail, one call, through django-ses."""

    post: Callable[[Mail], Outcome] = field(default_factory=_through_django_ses)
    size: int = 1

    def group(self, mails: Sequence[Mail]) -> list[list[int]]:
        return [[position] for position in range(len(mails))]

    def send(self, mails: Sequence[Mail], may_go: Callable[[], bool]) -> list[Outcome]:
        return [self.post(mails[0])]
