"""Whether events of SES still reach us while mails are sent. Read-only; for the dashboard and ``bounce_doctor``.

A subscription that was never confirmed, a topic that was deleted, a firewall: nothing fails then, bounces simply stop.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from bounces.models import Event
from mailinglist.models import Attempt

#: SES reports a send within seconds; after so long without any event the way back is broken.
SILENCE = timedelta(hours=1)
#: Mails older than this are no reason for a warning any more.
LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Pulse:
    """``silent_since``: when the first mail was accepted that nothing came back for; None: all is well."""

    last_event: datetime | None
    last_accepted: datetime | None
    silent_since: datetime | None

    @property
    def is_silent(self) -> bool:
        return self.silent_since is not None


def listen(now: datetime | None = None) -> Pulse:
    """The last sign of life of SES, and whether it is overdue."""
    now = now or timezone.now()
    last_event = Event.objects.order_by("-pk").values_list("created_at", flat=True).first()
    accepted = Attempt.objects.filter(result=Attempt.Result.ACCEPTED, started_at__gt=now - LOOK_BACK)
    # By number: an attempt with a higher one began later, and the time alone would make it sort a week of them.
    newest = Attempt.objects.filter(result=Attempt.Result.ACCEPTED).order_by("-pk")
    last = newest.values_list("started_at", flat=True).first()
    if last and last <= now - LOOK_BACK:
        last = None
    if last is None or (last_event and last <= last_event):
        return Pulse(last_event, last, None)
    unanswered = accepted.filter(started_at__gt=last_event) if last_event else accepted
    first = unanswered.order_by("started_at").values_list("started_at", flat=True).first()
    overdue = first is not None and first < now - SILENCE
    return Pulse(last_event, last, first if overdue else None)
