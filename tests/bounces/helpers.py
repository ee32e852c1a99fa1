"""A mail that SES accepted, and notifications taken in as if they had just come."""

from datetime import datetime, timedelta
from typing import Any

from bounces import ingest, pipeline
from bounces.models import Notification
from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Delivery, MailingList, Subscription
from tests import ses_events as ses
from tests.factories import make_campaign, make_list, make_subscriber
from tests.ses_events import T0

DAY = timedelta(days=1)


def send_to(email: str, mailing_list: MailingList | None = None, *, at: datetime = T0) -> Delivery:
    """A new campaign's mail to one confirmed person, accepted by SES at ``at``."""
    mailing_list = mailing_list or MailingList.objects.filter(slug="news").first() or make_list("news")
    person = Subscription.objects.filter(list=mailing_list, subscriber__email=email).first()
    subscriber = person.subscriber if person else make_subscriber(email, mailing_list)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    type(campaign).objects.filter(pk=campaign.pk).update(started_at=at, retry_until=at + 10 * DAY)
    accepted = ses.accept_all(campaign.pk)
    Attempt.objects.filter(delivery__in=accepted).update(started_at=at)
    Delivery.objects.filter(pk__in=[row.pk for row in accepted]).update(created_at=at)
    return Delivery.objects.get(campaign=campaign, subscriber=subscriber)


def take(*documents: dict[str, Any]) -> pipeline.Done:
    """Store and process SES events."""
    bodies = [ses.raw(document) for document in documents]
    found = [ingest.Incoming(body, Notification.Source.FILE, ingest.content_key(body)) for body in bodies]
    return pipeline.process([stored.notification_id for stored in ingest.store_many(found, wake=False)])


def state_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def subscription(delivery: Delivery) -> Subscription:
    return Subscription.objects.get(subscriber=delivery.subscriber, list=delivery.list)
