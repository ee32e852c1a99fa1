"""Why people leave, in their own words, if they want to tell. Writes only those two fields of a Subscription.

Called by the page after the unsubscribe. The words stand in no Change: they go with the subscription when the person
is erased.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Count

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Subscriber, Subscription

Because = Subscription.LeftBecause
_OWN_REASONS = (Subscription.Reason.PAGE, Subscription.Reason.ONE_CLICK)


@transaction.atomic
def tell(subscriber: Subscriber, list_ids: Collection[int], *, because: str, words: str, by: Actor) -> int:
    """Keep why the person left these lists. Returns how many subscriptions it was written to: those they ended."""
    Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    rows = Subscription.objects.filter(
        subscriber=subscriber,
        list_id__in=list_ids,
        status=Subscription.Status.UNSUBSCRIBED,
        unsubscribe_reason__in=_OWN_REASONS,
    )
    told = list(rows.select_for_update(no_key=True))
    for row in told:
        row.left_because, row.left_words = because, words
        row.save(update_fields=["left_because", "left_words"])
        record(
            Noun.SUBSCRIPTION,
            row.pk,
            # Not the status, which has not changed: rejoin() looks for its last change.
            before="left",
            after="told why",
            why=f"Told why they left: {Because(because).label if because else 'in words'}.",
            by=by,
            subscriber_id=subscriber.pk,
            list_id=row.list_id,
        )
    return len(told)


def counts(list_id: int) -> list[tuple[str, int]]:
    """(reason in words, people) for a list, most frequent first; who told nothing is not in it."""
    rows = (
        Subscription.objects.filter(list_id=list_id, status=Subscription.Status.UNSUBSCRIBED)
        .exclude(left_because="")
        .values_list("left_because")
        .annotate(people=Count("pk"))
        .order_by("-people", "left_because")
    )
    return [(str(Because(code).label), people) for code, people in rows]
