"""What people change about themselves on their own page. Called by views/preferences.py."""

from django.db import transaction

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Subscriber, Subscription
from mailinglist.subscriptions import Reason, Status, unsubscribe

#: What people change about themselves on the preferences page.
OWN_DETAILS = ("name", "language", "time_zone")


@transaction.atomic
def change(subscriber: Subscriber, *, keep_list_ids: set[int], by: Actor, **details: str) -> int:
    """The person's own page: which of their present lists they keep, and their ``details``.

    These are any of name, language and time_zone; what is not given stays. Returns how many subscriptions ended.
    """
    row = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    changed = [name for name in OWN_DETAILS if name in details and getattr(row, name) != details[name]]
    if changed:
        for name in changed:
            setattr(row, name, details[name])
        row.save(update_fields=[*changed, "updated_at"])
        words = ", ".join(changed).replace("_", " ")
        record(
            Noun.SUBSCRIBER,
            row.pk,
            before=words,
            after=f"{words} changed",
            why="Changed on the preferences page.",
            by=by,
            subscriber_id=row.pk,
        )
    active = Subscription.objects.filter(subscriber=row).exclude(status=Status.UNSUBSCRIBED)
    leaving = [found.list_id for found in active if found.list_id not in keep_list_ids]
    if not leaving:
        return 0
    return unsubscribe(
        row.pk, reason=Reason.PAGE, by=by, why="Left on the preferences page.", list_ids=leaving
    )
