"""PURE. Mails that ask to leave a list: written by mail programs to the mailto address of List-Unsubscribe.

Called by dsn.py for mails that report nothing. The token in the subject, or behind a plus in the address, is what
counts; whether it is ours is for the reader of tokens to say. From proves nothing and is not asked.
"""

import re

from bounces.mail.parts import Mail

#: Where the address that a mail was written or delivered to may stand.
_RECIPIENTS = (
    "To",
    "Cc",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Forwarded-To",
    "Resent-To",
)
#: What ``tokens`` signs: person, list, signature. Some mail systems take no colon in an address.
_TOKEN = r"[A-Za-z0-9_-]{8,32}\.[A-Za-z0-9_-]{8,32}[:=][A-Za-z0-9_-]{20,64}"  # noqa: S105
_IN_SUBJECT = re.compile(rf"(?<![A-Za-z0-9_.-]){_TOKEN}(?![A-Za-z0-9_-])")
#: What programs write that answer by themselves; no mail program asks to leave so.
_ANSWERING = ("bulk", "junk", "list")


def token_in(mail: Mail, mailbox: str) -> str:
    """The token of a mail to ``mailbox`` (an address) that asks to leave; "" for any other mail."""
    local, _, domain = mailbox.rpartition("@")
    if not local or _is_answer(mail):
        return ""
    box = re.compile(
        rf"(?<![\w.+-]){re.escape(local)}(?:\+({_TOKEN}))?@{re.escape(domain)}(?![\w-]|\.\w)", re.IGNORECASE
    )
    reached = [found for name in _RECIPIENTS for found in box.finditer(mail.header(name))]
    if not reached:
        return ""
    tagged = next((found[1] for found in reached if found[1]), "")
    written = _IN_SUBJECT.search(mail.header("Subject"))
    return (tagged or (written[0] if written else "")).replace("=", ":")


def _is_answer(mail: Mail) -> bool:
    """A bounce has no sender to answer to (RFC 5321); an automatic answer says so (RFC 3834) or looks like mass mail."""
    return (
        mail.header("Return-Path") == "<>"
        or mail.header("Auto-Submitted").lower().startswith("auto-replied")
        or mail.header("Precedence").lower() in _ANSWERING
    )
