"""Reports as mail systems send them about mails of ours; with or without our header, which alone makes them act."""

from datetime import datetime
from email.utils import format_datetime

from mailinglist import tokens
from mailinglist.models import Delivery
from tests.ses_events import T0


def header_of(delivery: Delivery, attempt: int = 1) -> str:
    return f"X-Mailinglist-Delivery: {tokens.sign_delivery(delivery.pk, attempt)}"


def dsn(
    *people: str,
    header: str = "",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 User unknown",
    at: datetime = T0,
    number: int = 1,
) -> bytes:
    """A delivery status notification (RFC 3464) about ``people``."""
    groups = "\n\n".join(
        f"Final-Recipient: rfc822; {person}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {diagnostic}"
        for person in people
    )
    parts = [
        f"Content-Type: text/plain\n\nYour message to {', '.join(people)}: {diagnostic}\n",
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n{groups}\n",
        _returned(header, people[0]),
    ]
    return _mail(
        "Mail Delivery System <MAILER-DAEMON@mx.example.net>", "Undelivered Mail Returned to Sender", at, number,
        'multipart/report; report-type=delivery-status; boundary="cut"', _multipart(parts),
    )  # fmt: skip


def arf(
    header: str = "", *, person: str = "ada@post.example", kind: str = "abuse", at: datetime = T0
) -> bytes:
    """A complaint (RFC 5965)."""
    parts = [
        "Content-Type: text/plain\n\nThis is an email abuse report.\n",
        f"Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: P/1\nVersion: 1\n"
        f"Original-Rcpt-To: <{person}>\n",
        _returned(header, person),
    ]
    return _mail(
        "Feedback <feedback@mx.example.net>", "Abuse report", at, 9,
        'multipart/report; report-type=feedback-report; boundary="cut"', _multipart(parts),
    )  # fmt: skip


def qmail(header: str, person: str = "ada@post.example") -> bytes:
    """Written for people, with the returned mail in the text."""
    text = (
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to "
        f"the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{person}>:\n"
        "192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\nGiving up on 192.0.2.9.\n\n"
        f"--- Below this line is a copy of the message.\n\n{header}\nFrom: news@acme.example\nTo: {person}\n"
        "Subject: News\n\nDear Ada,\n"
    )
    return _mail("MAILER-DAEMON@mx.example.net", "failure notice", T0, 7, "text/plain", text)


def plain(sender: str, subject: str, *, extra: str = "", text: str = "Good day.", at: datetime = T0) -> bytes:
    """A mail without parts."""
    return _mail(sender, subject, at, 3, "text/plain; charset=utf-8", text, extra)


def _mail(
    sender: str, subject: str, at: datetime, number: int, kind: str, text: str, extra: str = ""
) -> bytes:
    head = (
        f"From: {sender}\nTo: bounces@acme.example\nSubject: {subject}\nDate: {format_datetime(at)}\n"
        f"Message-ID: <report-{number}@mx.example.net>\nMIME-Version: 1.0\nContent-Type: {kind}\n"
    )
    return (head + (f"{extra}\n" if extra else "") + "\n" + text).encode()


def _returned(header: str, person: str) -> str:
    first = f"{header}\n" if header else ""
    return (
        f"Content-Type: message/rfc822\n\n{first}From: Acme News <news@acme.example>\nTo: {person}\nSubject: News\n\n"
        "Dear Ada,\n"
    )


def _multipart(parts: list[str]) -> str:
    return "".join(f"--cut\n{part}\n" for part in parts) + "--cut--\n"
