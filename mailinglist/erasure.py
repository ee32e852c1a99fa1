"""Erasing people: nothing that names them stays in the database, and the numbers of campaigns stay as they were.

Called by the person's own page, the staff page, the command erase_subscriber, and by pending.py for sign-ups that
expired. What goes: the person, their subscriptions, their consents, what SES answered about them in words. What stays
without them: mails (for the counts), changes (who did what when), and a fingerprint of the address, so that no import
brings it back. The apps above this one take the address out of their own tables (signals.subscriber_erased).
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Q

from mailinglist import import_runs, signals, suppression
from mailinglist.changes import Actor, Kind, Noun, record
from mailinglist.models import Change, ConsentRecord, Delivery, Subscriber, Subscription, Suppression
from mailinglist.sending import queue

ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Erased:
    """Who is being erased, for those who have to take the address out of their own tables."""

    pk: int
    email: str
    email_key: str

    @property
    def needles(self) -> tuple[str, ...]:
        """What to look for, in lower case."""
        return tuple({self.email.lower(), self.email_key})


@dataclass(slots=True)
class Forgotten:
    """What an erasure took away, or took the person out of."""

    people: int = 0
    subscriptions: int = 0
    consents: int = 0
    mails: int = 0
    changes: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def forget(subscriber_id: int, *, by: Actor, why: str) -> Forgotten:
    """Erase a person and keep the address blocked. ``why`` must not name them. Erased before: all counts are 0."""
    return forget_all([subscriber_id], by=by, why=why, block=True)


@transaction.atomic
def forget_all(subscriber_ids: Collection[int], *, by: Actor, why: str, block: bool) -> Forgotten:
    """Erase some hundred people at most. ``block``: an import does not bring them back, and a manager should not."""
    _lock_mails(subscriber_ids)
    rows = list(Subscriber.objects.select_for_update().filter(pk__in=subscriber_ids).order_by("pk"))
    people = [Erased(row.pk, row.email, row.email_key) for row in rows]
    ids = [row.pk for row in rows]
    if not ids:
        return Forgotten()
    for row in rows:
        if block:
            suppression.block_erased(row.suppression_key)
    signals.subscriber_erased.send(sender=Subscriber, people=people)
    import_runs.forget(needle for one in people for needle in one.needles)
    suppressions = Suppression.objects.filter(key__in=[row.suppression_key for row in rows])
    done = Forgotten(
        people=len(ids), changes=_blank_changes(people, list(suppressions.values_list("pk", flat=True)))
    )
    suppressions.exclude(evidence="").update(evidence=suppression.SAYS_ERASED)
    done.mails = queue.forget(ids)
    done.subscriptions = Subscription.objects.filter(subscriber_id__in=ids).delete()[0]
    done.consents = ConsentRecord.objects.filter(subscriber_id__in=ids).delete()[0]
    _blank_log(people)
    Subscriber.objects.filter(pk__in=ids).delete()
    # Where a manager sat when they did it stays; where the person sat goes with them.
    actor = Actor(by.kind, by.user, by.evidence if by.kind is Kind.USER else {})
    for pk in ids:
        record(Noun.SUBSCRIBER, pk, before="known", after=ERASED, why=why, by=actor)
    return done


def _lock_mails(subscriber_ids: Collection[int]) -> None:
    """Mails before people, as everywhere; the workers that write down outcomes wait."""
    rows = Delivery.objects.select_for_update(no_key=True).filter(subscriber_id__in=subscriber_ids)
    list(rows.order_by("pk").values_list("pk"))


def _blank_changes(people: Sequence[Erased], suppression_ids: Sequence[int]) -> int:
    """Who did what and when stays; whom it was about, and all free words and evidence, go.

    Also in changes of no person that name the address: those of suppressions, imports and tests.
    """
    about = Q(subscriber_id__in=[one.pk for one in people])
    about |= Q(noun=Noun.SUPPRESSION, object_id__in=suppression_ids)
    blanked = Change.objects.filter(about).update(subscriber=None, why=_SAYS, evidence={})
    with connection.cursor() as cursor:
        for one in people:
            for needle in one.needles:
                cursor.execute(_BLANK_CHANGES, {"why": _SAYS, "needle": needle})
                blanked += cursor.rowcount
    return blanked


def _blank_log(people: Sequence[Erased]) -> None:
    """Django's own log of the staff pages holds names of what was changed. It has a row per act of a manager."""
    kind = ContentType.objects.get_for_model(Subscriber)
    for one in people:
        mine = Q(content_type=kind, object_id=str(one.pk))
        for needle in one.needles:
            mine |= Q(object_repr__icontains=needle) | Q(change_message__icontains=needle)
        LogEntry.objects.filter(mine).update(object_repr=ERASED, change_message="")


_SAYS = "The person it was about was erased."
# An index finds the changes that belong to nobody; a manager's words about somebody else are not searched.
_BLANK_CHANGES = """
    UPDATE mailinglist_change SET why = %(why)s, evidence = '{}'
    WHERE subscriber_id IS NULL AND why <> %(why)s
      AND (strpos(lower(why), %(needle)s) > 0 OR strpos(lower(evidence::text), %(needle)s) > 0)"""
