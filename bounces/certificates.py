"""The certificates that sign SNS messages: fetched once, checked, kept while the process lives.

Used by ``sns`` after topic and address were found good. A failed fetch is remembered for seconds only, so
that an outage ends when it ends; and however many forgeries come, few fetches leave.
"""

import http.client
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

HOST = "sns.amazonaws.com"
MAX_PEM = 64 * 1024
TIMEOUT = 5.0
#: Shorter than the 20 seconds between two tries of SNS: each of its few tries is a real one.
FAILURE_SECONDS = 15.0
#: Certificates kept. Amazon has one a region at a time.
KEPT = 16
#: Forgers who know the topic can invent addresses; more fetches than this leave in no minute.
FETCHES_A_MINUTE = 6

Fetch = Callable[[str], bytes]
_Signer = tuple[x509.Certificate, RSAPublicKey]
_V = TypeVar("_V")


class Unavailable(Exception):
    """No valid certificate just now; later there may be one."""


class OutOfDate(Unavailable):
    """It is not valid now; it is between ``begins`` and ``ends``."""

    def __init__(self, says: str, begins: datetime, ends: datetime) -> None:
        super().__init__(says, begins, ends)
        self.begins, self.ends = begins, ends

    def __str__(self) -> str:
        return str(self.args[0])


class Untrusted(Exception):
    """There is a certificate, and it is not one of SNS."""


class Certificates:
    """The keys behind certificate addresses. Threads may share it; ``fetch`` raises OSError when it fails."""

    def __init__(self, trust_anchor_pem: bytes | None, fetch: Fetch) -> None:
        self._anchors = x509.load_pem_x509_certificates(trust_anchor_pem) if trust_anchor_pem else []
        self._fetch = fetch
        self._kept: dict[str, _Signer] = {}
        self._failures: dict[str, tuple[float, Exception]] = {}
        self._fetched_at: list[float] = []
        self._fetching = threading.Lock()

    def key(self, url: str) -> RSAPublicKey:
        """The public key of the certificate at ``url``. Raises Unavailable (OutOfDate) or Untrusted."""
        certificate, key = self._kept.get(url) or self._obtain(url)
        _check_dates(certificate)
        return key

    def _obtain(self, url: str) -> _Signer:
        # One at a time: those who wait for the same certificate find it when their turn comes.
        if not self._fetching.acquire(timeout=TIMEOUT):
            raise Unavailable("Another certificate is being fetched.")
        try:
            if url in self._kept:
                return self._kept[url]
            self._raise_if_failed_lately(url)
            self._count_fetch()
            try:
                signer = self._checked(url, self._download(url))
            except (Unavailable, Untrusted) as failure:
                _keep(self._failures, url, (time.monotonic() + FAILURE_SECONDS, failure))
                raise
            _keep(self._kept, url, signer)
            return signer
        finally:
            self._fetching.release()

    def _download(self, url: str) -> bytes:
        try:
            return self._fetch(url)
        except OSError as error:
            raise Unavailable(f"Could not fetch {url}: {error}") from error

    def _raise_if_failed_lately(self, url: str) -> None:
        until, failure = self._failures.get(url, (0.0, None))
        if failure and time.monotonic() < until:
            raise type(failure)(*failure.args)

    def _count_fetch(self) -> None:
        now = time.monotonic()
        self._fetched_at = [at for at in self._fetched_at if at > now - 60]
        if len(self._fetched_at) >= FETCHES_A_MINUTE:
            raise Unavailable(f"{FETCHES_A_MINUTE} certificates were fetched within this minute.")
        self._fetched_at.append(now)

    def _checked(self, url: str, pem: bytes) -> _Signer:
        """The first certificate of the file and its key, if it is one of SNS."""
        try:
            certificate, *others = x509.load_pem_x509_certificates(pem[:MAX_PEM])
            key = certificate.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Unavailable(f"What is at {url} is no certificate.") from error
        if HOST not in _names(certificate):
            raise Untrusted(f"The certificate at {url} is not for {HOST}.")
        _check_dates(certificate)
        if self._anchors:
            self._check_chain(url, certificate, others)
        elif certificate.issuer == certificate.subject:
            # Amazon's file holds no intermediates, so that no chain can be built here. That it is Amazon's is
            # proven by TLS: the host is exact, and its chain ends at the system's authorities.
            raise Untrusted(f"The certificate at {url} has signed itself.")
        if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
            raise Untrusted(f"The key of the certificate at {url} is not RSA with 2048 bits or more.")
        return certificate, key

    def _check_chain(self, url: str, certificate: x509.Certificate, others: list[x509.Certificate]) -> None:
        names = ExtensionPolicy.permit_all().require_present(
            x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
        )
        policy = PolicyBuilder().store(Store(self._anchors)).time(datetime.now(UTC))
        policy = policy.extension_policies(ca_policy=_authorities(), ee_policy=names)
        try:
            policy.build_server_verifier(x509.DNSName(HOST)).verify(certificate, others)
        except VerificationError as error:
            raise Untrusted(
                f"The certificate at {url} was not issued by the trust anchor: {error}"
            ) from error


def fetch(url: str) -> bytes:
    """What is at ``url``: no redirects, no proxies, 64 KB, 5 seconds in all. Raises OSError."""
    parts = urlsplit(url)
    deadline = time.monotonic() + TIMEOUT
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.netloc, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"HTTP status {answer.status}")
        content = b""
        while chunk := answer.read1(8192):
            content += chunk
            if len(content) > MAX_PEM:
                raise OSError(f"more than {MAX_PEM} bytes")
            if time.monotonic() > deadline:
                raise OSError(f"not complete after {TIMEOUT:g} seconds")
        return content
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def _check_dates(certificate: x509.Certificate) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    now = datetime.now(UTC)
    if now < begins:
        raise OutOfDate(f"The certificate is valid from {begins} on only.", begins, ends)
    if now > ends:
        raise OutOfDate(f"The certificate expired at {ends}.", begins, ends)


def _names(certificate: x509.Certificate) -> set[str]:
    """Common name and alternative names."""
    names = {str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return names
    return names | set(found.value.get_values_for_type(x509.DNSName))


def _authorities() -> ExtensionPolicy:
    return ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)


def _keep(store: dict[str, _V], url: str, value: _V) -> None:
    """Add as the newest of at most KEPT entries."""
    store.pop(url, None)
    store[url] = value
    while len(store) > KEPT:
        del store[next(iter(store))]
