"""Leaving by mail: ends the subscription that the token in a mail names, each mail once.

Called by the pipeline with each batch that it stored, in its transaction. The token is the proof, whatever the From
is; a mail whose token is not ours, or names nobody any more, stays what it is. The event keeps that it was done, so
that the same mail, read again after the person came back, does nothing.
"""

from collections.abc import Sequence

from django.utils import timezone

from bounces.mail.report import UNSUBSCRIBE
from bounces.models import Event
from bounces.reading import LEAVING_TAG
from bounces.writing import Found
from mailinglist import subscriptions, tokens
from mailinglist.changes import Actor, Kind
from mailinglist.models import MailingList, Subscriber, Subscription


def note(found: Sequence[Found]) -> None:
    """End the subscriptions that these mails ask to end."""
    asked = {
        event.fact.dedupe_key: event.fact.tags.get(LEAVING_TAG, "")
        for _, event, _ in found
        if event.fact.kind == UNSUBSCRIBE
    }
    if not asked:
        return
    rows = (
        Event.objects.select_for_update().filter(dedupe_key__in=asked, applied_at__isnull=True).order_by("pk")
    )
    for row in rows:
        try:
            subscriber, mailing_list = tokens.read_link("unsubscribe", asked[row.dedupe_key])
        except tokens.BadToken:
            continue
        _leave(row, subscriber, mailing_list)


def _leave(row: Event, subscriber: Subscriber, mailing_list: MailingList) -> None:
    ended = subscriptions.unsubscribe(
        subscriber.pk,
        reason=Subscription.Reason.ONE_CLICK,
        by=Actor(Kind.PERSON, evidence={"event": row.pk}),
        why="Left by a mail that the mail program's unsubscribe button wrote.",
        list_ids=[mailing_list.pk],
    )
    row.subscriber, row.applied_at = subscriber, timezone.now()
    row.effect_text = (
        f"Ended the subscription to {mailing_list}." if ended else "The subscription had ended before."
    )
    row.save(update_fields=["subscriber", "applied_at", "effect_text"])
