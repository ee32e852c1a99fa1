"""The health of an address, computed from its events alone, so that their order of arrival cannot matter.

``recompute`` is called by judgement for every address it touched, and nightly for those that time may have healed;
``heal`` when older bounces ceased to count; ``rebuild`` by ``rebuild_health``.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bounces import slots
from bounces.history import FAILED, Scene
from bounces.models import AddressHealth, Event
from mailinglist.models import Subscription

State = AddressHealth.State
#: A Delivery event can be followed by a bounce of the same mail; after so many days without one it is believed.
PROOF_DAYS = 1.0
BATCH = 500
# One JSON document for all rows costs a fraction of nine parameters for each.
_WRITE = """
    INSERT INTO bounces_addresshealth (subscriber_id, state, consecutive_soft, soft_days, first_delivered_at,
                                       last_delivered_at, last_bounce_at)
    SELECT * FROM json_to_recordset(%s::json) AS row (
        subscriber_id bigint, state text, consecutive_soft int, soft_days int, first_delivered_at timestamptz,
        last_delivered_at timestamptz, last_bounce_at timestamptz)
    ON CONFLICT (subscriber_id) DO UPDATE SET state = excluded.state, consecutive_soft = excluded.consecutive_soft,
        soft_days = excluded.soft_days, first_delivered_at = excluded.first_delivered_at,
        last_delivered_at = excluded.last_delivered_at, last_bounce_at = excluded.last_bounce_at"""
_GIVEN_UP = ["hard-bounce", "soft-exhausted", "unreachable"]


def recompute(scene: Scene) -> None:
    """Write AddressHealth anew for the scene's subscribers."""
    ended = Subscription.objects.filter(
        subscriber_id__among=scene.subscribers, unsubscribe_reason__in=_GIVEN_UP
    )
    given_up = {
        pk
        for pk, at in ended.values_list("subscriber_id", "unsubscribed_at")
        if not (at and scene.is_forgiven(pk, at))
    }
    now = timezone.now()
    rows = [_health(scene, pk, pk in given_up, now) for pk in sorted(scene.subscribers)]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [json.dumps(rows)])


def heal(subscriber_id: int) -> None:
    """Bring the health of an address in line with the bounces that still count. Nothing where it is well, or unknown."""
    if AddressHealth.objects.filter(pk=subscriber_id).exclude(state=State.HEALTHY).exists():
        recompute(Scene([subscriber_id]))


def rebuild(progress: Callable[[int], None] | None = None) -> dict[str, int]:
    """Compute the health of every address with events anew, then the counts per provider that rest on it."""
    last, count = 0, 0
    while True:
        rows = Event.objects.filter(subscriber_id__gt=last).order_by("subscriber_id")
        people = list(rows.values_list("subscriber_id", flat=True).distinct()[:BATCH])
        if not people:
            return {"addresses": count, "slots": slots.recount()}
        with transaction.atomic():
            recompute(Scene(people))
        last, count = people[-1], count + len(people)
        if progress:
            progress(count)


def _health(scene: Scene, subscriber_id: int, given_up: bool, now: datetime) -> dict[str, object]:
    events = scene.events_of(subscriber_id)
    arrived = scene.arrived(subscriber_id).values()
    believed = now - timedelta(seconds=PROOF_DAYS * settings.DAY_SECONDS)
    well_since = max((at for at in arrived if at <= believed), default=None)
    soft = [
        event
        for event in events
        if event.verdict == "soft" and _after(event, well_since) and not scene.is_old_news(event)
    ]
    state = State.UNREACHABLE if given_up else State.WAVERING if soft else State.HEALTHY
    return {
        "subscriber_id": subscriber_id,
        "state": state,
        "consecutive_soft": len({(event.delivery_id, event.attempt_number) for event in soft}),
        "soft_days": len({event.occurred_at.date() for event in soft}),
        "first_delivered_at": _time(min(arrived, default=None)),
        "last_delivered_at": _time(max(arrived, default=None)),
        "last_bounce_at": _time(
            max((event.occurred_at for event in events if event.verdict in FAILED), default=None)
        ),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _after(event: Event, moment: datetime | None) -> bool:
    return moment is None or event.occurred_at > moment
