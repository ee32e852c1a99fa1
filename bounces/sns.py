"""Proof that a message was published by SNS to a topic of ours: shape, topic, certificate, signature.

Called by the webhook. What can be refused without the network is refused before it is touched; nothing in a
message is ever fetched but a certificate at the one host that signs for our topic's region. A certificate that
was not valid when the message says it was published is a forgery. One that was, and only now is not, is Retry:
our clock may be what is wrong, and then SNS tries again and nothing is lost.
Shape, string to sign and algorithms as in the SNS developer guide, "Verifying the signatures of Amazon SNS
messages".
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bounces import certificates
from bounces.ses_json import Wrong, clean, loads

#: SNS carries 256 KB; as JSON in JSON that can grow, but not beyond this.
MAX_BODY = 512 * 1024
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
#: Type → the fields that are signed, in the order in which they are signed.
SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_PROOF = ("SignatureVersion", "Signature", "SigningCertURL")
_ALWAYS = ("Type", "MessageId", "TopicArn", "Message", "Timestamp", *_PROOF)
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{1,128}\.pem")
_HEADERS = {
    "x-amz-sns-message-type": "Type",
    "x-amz-sns-message-id": "MessageId",
    "x-amz-sns-topic-arn": "TopicArn",
}


class Forged(Exception):
    """Not from SNS, or not from a topic of ours; nothing of it may be kept."""


class Unreadable(Exception):
    """Not an SNS message; the message of the exception says why."""


class TooLarge(Exception):
    """More bytes than SNS sends."""


class Retry(Exception):
    """It cannot be checked now; the sender should try again."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A proven message. ``token``: of a confirmation, else empty. ``timestamp``: when SNS published it."""

    type: str
    message: str
    message_id: str
    topic_arn: str
    token: str
    timestamp: datetime | None


class Verifier:
    """Verifies messages of ``topics`` (ARNs; none: every message is refused). Threads may share it.

    ``cert_origin`` ("http://host:port") replaces Amazon's host, and ``trust_anchor_pem`` its authority, for a
    local SES. ``require_v2`` refuses SHA-1 signatures. ``fetch`` takes an address and returns the file, or
    raises OSError.
    """

    def __init__(
        self,
        topics: frozenset[str],
        *,
        cert_origin: str | None = None,
        trust_anchor_pem: bytes | None = None,
        require_v2: bool = False,
        fetch: certificates.Fetch = certificates.fetch,
    ) -> None:
        self._origins = {topic: cert_origin or _amazon(topic) for topic in topics}
        self._require_v2 = require_v2
        self._certificates = certificates.Certificates(trust_anchor_pem, fetch)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Envelope:
        """The message in ``body``, proven. Raises Forged, Unreadable, TooLarge or Retry."""
        if len(body) > MAX_BODY:
            raise TooLarge(f"The body is larger than {MAX_BODY} bytes.")
        given = {name.lower(): value for name, value in headers.items()}
        _check_transport(given)
        message = _read(body)
        self._check_claims(message, given)
        self._check_signature(message)
        return Envelope(
            type=message["Type"],
            message=message["Message"],
            message_id=clean(message["MessageId"], 90),
            topic_arn=message["TopicArn"],
            token=message.get("Token", ""),
            timestamp=_time(message["Timestamp"]),
        )

    def _check_claims(self, message: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """All that the message says about itself, without the network."""
        for header, name in _HEADERS.items():
            if header in headers and headers[header] != message[name]:
                raise Forged(f"The header {header} and the {name} of the body differ.")
        topic, version, url = message["TopicArn"], message["SignatureVersion"], message["SigningCertURL"]
        if topic not in self._origins:
            raise Forged(f"The topic {topic[:300]!r} is not in SNS_TOPIC_ARNS.")
        if version not in _HASHES:
            raise Forged(f"The SignatureVersion {version[:20]!r} is not known.")
        if version == "1" and self._require_v2:
            raise Forged("SignatureVersion 1 is refused, because SNS_REQUIRE_V2 is set.")
        origin = self._origins[topic]
        # As text, and not by the parts of a URL: two parsers may disagree about those.
        if not (url.startswith(origin) and _CERTIFICATE_PATH.fullmatch(url[len(origin) :])):
            raise Forged(f"The SigningCertURL {url[:300]!r} is no certificate of {origin}.")

    def _check_signature(self, message: Mapping[str, str]) -> None:
        signature, signed = _signature(message["Signature"]), string_to_sign(message)
        try:
            key = self._certificates.key(message["SigningCertURL"])
        except certificates.OutOfDate as error:
            published = _time(message["Timestamp"])
            if published and error.begins <= published <= error.ends:
                raise Retry(str(error)) from error
            raise Forged(str(error)) from error
        except certificates.Unavailable as error:
            raise Retry(str(error)) from error
        except certificates.Untrusted as error:
            raise Forged(str(error)) from error
        try:
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[message["SignatureVersion"]])
        except InvalidSignature as error:
            raise Forged("The signature does not fit the message.") from error


def string_to_sign(message: Mapping[str, str]) -> bytes:
    """``Name\\nValue\\n`` of each signed field, in order; Subject only where the message has one."""
    names = SIGNED_FIELDS[message["Type"]]
    return "".join(f"{name}\n{message[name]}\n" for name in names if name in message).encode()


def _amazon(topic: str) -> str:
    """The origin of the certificates for a topic: the host of its own region, and no pattern of hosts."""
    _, partition, _, region, *_ = [*topic.split(":"), "", "", "", ""]
    return f"https://sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"


def _check_transport(headers: Mapping[str, str]) -> None:
    if encoding := headers.get("content-encoding"):
        raise Unreadable(f"The body is encoded ({encoding[:40]}). SNS never does that; send it as it is.")
    if headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
        raise Forged("Raw message delivery has no signature. Turn it off for this subscription.")


def _read(body: bytes) -> dict[str, str]:
    """The fields that are signed or needed to check it, all of them text. Raises Unreadable or Forged."""
    try:
        found = loads(body)
    except Wrong as wrong:
        raise Unreadable(str(wrong)) from wrong
    message = {name: _text(found, name) for name in _ALWAYS}
    if message["Type"] not in SIGNED_FIELDS:
        raise Forged(f"The Type {message['Type'][:40]!r} is not one of SNS.")
    for name in SIGNED_FIELDS[message["Type"]]:
        if name != "Subject" or found.get("Subject") is not None:
            message[name] = _text(found, name)
    return message


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or (not value and name != "Subject"):
        raise Unreadable(f"It is not an SNS message: {name} is missing or not text.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unreadable(f"It is not an SNS message: {name} has half a character.") from error
    return value


def _signature(text: str) -> bytes:
    """Strict base64: there is one way only to write a signature."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Forged("The Signature is not base64.") from error
    if base64.b64encode(found).decode() != text:
        raise Forged("The Signature is not base64 as it is written.")
    return found


def _time(text: str) -> datetime | None:
    """A signed message is kept even if its time cannot be read."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
