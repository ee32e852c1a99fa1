"""Taking back what bounces did, for a domain and a time: after a provider's outage, or a fault of our own."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Func, Q

from mailinglist import addresses, subscriptions, suppression
from mailinglist.changes import Actor
from mailinglist.models import Subscriber, Subscription, Suppression

#: What a bounce can have caused; a person's own choice and a complaint are never taken back for them.
_REASONS = [Subscription.Reason.HARD_BOUNCE, Subscription.Reason.SOFT_EXHAUSTED, Subscription.Reason.UNREACHABLE]
_BLOCKS = [Suppression.Reason.HARD_BOUNCE, Suppression.Reason.SES_LIST]


@dataclass(slots=True)
class Restored:
    """``addresses`` names at most the first hundred."""

    subscribers: int = 0
    subscriptions: int = 0
    suppressions: int = 0
    addresses: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def restore_bounced(
    domain: str, *, start: datetime, end: datetime, by: Actor, why: str, dry_run: bool = False
) -> Restored:
    """Restore subscriptions that bounces ended, and release suppressions they made, at ``domain`` in [start, end].

    Raises addresses.BadAddress when ``domain`` is no domain name.

    ``domain`` is a domain name in A-label or Unicode form; addresses of its subdomains are not meant. One
    transaction per person, so that an interrupted run can simply be repeated.
    """
    done = Restored()
    for subscriber in _at_domain(domain).iterator(chunk_size=500):
        with transaction.atomic():
            if _restore_one(subscriber, start, end, by, why, done):
                done.subscribers += 1
                if len(done.addresses) < 100:
                    done.addresses.append(subscriber.email)
            if dry_run:
                transaction.set_rollback(True)
    return done


def _restore_one(
    subscriber: Subscriber, start: datetime, end: datetime, by: Actor, why: str, done: Restored
) -> bool:
    ended = Subscription.objects.filter(
        subscriber=subscriber, unsubscribe_reason__in=_REASONS, unsubscribed_at__range=(start, end)
    )
    blocks = Suppression.objects.filter(
        key=subscriber.suppression_key, reason__in=_BLOCKS, since__range=(start, end), released_at__isnull=True
    )
    rows, released = list(ended), list(blocks)
    for block in released:
        done.suppressions += suppression.release(block.pk, by=by, why=why)
    for row in rows:
        subscriptions.restore(row.pk, by=by, why=why)
    done.subscriptions += len(rows)
    return bool(rows or released)


def _at_domain(domain: str):  # type: ignore[no-untyped-def]
    mirrored = f"@{addresses.normalise('x@' + domain.strip().lstrip('@')).domain}"[::-1]
    return (
        Subscriber.objects.alias(mirrored=Func(F("email_key"), function="reverse"))
        .filter(Q(mirrored__startswith=mirrored))
        .order_by("pk")
    )
