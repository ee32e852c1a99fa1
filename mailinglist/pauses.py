"""No mails for some time: a person's own wish, and its end. The only writer of Subscriber.paused_until.

Called by the preferences page. Campaigns leave the person out meanwhile (sending/audience.py, sending/claims.py);
confirmations, which they ask for themselves, still come. A pause ends by itself.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Subscriber

#: The lengths that are offered, in days.
DAYS = (7, 30, 90)


def is_paused(subscriber: Subscriber) -> bool:
    return subscriber.paused_until is not None and subscriber.paused_until > timezone.now()


@transaction.atomic
def pause(subscriber: Subscriber, *, days: int, by: Actor) -> None:
    """No campaigns for ``days`` (of DAYS) from now; a longer or shorter pause takes the place of one before."""
    if days not in DAYS:
        raise ValueError(f"{days} is none of the lengths that are offered.")
    row = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    before = "paused" if is_paused(row) else "gets mails"
    row.paused_until = timezone.now() + timedelta(days=days)
    _save(row, before, "paused", f"No mails for {days} days, until {row.paused_until:%d %b %Y}.", by)


@transaction.atomic
def resume(subscriber: Subscriber, *, by: Actor) -> bool:
    """Mails come again from now on. False when there was no pause."""
    row = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    if not is_paused(row):
        return False
    row.paused_until = None
    _save(row, "paused", "gets mails", "Ended the pause.", by)
    return True


def _save(row: Subscriber, before: str, after: str, why: str, by: Actor) -> None:
    row.save(update_fields=["paused_until", "updated_at"])
    record(Noun.SUBSCRIBER, row.pk, before=before, after=after, why=why, by=by, subscriber_id=row.pk)
