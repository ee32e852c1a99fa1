"""A mail as the caller posted it: SendEmail's JSON in, a checked ``Mail`` out. Pure, no I/O.

What SES does to a mail is done here too: ``X-SES-*`` headers are read and taken out, configuration set and tags
come from the parameters or from those headers (a parameter wins), headers that must be single are. The wording
of the refusals follows the messages that SES is known for; where none is documented (a line above 1,000
characters), it is our own.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from typing import Any

from sandbox.errors import bad_request

MAX_BYTES = 40 * 1024 * 1024
MAX_RECIPIENTS = 50
MAX_LINE = 1_000

#: SES refuses a raw mail in which one of these comes twice (RFC 5322 §3.6, RFC 2369, RFC 8058).
SINGLE_HEADERS = frozenset(
    [
        "bcc",
        "cc",
        "content-type",
        "date",
        "from",
        "in-reply-to",
        "list-help",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "mime-version",
        "precedence",
        "references",
        "reply-to",
        "return-path",
        "sender",
        "subject",
        "to",
    ]
)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """``raw`` and ``headers`` are without ``X-SES-*``; ``recipients`` are bare addresses, To, Cc and Bcc."""

    source: str
    recipients: tuple[str, ...]
    headers: Headers
    raw: bytes
    tags: dict[str, str]
    configuration_set: str | None

    def header(self, name: str) -> str:
        """The first header of that name, unfolded but still encoded; empty when there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def size(self) -> int:
        return len(self.raw)


def from_request(payload: Any) -> Mail:
    """The mail of a SendEmail request body; raises SesError BadRequestException for what SES would refuse."""
    if not isinstance(payload, dict):
        raise bad_request("The request body must be a JSON object.")
    raw = _raw_content(payload)
    if len(raw) > MAX_BYTES:
        raise bad_request(f"Message length is more than {MAX_BYTES} bytes long: '{len(raw)}'.")
    kept, taken, clean = _without_ses_headers(raw)
    _check_lines(clean)
    _check_single(kept)
    source = _text(payload, "FromEmailAddress") or _first(kept, "from")
    if not source:
        raise bad_request("Missing required header 'From'.")
    _check_address(parseaddr(source)[1])
    return Mail(
        source=source,
        recipients=_recipients(payload, kept),
        headers=kept,
        raw=clean,
        tags=_header_tags(taken.get("x-ses-message-tags", "")) | _parameter_tags(payload.get("EmailTags")),
        configuration_set=_text(payload, "ConfigurationSetName") or taken.get("x-ses-configuration-set"),
    )


def as_delivered(mail: Mail, *, message_id: str, date: str) -> bytes:
    """The mail as it leaves SES, which replaces Message-ID and Date with its own and drops Bcc."""
    fields, body = _split(mail.raw)
    kept = [field for name, field in fields if name.lower() not in ("message-id", "date", "bcc")]
    own = f"Message-ID: <{message_id}@email.amazonses.com>\r\nDate: {date}\r\n".encode()
    return own + b"".join(kept) + b"\r\n" + body


