"""Notifications of SES as plain facts, one per recipient. Pure: no framework, no clock, no database.

``parse`` is called by the pipeline and by ``classify_bounces``. It takes both shapes (``eventType`` of event
publishing, ``notificationType`` of identity feedback) and never raises for content: what it does not know is
answered with the sentence that the quarantine shows.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bounces.ses_json import Fields, Wrong, clean, loads

#: The lengths of Event's columns, and of what is kept of texts without a bound. A message id is no longer than that of an
#: attempt, which it may have to prove.
TYPE, RECIPIENT, MESSAGE_ID, ACTION, STATUS, MTA, TEXT = 60, 320, 120, 30, 20, 255, 4000
#: The header of our mails that names their delivery, with its signature.
OUR_HEADER = "X-Mailinglist-Delivery"
#: What SES writes to a topic to try it out, which is no event.
_GREETING = b"Successfully validated SNS topic"
_SUBSCRIBED = "AmazonSnsSubscriptionSucceeded"
#: The text of SNS's UnsubscribeConfirmation.
_FAREWELL = b"You have chosen to deactivate subscription"


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What one notification says about one recipient. Texts are clean and fit the columns of Event.

    ``kind``: send, delivery, delay, bounce, complaint, reject, open, click, rendering-failure, subscription.
    ``type``, ``subtype``: bounceType, bounceSubType; complaintFeedbackType, complaintSubType; delayType.
    ``diagnostic``: the answer of the remote server, or the reason that SES gives. ``mta``: who reports it.
    ``occurred_at``: aware, UTC. ``dedupe_key``: the same for every report of the same thing.
    ``tags``: the first value of each tag of the mail. ``our_header``: the value of X-Mailinglist-Delivery.
    ``among``: how many recipients the report names. ``mailed_to``: whom SES sent the mail to.
    """

    kind: str
    occurred_at: datetime
    recipient: str = ""
    type: str = ""
    subtype: str = ""
    message_id: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    mta: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    dedupe_key: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    our_header: str = ""
    among: int = 1
    mailed_to: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """``events`` in the order of the document; or ``unparsed``, the sentence that says why there are none."""

    events: tuple[EventFacts, ...] = ()
    unparsed: str = ""


def parse(raw: bytes) -> Parsed:
    """The events of one notification. A message of SES about itself has none, and that is no error."""
    if raw.lstrip().startswith(_GREETING):
        return Parsed()
    if raw.lstrip().startswith(_FAREWELL):
        return Parsed(unparsed="Our subscription to the topic was ended. Subscribe again to see bounces.")
    try:
        document = Fields(loads(raw))
        name = document.text("eventType", 100) or document.text("notificationType", 100)
        if name == _SUBSCRIBED:
            return Parsed()
        if not name:
            return Parsed(unparsed="It has neither eventType nor notificationType: it is no event of SES.")
        parser = PARSERS.get(name)
        if parser is None:
            return Parsed(
                unparsed=f"Events of type {name[:TYPE]!r} are not known; process it again after an update."
            )
        return Parsed(counted(parser(document, Mail.of(document.object("mail")))))
    except Wrong as wrong:
        return Parsed(unparsed=str(wrong))


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail that an event is about."""

    message_id: str
    sent_at: datetime | None
    destination: Sequence[str]
    tags: dict[str, str]
    our_header: str

    @classmethod
    def of(cls, mail: Fields) -> "Mail":
        return cls(
            message_id=mail.needed("messageId", MESSAGE_ID),
            sent_at=mail.time("timestamp"),
            destination=mail.texts("destination", RECIPIENT),
            tags=mail.firsts("tags", 256),
            our_header=mail.header(OUR_HEADER, 256),
        )

    def event(
        self, kind: str, at: datetime | None, recipient: str, *, feedback_id: str = "", **facts: Any
    ) -> EventFacts:
        """An event of this mail; without a time of its own it has the mail's. Raises Wrong without any."""
        occurred_at = at or self.sent_at
        if occurred_at is None:
            raise Wrong("Neither the event nor mail.timestamp says when it was.")
        identity = feedback_id or f"{self.message_id} {occurred_at.isoformat()}"
        return EventFacts(
            kind=kind,
            occurred_at=occurred_at,
            recipient=recipient,
            message_id=self.message_id,
            dedupe_key=dedupe_key(kind, identity, recipient),
            tags=self.tags,
            our_header=self.our_header,
            mailed_to=self.destination,
            **facts,
        )

    def events(self, kind: str, at: datetime | None, *, identity: str = "", **facts: Any) -> list[EventFacts]:
        """The same event for every recipient of the mail; ``identity`` where the time does not tell two apart."""
        if not self.destination:
            raise Wrong("mail.destination names no recipient.")
        return [
            self.event(kind, at, recipient, feedback_id=identity, **facts) for recipient in self.destination
        ]


def counted(facts: Sequence[EventFacts]) -> tuple[EventFacts, ...]:
    """The same facts, each knowing how many recipients the report names."""
    among = len({fact.recipient.lower() for fact in facts})
    return tuple(replace(fact, among=among) for fact in facts) if among > 1 else tuple(facts)


