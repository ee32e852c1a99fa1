"""Started campaigns and claims, in few words."""

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from django.db import connection

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery, MailingList
from mailinglist.sending import queue
from mailinglist.sending.messages import Mail
from mailinglist.sending.outcomes import Accepted, Outcome
from tests.factories import make_campaign, make_list, make_readers

State = Delivery.State


def started(people: int = 3, *, mailing_list: MailingList | None = None, **values: Any) -> Campaign:
    """A campaign that was started for so many confirmed people (p0@, p1@, …)."""
    mailing_list = mailing_list or make_list()
    make_readers(mailing_list, people)
    campaign = make_campaign(mailing_list, **values)
    assert lifecycle.start(campaign.pk, by=SYSTEM)
    campaign.refresh_from_db()
    return campaign


def claim(campaign: Campaign, n: int = 10, lease: float = 120) -> list[queue.Claimed]:
    return queue.claim(n, campaign_id=campaign.pk, lease_seconds=lease)


def states(campaign: Campaign) -> list[tuple[str, str]]:
    return list(campaign.deliveries.order_by("pk").values_list("state", "reason"))


def reparsed(mail: Mail) -> EmailMessage:
    """The mail's bytes, read by another parser."""
    found = email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def expire_leases() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailinglist_delivery SET lease_until = now() - interval '1 s' WHERE state = 'sending'"
        )


def age(seconds: int) -> None:
    """As if nothing had changed for so long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailinglist_delivery SET changed_at = changed_at - make_interval(secs => %s)", [seconds]
        )


class FakeSES:
    """Answers by a rule (address → Outcome or None for accepted) and keeps what it was given."""

    def __init__(self, rule: Callable[[str], Outcome | None] = lambda address: None) -> None:
        self.rule = rule
        self.mails: list[Mail] = []

    def __call__(self, message: Mail) -> Outcome:
        self.mails.append(message)
        return self.rule(message.to[0]) or Accepted(f"m-{id(self)}-{len(self.mails)}-{message.to[0]}")

    @property
    def to(self) -> list[str]:
        return sorted(mail.to[0] for mail in self.mails)
