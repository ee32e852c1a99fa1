"""The kept signature against botocore's own, and once more by the algorithm's published steps."""

import time
from datetime import UTC, datetime

import pytest
from botocore import exceptions as boto
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from mailinglist.sending import signing
from mailinglist.sending.signing import Signer

PATH, URL = "/v2/email/outbound-emails", "https://email.eu-central-1.amazonaws.com"


def signer(token: str | None = None, url: str = URL) -> Signer:
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    return Signer(credentials, service="ses", region="eu-central-1", url=url, content_type="application/json")


def fields(head: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in head.decode().strip().split("\r\n"))


@given(st.binary(max_size=3000), st.sampled_from([None, "session-token"]))
def test_the_signature_is_botocores(body: bytes, token: str | None) -> None:
    found = fields(signer(token).headers(PATH, body))
    request = AWSRequest("POST", URL + PATH, headers={"Content-Type": "application/json"}, data=body)
    request.context["timestamp"] = found["X-Amz-Date"]
    auth = SigV4Auth(
        Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token), "ses", "eu-central-1"
    )
    request.headers["X-Amz-Date"] = found["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    assert found["Authorization"].endswith(f"Signature={expected}")
    assert f"SignedHeaders={auth.signed_headers(auth.headers_to_sign(request))}, " in found["Authorization"]
    assert found.get("X-Amz-Security-Token") == token


def test_each_second_and_each_path_is_signed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = signer()
    now = datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(signing, "get_current_datetime", lambda: now)
    first = fields(kept.headers(PATH, b"x"))
    assert fields(kept.headers(PATH, b"x")) == first
    assert fields(kept.headers("/other", b"x"))["Authorization"] != first["Authorization"]
    now = datetime(2026, 11, 26, 10, 0, 0, tzinfo=UTC)
    later = fields(kept.headers(PATH, b"x"))
    assert later["X-Amz-Date"] == "20261126T100000Z" and "/20261126/" in later["Authorization"]


def test_a_port_is_part_of_the_signed_host() -> None:
    assert fields(signer(url="http://127.0.0.1:8025").headers(PATH, b""))["Host"] == "127.0.0.1:8025"


def test_without_credentials_nothing_is_signed() -> None:
    with pytest.raises(boto.NoCredentialsError):
        Signer(None, service="ses", region="x", url=URL, content_type="application/json").headers(PATH, b"")


def test_credentials_that_refresh_are_asked_each_second() -> None:
    class Refreshing(Credentials):
        asked = 0

        def get_frozen_credentials(self) -> object:
            self.asked += 1
            return super().get_frozen_credentials()

    credentials = Refreshing("a", "b")
    kept = Signer(credentials, service="ses", region="x", url=URL, content_type="application/json")
    kept.headers(PATH, b"1")
    time.sleep(1.1)
    kept.headers(PATH, b"2")
    assert credentials.asked == 2
