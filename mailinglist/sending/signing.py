"""Signature Version 4 by botocore, with what does not change within a second computed once.

Used by ``wire.py``. Everything that is signed and how is botocore's SigV4Auth; this class keeps the canonical request
without its last line (the hash of the body), the credential scope and the signing key for the present second.
"""

import threading
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from botocore import exceptions as boto
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime


@dataclass(frozen=True, slots=True)
class _Second:
    """What all requests to one path share in one second. ``headers`` end with the Authorization's signature to come."""

    canonical: str
    to_sign: str
    key: bytes
    headers: bytes


class Signer:
    """Signs POSTs to one endpoint; used by all threads. ``credentials``: botocore's, refreshed by themselves."""

    def __init__(self, credentials: Any, *, service: str, region: str, url: str, content_type: str) -> None:
        self._credentials, self._service, self._region = credentials, service, region
        self._url, self._content_type = url, content_type
        self._kept: dict[str, tuple[str, _Second]] = {}
        self._making = threading.Lock()

    def headers(self, path: str, body: bytes) -> bytes:
        """The header fields of a signed POST of ``body``, with their CRLFs and without Content-Length.

        Raises botocore's NoCredentialsError.
        """
        second = self._second(path)
        canonical = second.canonical + sha256(body).hexdigest()
        to_sign = second.to_sign + sha256(canonical.encode()).hexdigest()
        signature: str = SigV4Auth._sign(None, second.key, to_sign, hex=True)
        return second.headers + signature.encode() + b"\r\n"

    def _second(self, path: str) -> _Second:
        timestamp = get_current_datetime().strftime(SIGV4_TIMESTAMP)
        kept = self._kept.get(path)
        if kept is None or kept[0] != timestamp:
            with self._making:
                kept = (timestamp, self._prepare(path, timestamp))
                self._kept[path] = kept
        return kept[1]

    def _prepare(self, path: str, timestamp: str) -> _Second:
        if self._credentials is None:
            raise boto.NoCredentialsError
        frozen = self._credentials.get_frozen_credentials()
        auth = SigV4Auth(frozen, self._service, self._region)
        request = AWSRequest(
            "POST", self._url + path, headers={"Content-Type": self._content_type}, data=b"-"
        )
        request.context["timestamp"] = timestamp
        auth._modify_request_before_signing(request)
        canonical = auth.canonical_request(request).rpartition("\n")[0] + "\n"
        to_sign = auth.string_to_sign(request, canonical).rpartition("\n")[0] + "\n"
        signed = auth.headers_to_sign(request)
        fields = dict(request.headers.items()) | {"Host": signed["host"]}
        fields["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
            f"SignedHeaders={auth.signed_headers(signed)}, Signature="
        )
        head = "\r\n".join(f"{name}: {value}" for name, value in fields.items())
        return _Second(canonical, to_sign, _signing_key(auth, timestamp), head.encode())


def _signing_key(auth: SigV4Auth, timestamp: str) -> bytes:
    """The derived key of the day: botocore's own steps in SigV4Auth.signature, without the last."""
    key: bytes = f"AWS4{auth.credentials.secret_key}".encode()
    for part in (timestamp[0:8], auth._region_name, auth._service_name, "aws4_request"):
        key = auth._sign(key, part)
    return key
