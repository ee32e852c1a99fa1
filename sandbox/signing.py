"""Our own certificate authority and the signatures of SNS messages.

Made at the first start in the state directory: ``ca.pem`` (what the receiver trusts), ``ca-key.pem``,
``sns-cert.pem`` (CN and SAN sns.amazonaws.com, as the real one) and ``sns-key.pem``. The string to sign and the
algorithms are those of the SNS developer guide, "Verifying the signatures of Amazon SNS messages": RSA PKCS#1
v1.5 with SHA-1 (SignatureVersion 1) or SHA-256 (2).
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "sns.amazonaws.com"
SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303


@dataclass(frozen=True, slots=True)
class Signer:
    """The signing key and the certificate that goes with it."""

    key: rsa.RSAPrivateKey
    certificate_pem: bytes
    certificate_path: str

    def signature(self, message: Mapping[str, str]) -> str:
        """The base64 signature of an SNS message; its Type and SignatureVersion say how."""
        algorithm = _HASHES[message["SignatureVersion"]]
        signed = self.key.sign(string_to_sign(message), padding.PKCS1v15(), algorithm)
        return base64.b64encode(signed).decode("ascii")


def string_to_sign(message: Mapping[str, str]) -> bytes:
    """``Name\\nValue\\n`` of the signed fields in byte order; Subject only where the message has one."""
    fields = SIGNED_FIELDS[message["Type"]]
    return "".join(f"{name}\n{message[name]}\n" for name in fields if name in message).encode()


def load_or_make(directory: Path) -> Signer:
    """The signer of this state directory; makes authority, key and certificate when one of them is missing."""
    key_path, certificate_path = directory / "sns-key.pem", directory / "sns-cert.pem"
    if not (key_path.exists() and certificate_path.exists() and (directory / "ca.pem").exists()):
        _make(directory)
    key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{key_path} is not an RSA key. Delete it, and the sandbox makes new keys.")
    pem = certificate_path.read_bytes()
    name = hashlib.sha256(pem).hexdigest()[:32]
    return Signer(key, pem, f"/SimpleNotificationService-{name}.pem")


def _make(directory: Path) -> None:
    ca_key, key = _new_key(), _new_key()
    ca = _ca_certificate(ca_key)
    _write(directory / "ca-key.pem", _key_pem(ca_key))
    _write(directory / "sns-key.pem", _key_pem(key))
    _write(directory / "sns-cert.pem", _pem(_certificate(key, ca, ca_key)))
    _write(directory / "ca.pem", _pem(ca))


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _ca_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mailinglist sandbox CA")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(name, issuer=name, key=key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return builder.sign(key, hashes.SHA256())


def _certificate(key: rsa.RSAPrivateKey, ca: x509.Certificate, ca_key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = _builder(name, issuer=ca.subject, key=key)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(authority, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _builder(name: x509.Name, *, issuer: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    # A day back, for receivers whose clock is behind ours.
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write to a temporary name first: a start that was killed leaves no half certificate behind."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
