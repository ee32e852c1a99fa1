"""What time brings: raw notifications and the traces of opens and clicks past their retention, and the policy applied
to the whole history.

Called nightly and by ``cleanup_bounces``.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bounces import health, judgement, pipeline
from bounces.history import JUDGED, Scene
from bounces.models import AddressHealth, Event, Notification
from mailinglist.models import Subscription

BATCH = 500
PRUNE_BATCH = 5000


@dataclass(slots=True)
class Cleaned:
    """What the clean-up did, or would do with ``dry_run``."""

    addresses: int = 0
    unsubscribed: int = 0
    suppressed: int = 0
    held: int = 0
    pruned: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def cleanup(
    *, list_id: int | None = None, dry_run: bool = False, progress: Callable[[Cleaned], None] | None = None
) -> Cleaned:
    """Apply the policy to every address that ever bounced (of one list), then prune raw notifications.

    Safe to repeat: what was applied before, or undone by a manager, is not applied again.
    """
    done = Cleaned()
    for subscriber_ids in _bounced_subscribers(list_id):
        with transaction.atomic():
            counts = judgement.settle(subscriber_ids=subscriber_ids)
            done.addresses += len(subscriber_ids)
            done.unsubscribed += counts.unsubscribed
            done.suppressed += counts.suppressed
            if dry_run:
                transaction.set_rollback(True)
        if progress:
            progress(done)
    done.held = Event.objects.filter(effect_at__gt=timezone.now(), applied_at__isnull=True).count()
    done.pruned = prune_raw(dry_run=dry_run)
    return done


def nightly() -> None:
    """Retention, and the health of addresses that wavered and have been quiet since."""
    prune_raw()
    prune_behaviour()
    pipeline.apply_due_effects()
    wavering = AddressHealth.objects.exclude(state=AddressHealth.State.HEALTHY).values_list(
        "subscriber_id", flat=True
    )
    ids = list(wavering.order_by("subscriber_id"))
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            health.recompute(Scene(ids[start : start + BATCH]))


def prune_raw(*, dry_run: bool = False) -> int:
    """Empty raw bodies older than RAW_RETENTION_DAYS. Quarantined ones stay: somebody still has to look."""
    limit = timezone.now() - timedelta(days=settings.RAW_RETENTION_DAYS)
    old = Notification.objects.filter(
        received_at__lt=limit, raw__isnull=False, state=Notification.State.PROCESSED
    )
    if dry_run:
        return old.count()
    pruned = 0
    while ids := list(old.values_list("pk", flat=True)[:PRUNE_BATCH]):
        pruned += Notification.objects.filter(pk__in=ids).update(raw=None)
    return pruned


def prune_behaviour() -> int:
    """Take IP address and program out of opens and clicks older than TRACKING_RETENTION_DAYS. Returns of how many."""
    limit = timezone.now() - timedelta(days=settings.TRACKING_RETENTION_DAYS)
    old = Event.objects.filter(extra__has_key="ipAddress", occurred_at__lt=limit).order_by("occurred_at")
    pruned = 0
    while ids := list(old.values_list("pk", flat=True)[:PRUNE_BATCH]):
        with connection.cursor() as cursor:
            cursor.execute(_WITHOUT_IP, [ids])
            pruned += cursor.rowcount
    return pruned


_WITHOUT_IP = "UPDATE bounces_event SET extra = extra - 'ipAddress' - 'userAgent' WHERE id = ANY(%s)"


def _bounced_subscribers(list_id: int | None):  # type: ignore[no-untyped-def]
    last = 0
    while True:
        found = Event.objects.filter(subscriber_id__gt=last, verdict__in=JUDGED, applied_at__isnull=True)
        if list_id is not None:
            on_list = Subscription.objects.filter(list_id=list_id).values("subscriber_id")
            found = found.filter(subscriber_id__in=on_list)
        ids = list(found.order_by("subscriber_id").values_list("subscriber_id", flat=True).distinct()[:BATCH])
        if not ids:
            return
        yield ids
        last = ids[-1]
