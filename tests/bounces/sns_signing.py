"""A signer of SNS messages: an authority, certificates of any kind, and envelopes signed as SNS does.

Written apart from ``sandbox.signing``, which is the product's double: two readings of one specification.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
TOPIC = "arn:aws:sns:us-east-1:123456789012:ses-events"
URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"


@cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    *,
    name: str = "sns.amazonaws.com",
    days: tuple[int, int] = (-1, 365),
    issuer: str = "authority",
    bits: int = 2048,
) -> bytes:
    """The PEM of a certificate for the key "signer", valid between ``days`` from now."""
    signs_itself = issuer == "itself"
    private = key("signer") if bits == 2048 else key("short", bits)
    subject = _name(name)
    builder = _builder(subject, subject if signs_itself else _name(issuer), private, days)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return _pem(builder.sign(private if signs_itself else key(issuer), hashes.SHA256()))


def authority(name: str = "authority") -> bytes:
    builder = _builder(_name(name), _name(name), key(name), (-1, 3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return _pem(builder.sign(key(name), hashes.SHA256()))


def envelope(message: str = "{}", *, version: str = "2", sha: str = "", **changes: Any) -> dict[str, Any]:
    """A signed Notification; ``changes`` are made before signing, None takes a field away."""
    found: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "7a1f0c52-0000-4000-8000-000000000001",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": message,
        "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": version,
        "SigningCertURL": URL,
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
    }
    found = {name: value for name, value in {**found, **changes}.items() if value is not None}
    if found["Type"] == "Notification":
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(name + "\n" + found[name] + "\n" for name in names if name in found)
    algorithm = hashes.SHA1() if (sha or version) == "1" else hashes.SHA256()
    signature = key("signer").sign(text.encode(), padding.PKCS1v15(), algorithm)
    return {**found, "Signature": base64.b64encode(signature).decode()}


def confirmation(**changes: Any) -> dict[str, Any]:
    extra = {
        "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
        "Token": "2336412f37",
    }
    return envelope(
        "You have chosen to subscribe.",
        **{"Type": "SubscriptionConfirmation", "Subject": None, **extra, **changes},
    )


def body(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


def payload(path: str) -> bytes:
    return (PAYLOADS / path).read_bytes()


class Origin:
    """Stands where the network is: serves one certificate at one address and counts the fetches."""

    def __init__(self, pem: bytes | None = None, url: str = URL) -> None:
        self.pem = pem if pem is not None else certificate()
        self.url = url
        self.fetched: list[str] = []
        self.down = False

    def __call__(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.down or url != self.url:
            raise OSError("no answer")
        return self.pem


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, private: rsa.RSAPrivateKey, days: tuple[int, int]
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(private.public_key())
    )
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now + timedelta(days=days[0])).not_valid_after(
        now + timedelta(days=days[1])
    )


def _pem(found: x509.Certificate) -> bytes:
    return found.public_bytes(serialization.Encoding.PEM)
