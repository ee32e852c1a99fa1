"""Whether opens and clicks of a person may be noted: what they choose themselves, and the question that events ask.

The only writer of Subscription.tracking_consent besides a sign-up. How a mail leaves without tracking is in
sending/agreed.py.
"""

from collections.abc import Collection, Mapping

from django.db import transaction

from mailinglist import consents
from mailinglist.changes import Actor, Noun, record
from mailinglist.consents import Consent
from mailinglist.models import Delivery, MailingList, Subscriber, Subscription
from mailinglist.sending import agreed

Tracking = MailingList.Tracking


@transaction.atomic
def choose(
    subscriber: Subscriber,
    choices: Mapping[int, bool],
    *,
    texts: Mapping[int, str],
    consent: Consent,
    by: Actor,
    why: str = "Chosen on the preferences page.",
) -> int:
    """The person allows or forbids it for lists (ids) that ask for consent. Returns how many choices are new.

    ``texts``: the wording that was shown, by list. ``consent``: when and where from. Lists of other kinds are left alone.
    """
    Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    rows = Subscription.objects.filter(
        subscriber=subscriber, list_id__in=choices, list__tracking=Tracking.CONSENT
    ).exclude(status=Subscription.Status.UNSUBSCRIBED)
    changed = [row for row in rows if row.tracking_consent != choices[row.list_id]]
    for row in changed:
        row.tracking_consent = choices[row.list_id]
        row.save(update_fields=["tracking_consent"])
        answer = Consent(
            consent.at, consent.ip, consent.user_agent, texts[row.list_id], consent.form, row.tracking_consent
        )
        consents.keep(consents.Kind.TRACKING, row, answer, source=row.source)
        record(
            Noun.SUBSCRIPTION,
            row.pk,
            before="tracking refused" if row.tracking_consent else "tracking allowed",
            after="tracking allowed" if row.tracking_consent else "tracking refused",
            why=why,
            by=by,
            subscriber_id=subscriber.pk,
            list_id=row.list_id,
        )
    return len(changed)


def refused(delivery_ids: Collection[int]) -> set[int]:
    """The mails, of these, whose opens and clicks must not be noted: the list or the person says no."""
    mails = Delivery.objects.filter(pk__among=delivery_ids).exclude(list__tracking=Tracking.ON)
    rows = list(mails.values_list("pk", "list_id", "subscriber_id", "list__tracking"))
    if not rows:
        return set()
    asked = [row for row in rows if row[3] == Tracking.CONSENT]
    people = sorted({who for _, _, who, _ in asked if who})
    allowed = agreed.consenting({row[1] for row in asked}, people) if people else frozenset()
    return {pk for pk, list_id, who, mode in rows if mode == Tracking.OFF or (list_id, who) not in allowed}
