"""PURE. A mail → what it reports: bounces, delays, deliveries, complaints, automatic replies, or nothing.

Called by ``classify_bounces`` and, through ``reading``, by the pipeline. Never raises: a mail that cannot be read is
a report of the kind ``unreadable``. What comes by mail is unauthenticated; who acts on it has to check ``our_header``
first.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bounces.mail import answers, complaints, leaving, prose, statuses
from bounces.mail.addresses import field_address
from bounces.mail.parts import Mail, Unreadable, fields, header_of, open_mail, reopen
from bounces.mail.report import UNSUBSCRIBE, Finding, MailReport

_FORWARDED = re.compile(r"(?:fwd?|wg|tr|rv|i|转发)\s?: ", re.IGNORECASE)
_TRANSCRIPT = re.compile(r"^\W{0,20}transcript of (?:the )?session follows", re.IGNORECASE | re.MULTILINE)
OUR_HEADER = "X-Mailinglist-Delivery"
#: The same where a program put the returned mail into its text.
_HEADER_IN_TEXT = re.compile(
    rf"^[> \t|]{{0,20}}{OUR_HEADER}:[ \t]{{0,9}}([0-9a-f-]{{1,256}})[ \t]*$", re.MULTILINE
)


def read(raw: bytes, *, unsubscribe_mailbox: str = "") -> MailReport:
    """What the mail in ``raw`` reports. ``unsubscribe_mailbox``: the address that people may write to for leaving."""
    try:
        mail = open_mail(raw)
        report = _read(mail, forwarded=False)
        if report.kind == "ordinary" and (token := leaving.token_in(mail, unsubscribe_mailbox)):
            report = MailReport(UNSUBSCRIBE, token=token)
        return replace(
            report,
            sender=field_address(mail.header("From")),
            sent_at=_time(mail.header("Date")),
            message_id=mail.header("Message-ID")[:256],
        )
    except Unreadable as error:
        return MailReport("unreadable", problem=str(error))


def _time(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _read(mail: Mail, *, forwarded: bool) -> MailReport:
    if mail.feedback:
        return _report(mail, "complaint", complaints.read(mail))
    text = prose.own_words(mail)
    if answers.is_challenge(mail):
        return MailReport("challenge")
    findings = _with_context(statuses.read(mail.status), text, mail)
    if findings:
        return _report(mail, findings[0].facts.kind, findings)
    # Some daemons mark their bounces as automatic replies: what they say counts more than how they mark it, unless the
    # subject says so too.
    speaks_for_itself = prose.is_daemon(mail) and not answers.is_titled(mail) and prose.is_bounce(mail, text)
    if (kind := answers.kind_of(mail)) and not (kind == "auto-reply" and speaks_for_itself):
        return MailReport(kind)
    if _FORWARDED.match(mail.header("Subject")) and (quoted := _quoted_fields(mail.text)):
        # A person's words: what they quote proves nothing, even our header.
        return MailReport(quoted[0].facts.kind, tuple(quoted))
    inner = _inner(mail) if not forwarded else None
    if inner:
        return inner
    if prose.is_bounce(mail, text):
        findings = prose.read(mail, text)
        return _report(mail, findings[0].facts.kind, findings)
    return MailReport("ordinary", document=_document(mail.text))


def _document(text: str) -> bytes:
    """The JSON object that the text begins with; SNS puts its advertisement below it."""
    if not text.lstrip().startswith("{"):
        return b""
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return b""
    if isinstance(found, dict) and isinstance(found.get("Message"), str):
        # Mail programs fold long lines, even within a string of JSON.
        found["Message"] = found["Message"].replace("\n ", "").replace("\n", "")
    return json.dumps(found).encode()


def _quoted_fields(text: str) -> list[Finding]:
    """The fields of a delivery status notification that somebody forwarded in quotes."""
    if "Final-Recipient:" not in text:
        return []
    plain = "\n".join(line.lstrip("> ") for line in text.split("\n"))
    return [finding for finding in statuses.read(fields(plain)) if finding.recipient and finding.facts.action]


def _inner(mail: Mail) -> MailReport | None:
    """The report inside a mail that forwards one."""
    for message in mail.returned[:1]:
        inner = reopen(message)
        if _TRANSCRIPT.search(inner.text):
            return _report(mail, "bounce", prose.read(inner, prose.own_words(inner)))
        if message.get_content_type() == "multipart/report":
            report = _read(inner, forwarded=True)
            return report if report.kind in ("bounce", "delay", "complaint") else None
    return None


def _report(mail: Mail, kind: str, findings: list[Finding]) -> MailReport:
    header = next((found for message in mail.returned if (found := header_of(message, OUR_HEADER))), "")
    if not header and (quoted := _HEADER_IN_TEXT.search(mail.text)):
        header = quoted[1]
    return MailReport(kind, tuple(findings), our_header=header[:256])


def _with_context(findings: list[Finding], text: str, mail: Mail) -> list[Finding]:
    """Recipients that are named twice once, those without an address by the text, each with the text around
    it.
    """
    merged: dict[str, Finding] = {}
    for finding in findings:
        if not finding.recipient:
            named = [found.recipient for found in prose.read(mail, text)]
            finding = Finding(named[0] if named else "", finding.facts)
        merged.setdefault(finding.recipient.lower(), Finding(finding.recipient, finding.facts, text))
    return list(merged.values())
