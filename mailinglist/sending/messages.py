"""One mail per claimed delivery: headers, text, HTML, all made anew for each recipient.

Called by the engine in its main thread; ``values_for`` and ``fill`` also by the admin's preview. What is
wrong with one recipient's data refuses that recipient only. Every value that reaches a header is one line;
the names of headers are fixed here, so that no content can add one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.charset import QP, Charset
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from mailinglist import merge, tokens
from mailinglist.merge import Context
from mailinglist.models import CampaignVersion, Delivery, MailingList, Subscriber, Subscription
from mailinglist.sending.claims import Claimed
from mailinglist.sending.outcomes import Refused, Scope

logger = logging.getLogger(__name__)

NOT_POSTED, RENDER_ERROR = "not-posted", "render-error"
#: Names that every campaign may use; the subscriber's attributes come on top.
VALUE_NAMES = frozenset(
    {
        "name",
        "email",
        "list_name",
        "sender_name",
        "postal_address",
        "subject",
        "unsubscribe_url",
        "preferences_url",
    }
)
# Django sends UTF-8 as 8bit, which not every server on the way takes.
_CHARSET = Charset("utf-8")
_CHARSET.body_encoding = QP
_CHARSET.header_encoding = QP


class Mail(EmailMultiAlternatives):
    """A mail whose headers are not folded: some readers of List-Unsubscribe do not unfold it."""

    def message(self, *args: Any, **values: Any) -> Any:
        message = super().message(*args, **values)
        message.policy = message.policy.clone(max_line_length=None)
        return message


@dataclass(frozen=True, slots=True)
class Filled:
    """One person's mail: subject, HTML and text with all tags replaced."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A version's parts, parsed once for all recipients."""

    subject: merge.Template
    html: merge.Template
    text: merge.Template

    def fill(self, values: Mapping[str, str]) -> Filled:
        subject = merge.one_line(self.subject.fill(values))
        values = {**values, "subject": subject}
        return Filled(subject, self.html.fill(values), self.text.fill(values))


def parse(*, subject: str, html: str, text: str) -> Parsed:
    """Parse the compiled parts of a campaign (a CampaignVersion's, or a preview's)."""
    return Parsed(
        merge.parse(subject, Context.HEADER), merge.parse(html, Context.HTML), merge.parse(text, Context.TEXT)
    )


def values_for(subscriber: Subscriber, mailing_list: MailingList) -> dict[str, str]:
    """The values of all merge tags for one person and list. Attributes never replace a name of ours."""
    values = {
        key: str(value)
        for key, value in subscriber.attributes.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }
    return values | {
        "name": merge.one_line(subscriber.name),
        "email": subscriber.email,
        "list_name": mailing_list.name,
        "sender_name": mailing_list.from_name,
        "postal_address": ", ".join(
            line.strip() for line in mailing_list.postal_address.splitlines() if line.strip()
        ),
        "unsubscribe_url": tokens.unsubscribe_url(subscriber, mailing_list),
        "preferences_url": tokens.preferences_url(subscriber, mailing_list),
    }


class Builder:
    """Builds the mails of one run; versions and lists are read and parsed once."""

    def __init__(self) -> None:
        self._lists: dict[int, MailingList] = {}
        self._versions: dict[int, Parsed] = {}

    def build(self, claimed: Sequence[Claimed]) -> list[tuple[Claimed, Mail | Refused]]:
        """A new mail for each row, or why there is none for it."""
        people = Subscriber.objects.in_bulk({row.subscriber_id for row in claimed})
        return [(row, self._build_safely(row, people.get(row.subscriber_id))) for row in claimed]

    def _build_safely(self, row: Claimed, subscriber: Subscriber | None) -> Mail | Refused:
        if subscriber is None:
            return Refused(Scope.RECIPIENT, "erased", "The subscriber was erased meanwhile.")
        try:
            return self._build_one(row, subscriber)
        except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
            logger.exception("The mail of delivery %d could not be built.", row.delivery_id)
            return Refused(Scope.RECIPIENT, RENDER_ERROR, f"The mail could not be built: {error}")

    def _build_one(self, row: Claimed, subscriber: Subscriber) -> Mail:
        mailing_list = self._list(row.list_id)
        if row.purpose == Delivery.Purpose.CONFIRMATION:
            filled, headers = _confirmation(subscriber, mailing_list), {"Auto-Submitted": "auto-generated"}
        else:
            values = values_for(subscriber, mailing_list)
            filled = self._version(row.version_id or 0).fill(values)
            headers = _bulk_headers(values["unsubscribe_url"], mailing_list, row)
        return _message(filled, headers | _tracking_headers(row, mailing_list), subscriber, mailing_list)

    def _list(self, pk: int) -> MailingList:
        if pk not in self._lists:
            self._lists[pk] = MailingList.objects.get(pk=pk)
        return self._lists[pk]

    def _version(self, pk: int) -> Parsed:
        if pk not in self._versions:
            version = CampaignVersion.objects.get(pk=pk)
            self._versions[pk] = parse(subject=version.subject, html=version.html, text=version.text)
        return self._versions[pk]


def _message(
    filled: Filled, headers: dict[str, str], subscriber: Subscriber, mailing_list: MailingList
) -> Mail:
    message = Mail(
        subject=filled.subject,
        body=filled.text,
        from_email=formataddr((merge.one_line(mailing_list.from_name), mailing_list.from_email)),
        to=[subscriber.email],
        reply_to=[mailing_list.reply_to] if mailing_list.reply_to else None,
        headers=headers,
    )
    message.encoding = _CHARSET
    message.attach_alternative(filled.html, "text/html")
    return message


def _tracking_headers(row: Claimed, mailing_list: MailingList) -> dict[str, str]:
    """Ours and SES's marks, by which events find the attempt. SES removes X-SES-* before it delivers."""
    signed = tokens.sign_delivery(row.delivery_id, row.attempt)
    tags = [f"delivery={signed}", f"attempt={row.attempt}"]
    if row.campaign_id:
        tags.append(f"campaign={row.campaign_id}")
    headers = {
        tokens.DELIVERY_HEADER: signed,
        "X-SES-MESSAGE-TAGS": ", ".join(tags),
        "Message-ID": f"<{signed}@{_domain(mailing_list)}>",
    }
    if configuration_set := mailing_list.configuration_set or settings.SES_CONFIGURATION_SET:
        headers["X-SES-CONFIGURATION-SET"] = configuration_set
    return headers


def _bulk_headers(unsubscribe_url: str, mailing_list: MailingList, row: Claimed) -> dict[str, str]:
    """What Gmail, Yahoo and RFC 2369, 2919 and 8058 ask of bulk mail."""
    return {
        "List-Unsubscribe": f"<{unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{mailing_list.slug}.{_domain(mailing_list)}>",
        "Precedence": "bulk",
        "Feedback-ID": f"{row.campaign_id or 0}:{mailing_list.slug}:{row.purpose}:mailinglist",
    }


def _confirmation(subscriber: Subscriber, mailing_list: MailingList) -> Filled:
    # Nothing that the visitor typed: the form must not be a way to send words to strangers.
    context = {
        "list": mailing_list,
        "confirm_url": tokens.confirm_url(Subscription(subscriber=subscriber, list=mailing_list)),
        "days": settings.CONFIRM_TOKEN_DAYS,
    }
    subject, text, html = (
        render_to_string(f"mailinglist/email/confirm-{part}", context)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return Filled(merge.one_line(subject), html, text)


def _domain(mailing_list: MailingList) -> str:
    return mailing_list.from_email.rpartition("@")[2]
