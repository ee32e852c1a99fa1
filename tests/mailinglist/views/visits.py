"""Visitors of the public pages: what they type, and the addresses that mails send them to."""

from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from mailinglist import fill_time, subscriptions, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import MailingList, Subscriber, Subscription

BROWSER = {"HTTP_USER_AGENT": "Firefox/140"}


def path(url: str) -> str:
    return urlsplit(url).path


def unsubscribe_path(subscriber: Subscriber, mailing_list: MailingList) -> str:
    return path(tokens.unsubscribe_url(subscriber, mailing_list))


def preferences_path(subscriber: Subscriber, mailing_list: MailingList) -> str:
    return path(tokens.preferences_url(subscriber, mailing_list))


def subscription(subscriber: Subscriber, mailing_list: MailingList) -> Subscription:
    return Subscription.objects.get(subscriber=subscriber, list=mailing_list)


def pending(email: str, mailing_list: MailingList) -> Subscription:
    consent = subscriptions.Consent(at=timezone.now())
    subscriptions.subscribe(mailing_list, email, consent=consent, source="form", by=SYSTEM)
    return Subscription.objects.get(list=mailing_list, subscriber__email=email)


def sign_up(client: Client, email: str, slug: str = "news", **fields: str) -> HttpResponse:
    sent = {"email": email, "stamp": fill_time.stamp(), **fields}
    return client.post(f"/lists/{slug}/subscribe", sent, **BROWSER)
