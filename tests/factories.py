"""The cast: a list, people, a campaign. Made with as few words as a test can bear."""

from typing import Any

from mailinglist import subscriptions
from mailinglist.models import Campaign, MailingList, Subscriber, Subscription

BODY = "# Hello {{ name }}\n\nThe news of the week.\n"


def make_list(slug: str = "news", **values: Any) -> MailingList:
    defaults = {
        "name": slug.title(),
        "from_name": "Acme News",
        "from_email": "news@acme.example",
        "postal_address": "Acme, 1 Main Street, Springfield",
    }
    return MailingList.objects.create(slug=slug, **{**defaults, **values})


def make_subscriber(email: str = "ada@post.example", *lists: MailingList, **values: Any) -> Subscriber:
    """A subscriber, confirmed on ``lists``."""
    subscriber = subscriptions.get_or_create_subscriber(email)
    if values:
        Subscriber.objects.filter(pk=subscriber.pk).update(**values)
        subscriber.refresh_from_db()
    for mailing_list in lists:
        Subscription.objects.create(
            list=mailing_list, subscriber=subscriber, status=Subscription.Status.CONFIRMED, source="test"
        )
    return subscriber


def make_campaign(*lists: MailingList, **values: Any) -> Campaign:
    defaults = {"name": "Week 47", "subject": "News for {{ name }}", "body": BODY}
    campaign = Campaign.objects.create(**{**defaults, **values})
    campaign.lists.set(lists)
    return campaign
