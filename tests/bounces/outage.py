"""A provider's outage, for tests: people who took mail before, and then "550 5.1.1" for all of them."""

from datetime import UTC, datetime, timedelta

from bounces.models import Event
from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Delivery, MailingList
from tests import ses_events as ses
from tests.bounces.helpers import take
from tests.factories import make_campaign, make_list, make_readers

#: Gmail's outage of December 2020, when it answered 550 5.1.1 for addresses that exist.
OUTAGE = datetime(2020, 12, 15, 21, 0, tzinfo=UTC)
NO_SUCH_USER = (
    "Permanent",
    "General",
    "5.1.1",
    "smtp; 550-5.1.1 The email account that you tried to reach does not exist.",
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Enough for an incident where small_waves is (conftest.py).
PEOPLE = 9


def people(count: int, domain: str = "gmail.com") -> MailingList:
    news = MailingList.objects.filter(slug="news").first() or make_list("news")
    make_readers(news, count, domain=domain)
    return news


def mail_all(news: MailingList, at: datetime) -> list[Delivery]:
    """A campaign to everybody on the list, accepted by SES at ``at``."""
    campaign = make_campaign(news)
    lifecycle.start(campaign.pk, by=SYSTEM)
    accepted = ses.accept_all(campaign.pk)
    type(campaign).objects.filter(pk=campaign.pk).update(started_at=at, retry_until=at + 10 * DAY)
    Attempt.objects.filter(delivery__in=accepted).update(started_at=at)
    Delivery.objects.filter(pk__in=[row.pk for row in accepted]).update(created_at=at)
    return list(Delivery.objects.filter(campaign=campaign).select_related("subscriber").order_by("pk"))


def deliver(deliveries: list[Delivery], at: datetime) -> None:
    take(*(ses.delivered(row, at=at) for row in deliveries))


def refuse(deliveries: list[Delivery], at: datetime, *, attempt: int = 1) -> None:
    """Hard bounces, a few seconds apart."""
    take(
        *(
            ses.bounced(row, *NO_SUCH_USER, at=at + number * timedelta(seconds=5), attempt=attempt)
            for number, row in enumerate(deliveries)
        )
    )


def history(count: int = PEOPLE, domain: str = "gmail.com") -> MailingList:
    """A list whose people took a mail a week before the outage."""
    news = people(count, domain)
    deliver(mail_all(news, OUTAGE - 7 * DAY), OUTAGE - 7 * DAY)
    return news


def unapplied() -> int:
    return Event.objects.filter(verdict="hard", applied_at__isnull=True).count()
