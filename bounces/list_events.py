"""The reports about one list's mails, found without reading everybody's. Read-only; for the staff pages."""

from django.db.models import QuerySet

from bounces.models import Event
from mailinglist.models import Campaign, Delivery

#: A list with at most so many mails ever has few.
FEW_MAILS = 2_000
#: Its campaigns may go to other lists as well: with more mails than this they are not looked through for its own.
LOOKED_AT = 20_000


def of_list(events: QuerySet[Event], list_id: int) -> QuerySet[Event]:
    """Those of ``events`` that are about mails of the list.

    Reports do not name a list, only their mail. Of a list with few mails they are found by these. Of one with many
    they are met soon by whoever reads the reports from the newest on.
    """
    found = events.filter(delivery__list_id=list_id)
    few = _few_mails(list_id)
    return found if few is None else found.filter(delivery_id__in=few)


def _few_mails(list_id: int) -> list[int] | None:
    mails = Delivery.objects.filter(list_id=list_id).order_by()
    campaigns = list(
        Campaign.objects.filter(lists=list_id, started_at__isnull=False).values_list("pk", flat=True)
    )
    together = Delivery.objects.filter(campaign_id__in=campaigns).order_by()
    if together[: LOOKED_AT + 1].count() > LOOKED_AT:
        return None
    of_none = mails.filter(campaign__isnull=True).values_list("pk", flat=True)[: FEW_MAILS + 1]
    of_some = mails.filter(campaign_id__in=campaigns).values_list("pk", flat=True)[: FEW_MAILS + 1]
    found = [*of_none, *of_some]
    return found if len(found) <= FEW_MAILS else None
