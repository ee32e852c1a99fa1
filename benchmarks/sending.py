"""The ways to send that are compared. Runs in the children, after ``django.setup``.

The two django-ses loops do what many projects do, and less: the template is parsed once, the people are read beforehand,
and nothing is written to the database. The engine claims, records every attempt and writes every outcome down, as it
does in a worker.
"""

import time
from collections.abc import Iterator

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template import Context, Template

from mailinglist import lifecycle, tokens
from mailinglist.models import CampaignVersion, MailingList, Subscriber
from mailinglist.sending import engine

DJANGO_SES = "django_ses.SESBackend"


class DjangoSes:
    """django-ses as such: ``kept`` one backend for all mails, otherwise ``msg.send()``, a new one for each."""

    def __init__(self, list_id: int, version_id: int, n: int, *, kept: bool) -> None:
        self._list = MailingList.objects.get(pk=list_id)
        self._people = list(Subscriber.objects.filter(subscriptions__list_id=list_id)[:n])
        version = CampaignVersion.objects.get(pk=version_id)
        self._parts = [Template(part) for part in (version.subject, version.text, version.html)]
        self._connection: BaseEmailBackend | None = get_connection(DJANGO_SES) if kept else None
        if self._connection is not None:
            self._connection.open()
        self._count = 0

    def run(self) -> int:
        """Send to everybody; how many mails were sent."""
        return sum(mail.send() for mail in self.mails())

    def first(self) -> tuple[str, str]:
        """Subject and HTML of the first person's mail."""
        mail = next(self.mails())
        return mail.subject, str(mail.alternatives[0][0])

    def mails(self) -> Iterator[EmailMultiAlternatives]:
        """One for each of the people, made when it is asked for."""
        for person in self._people:
            leave = tokens.unsubscribe_url(person, self._list)
            context = Context(
                {
                    **person.attributes,
                    "name": person.name,
                    "list_name": self._list.name,
                    "sender_name": self._list.from_name,
                    "postal_address": self._list.postal_address,
                    "unsubscribe_url": leave,
                    "preferences_url": tokens.preferences_url(person, self._list),
                }
            )
            subject, text, html = (part.render(context) for part in self._parts)
            headers = {
                "List-Unsubscribe": f"<{leave}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
            sender = f"{self._list.from_name} <{self._list.from_email}>"
            mail = EmailMultiAlternatives(
                subject, text, sender, [person.email], headers=headers, connection=self._connection
            )
            mail.attach_alternative(html, "text/html")
            yield mail


def engine_until_done(campaign_id: int) -> None:
    """What the tasks of a worker do, one run after the other, until nothing is left for this process.

    The transport is that of SEND_TRANSPORT. Raises RuntimeError when SES stops the campaign.
    """
    while True:
        result = engine.run(campaign_id)
        lifecycle.settle(campaign_id, result)
        match result:
            case engine.Drained():
                return
            case engine.Stopped(_, text):
                raise RuntimeError(text)
            case engine.More(after_seconds):
                time.sleep(min(after_seconds, 1.0))
