"""Certificates: which are believed, how seldom they are fetched, and how an outage ends."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bounces import certificates, sns
from sandbox.signing import load_or_make
from tests.bounces import sns_signing as signing
from tests.bounces.sns_signing import TOPIC, Origin, body, envelope

HOST = "https://sns.us-east-1.amazonaws.com"
TOPICS = frozenset({TOPIC})


def verifier(origin: Origin | None = None, **options: Any) -> sns.Verifier:
    return sns.Verifier(TOPICS, fetch=origin or Origin(), **options)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"days": (-20, -1)}, sns.Forged),
        ({"days": (1, 20)}, sns.Forged),
        ({"name": "sns.evil.com"}, sns.Forged),
        ({"issuer": "itself"}, sns.Forged),
        ({"issuer": "stranger"}, sns.Forged),
    ],
)
def test_a_certificate_that_is_not_valid_for_sns_proves_nothing(options: dict[str, Any], wanted: Any) -> None:
    origin = Origin(signing.certificate(**options))
    judge = verifier(origin, trust_anchor_pem=signing.authority())
    for _ in range(3):
        with pytest.raises(wanted):
            judge.verify(body(envelope()), {})
    assert len(origin.fetched) == 1


@pytest.mark.parametrize("days", [(-20, -1), (1, 20)])
def test_where_our_clock_may_be_wrong_about_a_certificate_the_message_is_no_forgery(
    days: tuple[int, int],
) -> None:
    origin = Origin(signing.certificate(days=days))
    judge = verifier(origin, trust_anchor_pem=signing.authority())
    then = (datetime.now(UTC) + timedelta(days=sum(days) / 2)).isoformat()
    for _ in range(2):
        with pytest.raises(sns.Retry, match=r"expired|valid from"):
            judge.verify(body(envelope(Timestamp=then)), {})
    assert len(origin.fetched) == 1


def test_a_certificate_of_the_trust_anchor_is_believed_and_a_self_signed_one_is_not_even_without_anchor() -> (
    None
):
    judge = verifier(trust_anchor_pem=signing.authority())
    assert judge.verify(body(envelope()), {}).topic_arn == TOPIC
    with pytest.raises(sns.Forged, match="signed itself"):
        verifier(Origin(signing.certificate(issuer="itself"))).verify(body(envelope()), {})


def test_a_certificate_for_another_name_is_not_believed_without_an_anchor_either() -> None:
    with pytest.raises(sns.Forged, match="not for sns"):
        verifier(Origin(signing.certificate(name="sns.evil.com"))).verify(body(envelope()), {})


def test_a_short_key_is_not_believed() -> None:
    with pytest.raises(sns.Forged, match="2048"):
        verifier(Origin(signing.certificate(bits=1024))).verify(body(envelope()), {})


@pytest.mark.parametrize(
    "pem", [b"", b"<html>Service Unavailable</html>", b"-----BEGIN CERTIFICATE-----\nAA\n"]
)
def test_what_is_no_certificate_is_an_outage(pem: bytes) -> None:
    with pytest.raises(sns.Retry):
        verifier(Origin(pem)).verify(body(envelope()), {})


def test_ten_thousand_forged_posts_make_one_fetch() -> None:
    origin = Origin()
    judge, forged = verifier(origin), body({**envelope(), "Message": "forged"})
    for _ in range(10_000):
        with pytest.raises(sns.Forged):
            judge.verify(forged, {})
    assert len(origin.fetched) == 1


def test_forged_posts_with_ever_new_addresses_make_few_fetches_and_a_known_certificate_goes_on_working() -> (
    None
):
    origin = Origin()
    judge = verifier(origin)
    judge.verify(body(envelope()), {})
    for number in range(500):
        with pytest.raises(sns.Retry):
            judge.verify(
                body(envelope(SigningCertURL=f"{HOST}/SimpleNotificationService-{number:x}.pem")), {}
            )
    assert len(origin.fetched) <= certificates.FETCHES_A_MINUTE
    assert judge.verify(body(envelope()), {}).type == "Notification"


def test_an_outage_is_forgotten_after_seconds_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin()
    judge, now = verifier(origin), time.monotonic()
    monkeypatch.setattr(certificates.time, "monotonic", lambda: now)
    origin.down = True
    for _ in range(50):
        with pytest.raises(sns.Retry):
            judge.verify(body(envelope()), {})
    assert len(origin.fetched) == 1
    origin.down, now = False, now + certificates.FAILURE_SECONDS
    assert certificates.FAILURE_SECONDS < 20
    assert judge.verify(body(envelope()), {}).type == "Notification"


def test_messages_that_come_at_once_share_one_fetch() -> None:
    origin, found = Origin(), []

    def slow(url: str) -> bytes:
        time.sleep(0.1)
        return origin(url)

    judge, post = sns.Verifier(TOPICS, fetch=slow), body(envelope())
    threads = [threading.Thread(target=lambda: found.append(judge.verify(post, {}).type)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Notification"] * 12
    assert len(origin.fetched) == 1


def test_at_most_sixteen_certificates_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "FETCHES_A_MINUTE", 100)
    pem = signing.certificate()
    store = certificates.Certificates(None, lambda url: pem)
    for number in range(40):
        store.key(f"{HOST}/{number}")
    assert len(store._kept) == certificates.KEPT == 16


class _Server(BaseHTTPRequestHandler):
    seen: list[str] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/good")
        else:
            self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        self.wfile.write({"/good": b"PEM", "/large": b"x" * (certificates.MAX_PEM + 1)}.get(self.path, b""))
        if self.path == "/slow":
            for _ in range(20):
                time.sleep(0.1)
                self.wfile.write(b"x")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Server.seen = []
    found = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    found.server_close()


def test_a_fetch_follows_no_redirect_and_takes_no_proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert certificates.fetch(f"{server}/good") == b"PEM"
    with pytest.raises(OSError, match="302"):
        certificates.fetch(f"{server}/redirect")
    assert _Server.seen == ["/good", "/redirect"]


@pytest.mark.parametrize(
    ("path", "why"), [("/missing", "404"), ("/large", "65536"), ("/slow", "not complete")]
)
def test_a_fetch_gives_up_in_time(server: str, path: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "TIMEOUT", 0.5)
    with pytest.raises(OSError, match=why):
        certificates.fetch(server + path)


def test_the_local_ses_is_believed_by_its_own_authority_and_by_no_other(tmp_path: Path) -> None:
    signer = load_or_make(tmp_path)
    local = "http://127.0.0.1:8025"
    message = {**envelope(), "SigningCertURL": local + signer.certificate_path}
    post = body({**message, "Signature": signer.signature(message)})
    for anchor, believed in (((tmp_path / "ca.pem").read_bytes(), True), (signing.authority(), False)):
        origin = Origin(signer.certificate_pem, message["SigningCertURL"])
        judge = verifier(origin, cert_origin=local, trust_anchor_pem=anchor)
        if believed:
            assert judge.verify(post, {}).topic_arn == TOPIC
        else:
            with pytest.raises(sns.Forged, match="trust anchor"):
                judge.verify(post, {})
