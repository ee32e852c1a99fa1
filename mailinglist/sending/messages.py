"""One mail per claimed delivery: headers, text, HTML, all made anew for each recipient.

Called by the engine in its main thread; ``values_for`` and ``parse`` also by the admin's preview. What is the same for
all recipients of a version or list is prepared once; a mail is that plus one person's values. What is wrong with one
recipient's data refuses that recipient only. Every value that reaches a header is one line; the names of headers are
fixed here, so that no content can add one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formataddr, formatdate
from typing import Any, Protocol

from django.conf import settings

from mailinglist import links, merge, tokens
from mailinglist.composing import frame, mime, untracked
from mailinglist.merge import Context, Template
from mailinglist.models import CampaignVersion, MailingList
from mailinglist.sending import agreed, list_headers, notices
from mailinglist.sending.claims import Claimed
from mailinglist.sending.list_headers import Headers, Shared
from mailinglist.sending.outcomes import Refused, Scope

logger = logging.getLogger(__name__)

RENDER_ERROR = "render-error"
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
        "archive_url",
    }
)
#: What a confirmation says of itself.
_AUTOMATIC = Shared((("Auto-Submitted", "auto-generated"),))


class Person(Protocol):
    """Whom a mail is for: a Subscriber, or the person's columns in a Claimed."""

    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Filled:
    """One person's mail: subject, HTML and text with all tags replaced."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A version's parts, parsed once for all recipients."""

    subject: Template
    html: Template
    text: Template

    def fill(self, values: Mapping[str, str]) -> Filled:
        subject = merge.one_line(self.subject.fill(values))
        values = {**values, "subject": subject}
        return Filled(subject, self.html.fill(values), self.text.fill(values))

    def with_known(self, values: Mapping[str, str]) -> "Parsed":
        """The same with what is known of all recipients put in."""
        return Parsed(*(part.with_known(values) for part in (self.subject, self.html, self.text)))


@dataclass(frozen=True, slots=True)
class Content:
    """What all mails of one version to one list share; ``key`` tells contents apart."""

    key: object
    parsed: Parsed
    skeleton: mime.Skeleton


@dataclass(frozen=True, slots=True)
class Sender:
    """What all mails of one list share."""

    mailing_list: MailingList
    #: As a header needs it: the name encoded where it is not ASCII.
    address: str
    reply_to: str
    configuration_set: str
    domain: str
    values: Mapping[str, str]
    links: tokens.Links
    #: What stands before the token in the mailto of List-Unsubscribe; "": no mailto.
    mailto: str


@dataclass(slots=True)
class Mail:
    """One recipient's mail. Has what django-ses wants of a message; its bytes are made when they are asked for."""

    to: list[str]
    sender: Sender
    content: Content
    #: Unescaped values of the merge tags, the filled subject among them.
    values: Mapping[str, str]
    #: Headers of ours that reach the recipient, besides Subject, From, To, Reply-To and what SES sets itself: this
    #: person's own, and those of the list.
    own_headers: Headers
    shared: Shared
    #: SES message tags.
    tags: Headers
    message_id: str
    #: django-ses writes SES's answer here.
    extra_headers: dict[str, Any] = field(default_factory=dict)

    @property
    def from_email(self) -> str:
        return self.sender.address

    def recipients(self) -> list[str]:
        return self.to

    @property
    def headers(self) -> Headers:
        return self.own_headers + self.shared.headers

    def message(self) -> "Mail":
        return self

    def as_bytes(self, *_: Any, **__: Any) -> bytes:
        """The whole mail with CRLF line ends. Raises mime.Unencodable for a header that no mail can carry."""
        fields = [
            mime.text_header("Subject", self.values["subject"]),
            mime.header("From", self.sender.address),
            mime.header("To", self.to[0]),
            mime.header("Date", formatdate()),
            mime.header("Message-ID", self.message_id),
            *(mime.header(name, value) for name, value in self.own_headers),
            self.shared.fields,
            mime.header("X-SES-MESSAGE-TAGS", ", ".join(f"{name}={value}" for name, value in self.tags)),
        ]
        if self.sender.reply_to:
            fields.append(mime.header("Reply-To", self.sender.reply_to))
        if self.sender.configuration_set:
            fields.append(mime.header("X-SES-CONFIGURATION-SET", self.sender.configuration_set))
        return self.content.skeleton.fill(b"".join(fields), self.values)


def parse(*, subject: str, html: str, text: str) -> Parsed:
    """Parse the compiled parts of a campaign (a CampaignVersion's, or a preview's)."""
    return Parsed(
        merge.parse(subject, Context.HEADER), merge.parse(html, Context.HTML), merge.parse(text, Context.TEXT)
    )


def values_for(person: Person, mailing_list: MailingList) -> dict[str, str]:
    """The values of all merge tags for one person and list. Attributes never replace a name of ours."""
    return _values(person, tokens.Links(mailing_list)) | _list_values(mailing_list)


