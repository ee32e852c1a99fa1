"""Addresses that were sent confirmation mails and have answered none since: how many more they may get.

The only writer of AskedAddress. Called by subscriptions.py, in its transactions.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from mailinglist import addresses, suppression
from mailinglist.models import AskedAddress, Subscriber

_NOTE = """
INSERT INTO mailinglist_askedaddress AS a (key, mails, last_at) VALUES (%s::varchar, 1, %s::timestamptz)
ON CONFLICT (key) DO UPDATE SET mails = a.mails + 1, last_at = excluded.last_at"""


def key(subscriber: Subscriber) -> str:
    """Of the mailbox, whatever plus tag the address has."""
    return suppression.key_for(addresses.mailbox(subscriber.email_key))


def noted(subscriber: Subscriber, *, now: datetime) -> tuple[str, list[Any]]:
    """The statement that notes one more mail, and its values: for hot_rows.insert_all, together with the mail."""
    return _NOTE, [key(subscriber), now]


def is_enough(mails: int | None, last_at: datetime | None, *, now: datetime) -> bool:
    """Whether an address with this row (None: without one) gets no confirmation mail for a stranger's sign-up now."""
    if mails is None or last_at is None:
        return False
    pause = timedelta(hours=settings.SIGNUP_ADDRESS_HOURS)
    return mails >= settings.SIGNUP_ADDRESS_UNANSWERED or last_at > now - pause


def forget(subscriber: Subscriber) -> None:
    """The person has answered."""
    AskedAddress.objects.filter(key=key(subscriber)).delete()
