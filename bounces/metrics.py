"""What /metrics says about notifications: how many wait, how many need a person, how old the oldest is."""

from collections.abc import Mapping

from django.utils import timezone

from bounces.models import Notification
from mailinglist.metrics import Gauge, collector

State = Notification.State


@collector
def notifications() -> list[Gauge]:
    """Only the states with a partial index: processed ones are the whole history."""
    samples: list[tuple[Mapping[str, str], float]] = [
        ({"state": state.value}, Notification.objects.filter(state=state).count())
        for state in (State.STORED, State.QUARANTINED)
    ]
    return [
        Gauge("mailinglist_notifications", "Notifications of SES that are not processed.", samples),
        Gauge(
            "mailinglist_oldest_stored_notification_age_seconds",
            "Age of the oldest notification that waits to be processed; 0: none waits.",
            [({}, _oldest_age())],
        ),
    ]


def _oldest_age() -> float:
    oldest = Notification.objects.filter(state=State.STORED).order_by("pk").values_list("received_at").first()
    return max(0.0, (timezone.now() - oldest[0]).total_seconds()) if oldest else 0.0
