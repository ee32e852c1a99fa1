"""PURE. A mail as flat parts, within bounds: bytes read, depth and number of parts, length of texts.

``open_mail`` raises nothing but Unreadable, whatever the bytes are.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser, Parser
from email.policy import compat32
from typing import Any

MAX_BYTES = 256 * 1024
MAX_TEXT = 32 * 1024
MAX_PARTS = 60
MAX_DEPTH = 6
#: A mail with more of these is built to keep the parser busy.
MAX_BOUNDARIES = 200

_BOUNDARY = re.compile(rb"boundary\s{0,20}=", re.IGNORECASE)
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status", "message/x-delivery-status")
_FEEDBACK_TYPE = "message/feedback-report"
_RETURNED = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/partial",
)


class Unreadable(Exception):
    """The mail cannot be read; the message says why."""


Group = list[tuple[str, str]]


@dataclass(slots=True)
class Mail:
    """``text``: what is written for people, without the returned mail. ``status``: groups of fields of
    delivery status parts. ``feedback``: fields of a feedback report. ``returned``: the returned mail or its
    headers.
    ``types``: content types of all parts, the mail's own first."""

    headers: Message
    text: str = ""
    status: list[Group] = field(default_factory=list)
    feedback: Group = field(default_factory=list)
    returned: list[Message] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    _read: dict[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """A header of the mail, decoded and on one line; "" if it is missing."""
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = header_of(self.headers, name)
        return found

    def parameter(self, name: str) -> str:
        """A parameter of the mail's content type, in lower case."""
        try:
            return str(self.headers.get_param(name) or "").lower()
        except (ValueError, LookupError, TypeError):
            return ""


def open_mail(raw: bytes) -> Mail:
    """The mail in ``raw``; more than MAX_BYTES are not looked at. Raises Unreadable."""
    raw = raw[:MAX_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n \t\xef\xbb\xbf")
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    if len(_BOUNDARY.findall(raw)) > MAX_BOUNDARIES:
        raise Unreadable("The mail has too many nested parts.")
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
        mail = Mail(message)
        _collect(message, mail, 0, [MAX_PARTS])
    except (
        RecursionError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        HeaderParseError,
        IndexError,
    ) as error:
        raise Unreadable(
            f"The mail is built in a way that cannot be read ({type(error).__name__})."
        ) from error
    if not message.keys() and not mail.text.strip():
        raise Unreadable("There is no mail in it.")
    return mail


def reopen(message: Message) -> Mail:
    """An embedded mail as a mail of its own: a report that somebody forwarded."""
    mail = Mail(message)
    _collect(message, mail, 0, [MAX_PARTS])
    return mail


def header_of(message: Message, name: str) -> str:
    """A header, decoded and on one line; "" if it is missing."""
    value = message.get(name)
    if value is None:
        return ""
    text = str(value)[:2000]
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, ValueError, binascii.Error):
            text = str(make_header(decode_header(text)))
    return " ".join(text.split())


def fields(text: str) -> Iterator[Group]:
    """Groups of ``Name: value`` lines that blank lines separate, names in lower case, values unfolded."""
    group: Group = []
    for line in text.split("\n"):
        if not line.strip():
            if group:
                yield group
                group = []
        elif line[0] in " \t" and group:
            name, value = group[-1]
            if len(value) < 4000:
                group[-1] = (name, f"{value} {line.strip()}")
        else:
            name, colon, value = line.partition(":")
            if colon and " " not in name.strip():
                group.append((name.strip().lower(), value.strip()))
    if group:
        yield group


def _collect(part: Message, mail: Mail, depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if budget[0] < 0 or depth > MAX_DEPTH:
        return
    kind = part.get_content_type()
    mail.types.append(kind)
    if kind in _STATUS_TYPES:
        mail.status += fields(_embedded_text(part))
    elif kind == _FEEDBACK_TYPE:
        mail.feedback += [pair for group in fields(_embedded_text(part)) for pair in group]
    elif kind in _RETURNED and depth:
        mail.returned += _embedded_mails(part)
    elif part.is_multipart():
        children = _children(part)
        if kind == "multipart/alternative":
            children = sorted(children, key=lambda child: child.get_content_type() != "text/plain")[:1]
        for child in children:
            _collect(child, mail, depth + 1, budget)
    elif kind.startswith(("text/", "multipart/")) and _is_for_people(part, mail):
        mail.text += _text(part, kind) + "\n"


def _is_for_people(part: Message, mail: Mail) -> bool:
    attached = mail.text and "attachment" in str(part.get("Content-Disposition", "")).lower()
    return len(mail.text) < MAX_TEXT and not attached


def _text(part: Message, kind: str) -> str:
    payload = part.get_payload(decode=True)
    data = payload[: MAX_TEXT * 2] if isinstance(payload, bytes) else b""
    text = _decoded(data, part.get_content_charset() or "")
    if kind == "text/html" or text.lstrip()[:14].lower().startswith(("<html", "<!doctype html")):
        text = _without_tags(text)
    return text[:MAX_TEXT]


def _decoded(data: bytes, charset: str) -> str:
    for candidate in (charset, "utf-8"):
        try:
            return data.decode(candidate) if candidate else data.decode()
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8" if charset == "utf-8" else "latin-1", "replace")


_STYLE = re.compile(r"<(style|script)\b[^<]{0,5000}", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d|p|div|tr)\b[^<>]{0,500}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!][^<>@]{0,1000}>")


def _without_tags(text: str) -> str:
    text = _STYLE.sub(" ", text.replace("\n", " "))
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", text)))


def _embedded_text(part: Message) -> str:
    """The source text of a part that the parser took apart, or that is encoded although it must not be."""
    if children := _children(part):
        blocks = [
            "\n".join([f"{name}: {value}" for name, value in block.items()] + [_plain(block)])
            for block in children[:MAX_PARTS]
        ]
        text = "\n\n".join(blocks)
    else:
        text = str(part.get_payload())
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        with suppress(binascii.Error, ValueError):
            text = base64.b64decode(text.encode("ascii", "ignore")).decode("utf-8", "replace")
    elif "quoted-printable" in str(part.get("Content-Transfer-Encoding", "")).lower():
        text = text.replace("=3D", "=").replace("=\n", "")
    return text[:MAX_TEXT].replace("\r\n", "\n")


def _children(part: Message) -> list[Message]:
    payload: Any = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _plain(block: Message) -> str:
    payload = block.get_payload()
    return payload[:MAX_TEXT] if isinstance(payload, str) else ""


def _embedded_mails(part: Message) -> list[Message]:
    if children := _children(part):
        return children[:1]
    text = str(part.get_payload())[:MAX_TEXT].lstrip()
    return [Parser(policy=compat32).parsestr(text, headersonly=True)]
