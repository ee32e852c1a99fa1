"""PURE. What a mail reports: about whom, and which facts the verdict is made of."""

from dataclasses import dataclass, field
from datetime import datetime

from bounces.verdicts.facts import BounceFacts

#: The kind of a mail that asks to leave a list.
UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Finding:
    """One recipient of a report. ``recipient`` may be "" when the mail names nobody. ``context``: the words
    around it that a person would read, for when the server's own words say nothing."""

    recipient: str
    facts: BounceFacts
    context: str = ""


@dataclass(frozen=True, slots=True)
class MailReport:
    """``kind``: of BounceFacts. ``findings``: empty for a mail that reports on nobody. ``our_header``: the
    value of X-Mailinglist-Delivery in the returned mail, to be checked by who acts on it. ``problem``: the
    sentence that says why the mail could not be read. ``document``: the notification of SES that the mail
    carries as its text (SNS by e-mail). ``sender``: the address in From. ``sent_at``: its Date, in UTC, None
    where there is none that can be read. ``message_id``: its Message-ID. ``token``: of a mail that asks to leave a
    list, as it was found there; whether we signed it is for others to say."""

    kind: str
    findings: tuple[Finding, ...] = field(default=())
    our_header: str = ""
    problem: str = ""
    document: bytes = b""
    sender: str = ""
    sent_at: datetime | None = None
    message_id: str = ""
    token: str = ""
