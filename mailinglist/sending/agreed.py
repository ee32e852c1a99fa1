"""Of whom opens and clicks may not be noted. Called by messages.py once for a handful of mails, and by tracking.py when
opens and clicks come back.

Costs nothing while all lists of the claim note them of everybody, and one query where a list asks for consent.
"""

from collections.abc import Collection, Sequence

from mailinglist.models import MailingList, Subscription
from mailinglist.sending.claims import Claimed

Tracking = MailingList.Tracking


def not_to_track(claimed: Sequence[Claimed], lists: Sequence[MailingList]) -> frozenset[int]:
    """The deliveries, of ``claimed``, that are to leave without tracking. ``lists``: those of the claim."""
    modes = {row.pk: row.tracking for row in lists if row.tracking != Tracking.ON}
    if not modes:
        return frozenset()
    asked = [pk for pk, mode in modes.items() if mode == Tracking.CONSENT]
    allowed = consenting(asked, [row.subscriber_id for row in claimed]) if asked else frozenset()
    return frozenset(
        row.delivery_id
        for row in claimed
        if row.list_id in modes and (row.list_id, row.subscriber_id) not in allowed
    )


def consenting(list_ids: Collection[int], people: Collection[int]) -> frozenset[tuple[int, int]]:
    """(list, person) of all, of these, who ticked the box."""
    rows = Subscription.objects.filter(
        subscriber_id__among=people, list_id__in=list_ids, tracking_consent=True
    )
    return frozenset(rows.values_list("list_id", "subscriber_id"))