class Builder:
    """Builds the mails of one run; versions and lists are read and parsed once, with and without tracking."""

    def __init__(self) -> None:
        self._senders: dict[int, Sender] = {}
        self._untracked: dict[int, Sender] = {}
        self._versions: dict[tuple[int, int, bool], Content] = {}
        self._shared: dict[tuple[int, int | None, str], Shared] = {}
        self._tags = tokens.Tags()

    def build(self, claimed: Sequence[Claimed]) -> list[tuple[Claimed, Mail | Refused]]:
        """A new mail for each row, or why there is none for it."""
        lists = [self._sender(pk).mailing_list for pk in {row.list_id for row in claimed}]
        left_alone = agreed.not_to_track(claimed, lists)
        return [(row, self._build_safely(row, row.delivery_id not in left_alone)) for row in claimed]

    def _build_safely(self, row: Claimed, tracked: bool) -> Mail | Refused:
        try:
            return self._build_one(row, tracked)
        except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
            logger.exception("The mail of delivery %d could not be built.", row.delivery_id)
            return Refused(Scope.RECIPIENT, RENDER_ERROR, f"The mail could not be built: {error}")

    def _build_one(self, row: Claimed, tracked: bool) -> Mail:
        sender = self._sender(row.list_id, tracked)
        signed = self._tags.sign(row.delivery_id, row.attempt)
        if notices.is_notice(row.purpose):
            content, values = _notice(row, sender.mailing_list), {}
            own: Headers = ()
            shared = _AUTOMATIC
        else:
            content = self._version(row.version_id or 0, row.list_id, tracked)
            values = _values(row, sender.links)
            own = (("List-Unsubscribe", list_headers.unsubscribe(values["unsubscribe_url"], sender.mailto)),)
            shared = self._shared_headers(row, sender)
        values["subject"] = merge.one_line(content.parsed.subject.fill(values))
        tags = [("delivery", signed), ("attempt", str(row.attempt))]
        if row.campaign_id:
            tags.append(("campaign", str(row.campaign_id)))
        return Mail(
            to=[row.email],
            sender=sender,
            content=content,
            values=values,
            own_headers=(*own, (tokens.DELIVERY_HEADER, signed)),
            shared=shared,
            tags=tuple(tags),
            message_id=f"<{signed}@{sender.domain}>",
        )

    def _shared_headers(self, row: Claimed, sender: Sender) -> Shared:
        key = (row.list_id, row.campaign_id, row.purpose)
        if key not in self._shared:
            self._shared[key] = list_headers.shared(
                sender.mailing_list, campaign_id=row.campaign_id, purpose=row.purpose
            )
        return self._shared[key]

    def _sender(self, pk: int, tracked: bool = True) -> Sender:
        if pk not in self._senders:
            sender = _sender(MailingList.objects.get(pk=pk))
            self._senders[pk] = sender
            self._untracked[pk] = replace(
                sender,
                configuration_set=sender.mailing_list.untracked_configuration_set
                or settings.SES_UNTRACKED_CONFIGURATION_SET
                or sender.configuration_set,
            )
        return self._senders[pk] if tracked else self._untracked[pk]

    def _version(self, pk: int, list_id: int, tracked: bool) -> Content:
        key = (pk, list_id, tracked)
        if key not in self._versions:
            version = CampaignVersion.objects.select_related("campaign", "as_seen_by").get(pk=pk)
            html = version.html if tracked else untracked.links(version.html)
            parsed = parse(subject=version.subject, html=html, text=version.text)
            sender = self._sender(list_id)
            archived = {"archive_url": links.archived(version.campaign, sender.mailing_list)}
            if version.as_seen_by is not None:
                parsed = parsed.with_known(_seen(parsed, version.as_seen_by, sender))
            self._versions[key] = _content(key, parsed.with_known({**sender.values, **archived}))
        return self._versions[key]


def _sender(mailing_list: MailingList) -> Sender:
    return Sender(
        mailing_list=mailing_list,
        address=formataddr((merge.one_line(mailing_list.from_name), mailing_list.from_email)),
        reply_to=mailing_list.reply_to,
        configuration_set=mailing_list.configuration_set or settings.SES_CONFIGURATION_SET,
        domain=mailing_list.from_email.rpartition("@")[2],
        values=_list_values(mailing_list),
        links=tokens.Links(mailing_list),
        mailto=list_headers.mailto_start(),
    )


def _list_values(mailing_list: MailingList) -> dict[str, str]:
    lines = (line.strip() for line in mailing_list.postal_address.splitlines())
    return frame.words(mailing_list) | {
        "list_name": mailing_list.name,
        "sender_name": mailing_list.from_name,
        "postal_address": ", ".join(line for line in lines if line),
    }


def _values(person: Person, links: tokens.Links) -> dict[str, str]:
    """What differs between the recipients of a list."""
    values = {
        key: str(value)
        for key, value in person.attributes.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }
    values["name"] = merge.one_line(person.name)
    values["email"] = person.email
    values["unsubscribe_url"] = links.unsubscribe(person)
    values["preferences_url"] = links.preferences(person)
    return values


def _seen(parsed: Parsed, person: Person, sender: Sender) -> dict[str, str]:
    """The values of the tags of a test: another person's, but the links that act are the recipient's own."""
    parts = (*parsed.subject.parts, *parsed.html.parts, *parsed.text.parts)
    not_theirs = {"unsubscribe_url", "preferences_url", "archive_url", "subject", *sender.values}
    values = _values(person, sender.links)
    names = {part.name for part in parts if isinstance(part, merge.Slot)} - not_theirs
    return {name: values.get(name, "") for name in names}


def _notice(row: Claimed, mailing_list: MailingList) -> Content:
    parts = (Template((part,)) for part in notices.write(row.purpose, row, mailing_list))
    return _content((row.purpose, row.delivery_id), Parsed(*parts))


def _content(key: object, parsed: Parsed) -> Content:
    return Content(key, parsed, mime.Skeleton(parsed.text, parsed.html))
