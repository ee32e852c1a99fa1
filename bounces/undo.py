"""Taking back what bounces did: one report's effects, one person, many, or a domain in a span of time.

Called by the staff pages, by ``restore_bounced`` and by ``incidents``. A person's own choice and a complaint are never
taken back. A suppression that is released here is taken off SES's list by the next synchronisation.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Func, Q, QuerySet

from bounces.models import Event
from mailinglist import addresses, subscriptions, suppression
from mailinglist.changes import Actor, Kind, Noun
from mailinglist.models import Change, Subscriber, Subscription, Suppression

#: What a bounce can have caused; a person's own choice and a complaint are never taken back for them.
REASONS = [
    Subscription.Reason.HARD_BOUNCE,
    Subscription.Reason.SOFT_EXHAUSTED,
    Subscription.Reason.UNREACHABLE,
]
BLOCKS = [Suppression.Reason.HARD_BOUNCE, Suppression.Reason.SES_LIST]
BATCH = 500


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
    domain: str,
    *,
    start: datetime,
    end: datetime,
    by: Actor,
    why: str,
    dry_run: bool = False,
    most: int | None = None,
    progress: Callable[[Restored], None] | None = None,
) -> Restored:
    """Restore subscriptions that bounces ended, and release suppressions they made, at ``domain`` in [start, end].

    Raises addresses.BadAddress when ``domain`` is no domain name.

    ``domain`` is a domain name in A-label or Unicode form; addresses of its subdomains are not meant. One
    transaction per person, so that an interrupted run can simply be repeated. ``dry_run`` only counts, and locks
    nothing; with ``most`` it counts no more people than that.
    """
    done = Restored()
    all_ended = Subscription.objects.filter(
        unsubscribe_reason__in=REASONS, unsubscribed_at__range=(start, end)
    )
    all_blocks = Suppression.objects.filter(
        reason__in=BLOCKS, released_at__isnull=True, since__range=(start, end)
    )
    there = _at_domain(domain)
    if dry_run and most is not None:
        there = _some(there, all_ended, all_blocks, most)
    affected = Q(pk__in=all_ended.values("subscriber_id")) | Q(suppression_key__in=all_blocks.values("key"))
    report = progress or (lambda done: None)
    people = there.filter(affected).iterator(chunk_size=BATCH)
    while batch := list(islice(people, BATCH)):
        if dry_run:
            _count(batch, all_ended, all_blocks, done)
            report(done)
            continue
        for subscriber in batch:
            ended = all_ended.filter(subscriber=subscriber)
            blocks = all_blocks.filter(key=subscriber.suppression_key)
            _restore(subscriber, ended, blocks, by=by, why=why, done=done)
            report(done)
    return done


def _some(
    people: QuerySet[Subscriber], ended: QuerySet[Subscription], blocks: QuerySet[Suppression], most: int
) -> QuerySet[Subscriber]:
    """Those, ``most`` at most, who may be affected: looked for among what bounces did, of which so many are soon found,
    and not among all people of a large provider.
    """
    here = people.order_by()
    ids = ended.filter(subscriber__in=here).order_by().values_list("subscriber_id", flat=True)[:most]
    keys = blocks.filter(key__in=here.values("suppression_key")).order_by().values_list("key", flat=True)
    blocked = Subscriber.objects.filter(suppression_key__in=list(keys[:most])).values_list("pk", flat=True)
    first = sorted({*ids, *blocked})[:most]
    return Subscriber.objects.filter(pk__in=first).order_by("pk")


def _count(
    people: Sequence[Subscriber], ended: QuerySet[Subscription], blocks: QuerySet[Suppression], done: Restored
) -> None:
    """What ``_restore`` would do to these people, in two statements."""
    rows = subscriptions.restorable(ended.filter(subscriber__in=people))
    back = list(rows.values_list("subscriber_id", flat=True))
    keys = [subscriber.suppression_key for subscriber in people]
    released = set(blocks.filter(key__in=keys).values_list("key", flat=True))
    done.subscriptions += len(back)
    done.suppressions += len(released)
    whose = set(back)
    for subscriber in people:
        if subscriber.pk in whose or subscriber.suppression_key in released:
            _name(subscriber, done)


def restore_people(subscriber_ids: Collection[int], *, by: Actor, why: str) -> Restored:
    """Restore everything that bounces did to these people."""
    done = Restored()
    for subscriber in Subscriber.objects.filter(pk__in=subscriber_ids).order_by("pk"):
        _restore(subscriber, _ended(subscriber), _blocks(subscriber), by=by, why=why, done=done)
    return done


def restore_subscriptions(subscription_ids: Collection[int], *, by: Actor, why: str) -> Restored:
    """Restore these subscriptions where a bounce ended them, with the suppression of their people."""
    done = Restored()
    rows = Subscription.objects.filter(pk__in=subscription_ids).values_list("subscriber_id", flat=True)
    for subscriber in Subscriber.objects.filter(pk__in=rows).order_by("pk"):
        chosen = _ended(subscriber).filter(pk__in=subscription_ids)
        if chosen.exists():
            _restore(subscriber, chosen, _blocks(subscriber), by=by, why=why, done=done)
    return done


def restore_events(event_ids: Collection[int], *, by: Actor, why: str) -> Restored:
    """Take back what these reports did, and nothing else."""
    done = Restored()
    people: set[int] = set()
    events = Event.objects.filter(pk__in=event_ids, subscriber__isnull=False).select_related("subscriber")
    for event in events.order_by("subscriber_id", "pk"):
        with transaction.atomic():
            found = take_back(event, by=by, why=why)
        done.subscriptions += found.subscriptions
        done.suppressions += found.suppressions
        if event.subscriber and found.subscribers and event.subscriber.pk not in people:
            people.add(event.subscriber.pk)
            _name(event.subscriber, done)
    return done


def take_back(event: Event, *, by: Actor, why: str, forgive: bool = True) -> Restored:
    """Undo the changes that rest on ``event``, where nothing stronger came after them. Call it in a transaction.

    ``forgive`` False: the person's older bounces stay in force, because this one is only held again.
    """
    done = Restored()
    changes = Change.objects.filter(
        subscriber_id=event.subscriber_id or 0, actor=Kind.RULE, evidence__event=event.pk
    ).values_list("noun", "object_id")
    for noun, pk in sorted(set(changes)):
        if noun == Noun.SUPPRESSION:
            if Suppression.objects.filter(pk=pk, reason__in=BLOCKS, released_at__isnull=True).exists():
                done.suppressions += suppression.release(pk, by=by, why=why, forgive=forgive)
        elif (
            noun == Noun.SUBSCRIPTION
            and Subscription.objects.filter(pk=pk, unsubscribe_reason__in=REASONS).exists()
        ):
            done.subscriptions += _bring_back(pk, by=by, why=why, forgive=forgive)
    done.subscribers = int(bool(done.subscriptions or done.suppressions))
    return done


def _restore(
    subscriber: Subscriber,
    ended: QuerySet[Subscription],
    blocks: QuerySet[Suppression],
    *,
    by: Actor,
    why: str,
    done: Restored,
) -> None:
    with transaction.atomic():
        rows, released = list(ended), list(blocks)
        for block in released:
            done.suppressions += suppression.release(block.pk, by=by, why=why)
        back = sum(_bring_back(row.pk, by=by, why=why) for row in rows)
        done.subscriptions += back
        if back or released:
            _name(subscriber, done)


def _bring_back(pk: int, *, by: Actor, why: str, forgive: bool = True) -> bool:
    """False for who was never subscribed: older versions let a bounce take the place of what an import said."""
    try:
        subscriptions.restore(pk, by=by, why=why, forgive=forgive)
    except subscriptions.CannotRestore:
        return False
    return True


def _name(subscriber: Subscriber, done: Restored) -> None:
    done.subscribers += 1
    if len(done.addresses) < 100:
        done.addresses.append(subscriber.email)


def _ended(subscriber: Subscriber) -> QuerySet[Subscription]:
    return Subscription.objects.filter(subscriber=subscriber, unsubscribe_reason__in=REASONS)


def _blocks(subscriber: Subscriber) -> QuerySet[Suppression]:
    return Suppression.objects.filter(
        key=subscriber.suppression_key, reason__in=BLOCKS, released_at__isnull=True
    )


def _at_domain(domain: str) -> QuerySet[Subscriber]:
    mirrored = f"@{addresses.normalise('x@' + domain.strip().lstrip('@')).domain}"[::-1]
    return (
        Subscriber.objects.alias(mirrored=Func(F("email_key"), function="reverse"))
        .filter(Q(mirrored__startswith=mirrored))
        .order_by("pk")
    )
