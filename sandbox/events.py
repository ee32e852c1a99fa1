"""The JSON of SES event publishing: what goes into the Message of an SNS notification. Pure.

Shapes as in the SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS":
``{"eventType": …, "<key>": {…}, "mail": {…}}`` and a line end. Times are UTC with milliseconds.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses, parseaddr
from typing import Any, NamedTuple

from sandbox.mails import Mail
from sandbox.outcomes import Bounce, Complaint, Delay, Delivery, Reject, Send, Step

MAX_HEADER_BYTES = 10 * 1024
REPORTING_MTA = "a8-70.smtp-out.amazonses.com"
OUTGOING_IP = "203.0.113.8"
#: SES gives up on a mail after 14 hours unless MaxDeliverySeconds says less.
EXPIRES_AFTER = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose SES this is; taken from the topic's ARN."""

    account_id: str
    region: str


class Detail(NamedTuple):
    """One event before it is joined with its mail: ``{"eventType": event_type, key: body}``."""

    event_type: str
    key: str
    body: dict[str, Any]


def iso(at: float) -> str:
    """Seconds since the epoch as SES writes times."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mail_object(
    mail: Mail, *, message_id: str, at: float, account: Account, configuration_set: str, source_ip: str
) -> dict[str, Any]:
    """The ``mail`` part that all events of one mail share."""
    domain = parseaddr(mail.source)[1].rpartition("@")[2]
    headers, truncated = _headers(mail)
    return {
        "timestamp": iso(at),
        "source": mail.source,
        "sourceArn": f"arn:aws:ses:{account.region}:{account.account_id}:identity/{domain}",
        "sendingAccountId": account.account_id,
        "messageId": message_id,
        "destination": list(mail.recipients),
        "headersTruncated": truncated,
        "headers": headers,
        "commonHeaders": _common_headers(mail, message_id),
        "tags": {
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": [configuration_set],
            "ses:source-ip": [source_ip],
            "ses:from-domain": [domain],
            "ses:caller-identity": ["sandbox"],
            **{name: [value] for name, value in mail.tags.items()},
        },
    }


def detail(
    step: Step, *, recipient: str, message_id: str, sent_at: float, at: float, feedback: str
) -> Detail:
    """The event of one step for one recipient; ``feedback`` makes the feedback id unique within the mail."""
    facts = _Facts(recipient, sent_at, at, f"{message_id[:16]}-{feedback}-000000")
    return _BUILDERS[type(step)](step, facts)


def document(event: Detail, mail: dict[str, Any]) -> str:
    """The Message text: one line of JSON and, as SES sends it, a line end."""
    if event.event_type == "Delivery":
        mail = {**mail, "tags": {**mail["tags"], "ses:outgoing-ip": [OUTGOING_IP]}}
    whole = {"eventType": event.event_type, event.key: event.body, "mail": mail}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n"


class _Facts(NamedTuple):
    recipient: str
    sent_at: float
    at: float
    feedback_id: str


def _send(step: Send, facts: _Facts) -> Detail:
    return Detail("Send", "send", {})


def _reject(step: Reject, facts: _Facts) -> Detail:
    return Detail("Reject", "reject", {"reason": step.reason})


def _delivery(step: Delivery, facts: _Facts) -> Detail:
    body = {
        "timestamp": iso(facts.at),
        "processingTimeMillis": max(0, round((facts.at - facts.sent_at) * 1000)),
        "recipients": [facts.recipient],
        "smtpResponse": "250 2.0.0 OK",
        "remoteMtaIp": "198.51.100.26",
        "reportingMTA": REPORTING_MTA,
    }
    return Detail("Delivery", "delivery", body)


def _delay(step: Delay, facts: _Facts) -> Detail:
    delayed = {"emailAddress": facts.recipient, "status": step.status, "diagnosticCode": step.diagnostic}
    body = {
        "timestamp": iso(facts.at),
        "delayType": step.delay_type,
        "expirationTime": iso(facts.sent_at + EXPIRES_AFTER.total_seconds()),
        "delayedRecipients": [delayed],
    }
    return Detail("DeliveryDelay", "deliveryDelay", body)


def _bounce(step: Bounce, facts: _Facts) -> Detail:
    bounced: dict[str, str] = {"emailAddress": facts.recipient}
    body = {
        "feedbackId": facts.feedback_id,
        "bounceType": step.bounce_type,
        "bounceSubType": step.sub_type,
        "bouncedRecipients": [bounced],
        "timestamp": iso(facts.at),
    }
    if step.status is not None and step.diagnostic is not None:
        bounced |= {"action": "failed", "status": step.status, "diagnosticCode": step.diagnostic}
        host = "amazonses.com" if step.sub_type == "OnAccountSuppressionList" else REPORTING_MTA
        body["reportingMTA"] = f"dns; {host}"
    return Detail("Bounce", "bounce", body)


def _complaint(step: Complaint, facts: _Facts) -> Detail:
    body = {
        "feedbackId": facts.feedback_id,
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": facts.recipient}],
        "timestamp": iso(facts.at),
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": step.feedback_type,
        "arrivalDate": iso(facts.at),
    }
    return Detail("Complaint", "complaint", body)


_BUILDERS: dict[type[Any], Callable[[Any, _Facts], Detail]] = {
    Send: _send,
    Reject: _reject,
    Delivery: _delivery,
    Delay: _delay,
    Bounce: _bounce,
    Complaint: _complaint,
}


def _headers(mail: Mail) -> tuple[list[dict[str, str]], bool]:
    kept: list[dict[str, str]] = []
    size = 0
    for name, value in mail.headers:
        size += len(name) + len(value) + 4
        if size > MAX_HEADER_BYTES:
            return kept, True
        kept.append({"name": name, "value": value})
    return kept, False


def _common_headers(mail: Mail, message_id: str) -> dict[str, Any]:
    common: dict[str, Any] = {}
    for key, header in (("from", "from"), ("to", "to"), ("cc", "cc"), ("replyTo", "reply-to")):
        if value := mail.header(header):
            # Python's own formataddr would encode the names again; SES writes them decoded.
            pairs = getaddresses([value])
            common[key] = [f"{decoded(name)} <{address}>" if name else address for name, address in pairs]
    if value := mail.header("date"):
        common["date"] = value
    common["messageId"] = message_id
    common["subject"] = decoded(mail.header("subject"))
    return common


def decoded(value: str) -> str:
    """A header value with its RFC 2047 words decoded; as it was when they are broken."""
    try:
        return str(make_header(decode_header(value))) if "=?" in value else value
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value
