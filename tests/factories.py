"""The cast: a list, people, a campaign. Made with as few words as a test can bear."""

from collections.abc import Callable
from typing import Any

from mailinglist import subscriptions, suppression
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


def make_readers(
    mailing_list: MailingList,
    number: int,
    each: Callable[[int], dict[str, Any]] = lambda i: {},
    *,
    domain: str = "post.example",
) -> list[Subscriber]:
    """Many confirmed people (p0@, p1@, …) in three statements; ``each`` gives the other values of one who is new."""
    emails = [f"p{i}@{domain}" for i in range(number)]
    Subscriber.objects.bulk_create(
        (
            Subscriber(email=email, email_key=email, suppression_key=suppression.key_for(email), **each(i))
            for i, email in enumerate(emails)
        ),
        ignore_conflicts=True,
    )
    found = {person.email_key: person for person in Subscriber.objects.filter(email_key__in=emails)}
    people = [found[email] for email in emails]
    Subscription.objects.bulk_create(
        Subscription(
            list=mailing_list, subscriber=person, status=Subscription.Status.CONFIRMED, source="test"
        )
        for person in people
    )
    return people


def make_campaign(*lists: MailingList, **values: Any) -> Campaign:
    defaults = {"name": "Week 47", "subject": "News for {{ name }}", "body": BODY}
    campaign = Campaign.objects.create(**{**defaults, **values})
    campaign.lists.set(lists)
    return campaign