def dedupe_key(kind: str, identity: str, recipient: str) -> str:
    """64 hexadecimal digits; ``identity`` is the feedback id, or message id and time where there is none."""
    return hashlib.sha256(json.dumps([kind, identity, recipient.lower()]).encode()).hexdigest()


def _bounce(document: Fields, mail: Mail) -> list[EventFacts]:
    bounce = document.object("bounce")
    return [
        mail.event(
            "bounce",
            bounce.time("timestamp"),
            recipient.needed("emailAddress", RECIPIENT),
            feedback_id=bounce.text("feedbackId", 300),
            type=bounce.text("bounceType", TYPE),
            subtype=bounce.text("bounceSubType", TYPE),
            action=recipient.text("action", ACTION),
            status=recipient.text("status", STATUS),
            diagnostic=recipient.text("diagnosticCode", TEXT),
            mta=_mta(bounce),
            extra=bounce.notes("feedbackId", "remoteMtaIp"),
        )
        for recipient in _recipients(bounce, "bouncedRecipients", "bounce")
    ]


def _complaint(document: Fields, mail: Mail) -> list[EventFacts]:
    complaint = document.object("complaint")
    return [
        mail.event(
            "complaint",
            complaint.time("timestamp"),
            recipient.needed("emailAddress", RECIPIENT),
            feedback_id=complaint.text("feedbackId", 300),
            type=complaint.text("complaintFeedbackType", TYPE),
            subtype=complaint.text("complaintSubType", TYPE),
            extra=complaint.notes("feedbackId", "userAgent", "arrivalDate"),
        )
        for recipient in _recipients(complaint, "complainedRecipients", "complaint")
    ]


def _delivery(document: Fields, mail: Mail) -> list[EventFacts]:
    delivery = document.object("delivery")
    recipients = delivery.texts("recipients", RECIPIENT) or mail.destination
    return [
        mail.event(
            "delivery",
            delivery.time("timestamp"),
            recipient,
            diagnostic=delivery.text("smtpResponse", TEXT),
            mta=_mta(delivery),
            extra=delivery.notes("processingTimeMillis", "remoteMtaIp"),
        )
        for recipient in recipients or _nobody("delivery.recipients")
    ]


def _delay(document: Fields, mail: Mail) -> list[EventFacts]:
    delay = document.object("deliveryDelay")
    return [
        mail.event(
            "delay",
            delay.time("timestamp"),
            recipient.needed("emailAddress", RECIPIENT),
            type=delay.text("delayType", TYPE),
            status=recipient.text("status", STATUS),
            diagnostic=recipient.text("diagnosticCode", TEXT),
            mta=_mta(delay),
            extra=delay.notes("expirationTime"),
        )
        for recipient in _recipients(delay, "delayedRecipients", "deliveryDelay")
    ]


def _send(document: Fields, mail: Mail) -> list[EventFacts]:
    return mail.events("send", None)


def _reject(document: Fields, mail: Mail) -> list[EventFacts]:
    return mail.events("reject", None, diagnostic=document.object("reject").text("reason", TEXT))


def _open(document: Fields, mail: Mail) -> list[EventFacts]:
    opened = document.object("open")
    return mail.events("open", opened.time("timestamp"), extra=opened.notes("ipAddress", "userAgent"))


def _click(document: Fields, mail: Mail) -> list[EventFacts]:
    click = document.object("click")
    at, extra = click.time("timestamp"), click.notes("link", "ipAddress", "userAgent")
    # Programs follow several links within one thousandth of a second.
    return mail.events("click", at, identity=f"{mail.message_id} {at} {extra.get('link')}", extra=extra)


def _rendering_failure(document: Fields, mail: Mail) -> list[EventFacts]:
    failure = document.object("failure")
    message, extra = failure.text("errorMessage", TEXT), failure.notes("templateName")
    return mail.events("rendering-failure", None, diagnostic=message, extra=extra)


def _subscription(document: Fields, mail: Mail) -> list[EventFacts]:
    change = document.object("subscription")
    return mail.events("subscription", change.time("timestamp"), extra=change.notes("contactList", "source"))


#: Type as SES writes it → its parser.
PARSERS: dict[str, Callable[[Fields, Mail], list[EventFacts]]] = {
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Delivery": _delivery,
    "DeliveryDelay": _delay,
    "Send": _send,
    "Reject": _reject,
    "Open": _open,
    "Click": _click,
    "Rendering Failure": _rendering_failure,
    "Subscription": _subscription,
}


def _recipients(report: Fields, name: str, path: str) -> list[Fields]:
    """A report concerns whom it names, never everyone in mail.destination."""
    return report.objects(name) or _nobody(f"{path}.{name}")


def _nobody(name: str) -> list[Any]:
    raise Wrong(f"{name} names no recipient.")


def _mta(report: Fields) -> str:
    """``dns; host`` as host."""
    value = report.text("reportingMTA", 300)
    return clean(value.partition(";")[2] or value, MTA)
