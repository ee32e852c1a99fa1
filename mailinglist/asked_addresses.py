"""Addresses that were sent confirmation mails and have answered none since: how many more they may get.

The only writer of AskedAddress. Called by subscriptions.py and pending.py, in their transactions.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from mailinglist import addresses, hot_rows, suppression
from mailinglist.models import AskedAddress, Subscriber

_NOTE = """
INSERT INTO mailinglist_askedaddress AS a (key, mails, last_at) VALUES (%s::varchar, 1, %s::timestamptz)
ON CONFLICT (key) DO UPDATE SET mails = a.mails + 1, last_at = excluded.last_at
WHERE a.mails < %s::int AND a.last_at <= %s::timestamptz RETURNING 1"""
_NO_LIMIT = 2**31 - 1


def key(subscriber: Subscriber) -> str:
    """Of the mailbox, whatever plus tag the address has."""
    return suppression.key_for(addresses.mailbox(subscriber.email_key))


def noted(subscriber: Subscriber, *, now: datetime, limited: bool) -> tuple[str, list[Any]]:
    """The statement that notes one more mail, and its values: for hot_rows.insert_all, together with the mail.

    ``limited``: it returns no row, and notes nothing, where the mailbox was asked often enough; also where another
    request has asked it a moment ago.
    """
    most, latest = settings.SIGNUP_ADDRESS_UNANSWERED, now - timedelta(hours=settings.SIGNUP_ADDRESS_HOURS)
    limits = [most, latest] if limited else [_NO_LIMIT, datetime.max.replace(tzinfo=UTC)]
    return _NOTE, [key(subscriber), now, *limits]


def claim(subscriber: Subscriber, *, now: datetime) -> bool:
    """Note one more mail to a mailbox. False, and nothing is noted, where it was asked often enough."""
    return hot_rows.fetch_one(*noted(subscriber, now=now, limited=True)) is not None


def is_enough(mails: int | None, last_at: datetime | None, *, now: datetime) -> bool:
    """Whether an address with this row (None: without one) gets no confirmation mail for a stranger's sign-up now."""
    if mails is None or last_at is None:
        return False
    pause = timedelta(hours=settings.SIGNUP_ADDRESS_HOURS)
    return mails >= settings.SIGNUP_ADDRESS_UNANSWERED or last_at > now - pause


def forget(subscriber: Subscriber) -> None:
    """The person has answered."""
    AskedAddress.objects.filter(key=key(subscriber)).delete()