def _raw_content(payload: dict[str, Any]) -> bytes:
    content = payload.get("Content")
    if not isinstance(content, dict):
        raise bad_request("Missing required field Content.")
    if isinstance(content.get("Raw"), dict):
        try:
            return base64.b64decode(content["Raw"].get("Data") or "", validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise bad_request("Content.Raw.Data is not valid base64.") from error
    if isinstance(content.get("Simple"), dict):
        try:
            return _simple(payload, content["Simple"]).as_bytes()
        except (AttributeError, KeyError, TypeError, ValueError, LookupError) as error:
            raise bad_request(f"Content.Simple cannot be made into a mail: {error}") from error
    raise bad_request("Content must hold Raw or Simple; templates are not part of SendEmail here.")


def _simple(payload: dict[str, Any], content: dict[str, Any]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = payload["FromEmailAddress"]
    destination = payload.get("Destination") or {}
    for header, field in (("To", "ToAddresses"), ("Cc", "CcAddresses")):
        if destination.get(field):
            message[header] = ", ".join(destination[field])
    if payload.get("ReplyToAddresses"):
        message["Reply-To"] = ", ".join(payload["ReplyToAddresses"])
    message["Subject"] = content["Subject"]["Data"]
    for header in content.get("Headers") or []:
        message[header["Name"]] = header["Value"]
    body = content["Body"]
    if "Text" not in body and "Html" not in body:
        raise ValueError("Body needs Text or Html.")
    if "Text" in body:
        message.set_content(body["Text"]["Data"])
        if "Html" in body:
            message.add_alternative(body["Html"]["Data"], subtype="html")
    else:
        message.set_content(body["Html"]["Data"], subtype="html")
    return message


def _split(raw: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Header fields as (name, bytes with continuation lines and line ends), and the body."""
    end = re.search(rb"\r?\n\r?\n", raw)
    block, body = (raw, b"") if end is None else (raw[: end.start()] + b"\r\n", raw[end.end() :])
    fields: list[tuple[str, bytes]] = []
    for field in re.split(rb"(?<=\n)(?![ \t])", block):
        name, colon, _ = field.partition(b":")
        if colon and re.fullmatch(rb"[!-9;-~]+", name.rstrip()):
            fields.append((name.rstrip().decode("ascii"), field))
        elif field.strip():
            raise bad_request(f"Header line is not understood: {field[:60]!r}")
    return fields, body


def _without_ses_headers(raw: bytes) -> tuple[Headers, dict[str, str], bytes]:
    fields, body = _split(raw)
    if not fields:
        raise bad_request("The raw message has no headers.")
    kept: list[tuple[str, str]] = []
    taken: dict[str, str] = {}
    parts: list[bytes] = []
    for name, field in fields:
        if name.lower().startswith("x-ses-"):
            taken[name.lower()] = _unfolded(field)
        else:
            kept.append((name, _unfolded(field)))
            parts.append(field)
    return tuple(kept), taken, b"".join(parts) + b"\r\n" + body


def _unfolded(field: bytes) -> str:
    value = field.partition(b":")[2]
    return re.sub(rb"\r?\n(?=[ \t])", b"", value).strip().decode("utf-8", "replace")


def _check_lines(raw: bytes) -> None:
    longest = max(map(len, raw.split(b"\n")))
    if longest > MAX_LINE:
        raise bad_request(f"A line of the message is longer than {MAX_LINE} characters: {longest}.")


def _check_single(headers: Headers) -> None:
    seen: set[str] = set()
    for name, _ in headers:
        key = name.lower()
        if key in SINGLE_HEADERS and key in seen:
            raise bad_request(f"Duplicate header '{name}'.")
        seen.add(key)


def _recipients(payload: dict[str, Any], headers: Headers) -> tuple[str, ...]:
    destination = payload.get("Destination")
    written: list[str] = []
    if isinstance(destination, dict):
        for field in ("ToAddresses", "CcAddresses", "BccAddresses"):
            written += _strings(destination.get(field), f"Destination.{field}")
    if not written:
        written = [value for name, value in headers if name.lower() in ("to", "cc", "bcc")]
    addresses = tuple(dict.fromkeys(address for _, address in getaddresses(written) if address))
    if not addresses:
        raise bad_request("Missing final '@domain'" if written else "The message has no recipients.")
    if len(addresses) > MAX_RECIPIENTS:
        raise bad_request(f"Recipient count exceeds {MAX_RECIPIENTS}.")
    for address in addresses:
        _check_address(address)
    return addresses


def _check_address(address: str) -> None:
    local, at, domain = address.rpartition("@")
    if not at or not domain:
        raise bad_request("Missing final '@domain'")
    if not local:
        raise bad_request("User name is missing")
    if not re.fullmatch(r"[!-~]+", local):
        raise bad_request("Local address contains control or whitespace")
    if not re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+", domain):
        raise bad_request("Domain contains illegal character")


def _header_tags(value: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    return _checked_tags((name.strip(), tag.strip()) for name, _, tag in pairs)


def _parameter_tags(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, list) or not all(isinstance(tag, Mapping) for tag in value):
        raise bad_request("EmailTags must be a list of {Name, Value}.")
    return _checked_tags((str(tag.get("Name", "")), str(tag.get("Value", ""))) for tag in value)


def _checked_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    tags = dict(pairs)
    for name, value in tags.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name):
            raise bad_request(
                f"Invalid tag name <{name}>: only alphanumeric ASCII characters, '_' and '-' are allowed."
            )
        if not re.fullmatch(r"[A-Za-z0-9_.@-]{1,256}", value):
            raise bad_request(
                f"Invalid tag value <{value}>: only alphanumeric ASCII characters, '_', '-', '.' and '@'"
                " are allowed."
            )
    return tags


def _text(payload: dict[str, Any], field: str) -> str:
    value = payload.get(field) or ""
    if not isinstance(value, str):
        raise bad_request(f"{field} must be a string.")
    return value


def _strings(value: Any, field: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise bad_request(f"{field} must be a list of strings.")
    return value


def _first(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
