"""Whom the webhook believes: shape, topic, certificate, signature; and what little leaves for the network."""

import base64
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bounces import sns
from tests.bounces import sns_signing as signing
from tests.bounces.sns_signing import TOPIC, URL, Origin, body, confirmation, envelope, payload

TOPICS = frozenset({TOPIC})
ENVELOPES = sorted(path.name for path in (signing.PAYLOADS / "envelopes").glob("*.json"))
REFUSED = {"notification-tampered.json", "notification-foreign-topic.json"}


def verifier(origin: Origin | None = None, **options: Any) -> sns.Verifier:
    return sns.Verifier(options.pop("topics", TOPICS), fetch=origin or Origin(), **options)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to look up or connect to a host is written down and fails."""
    tries: list[Any] = []

    def refuse(*args: Any, **kwargs: Any) -> Any:
        tries.append(args)
        raise OSError("the network is off")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tries


def payload_origin(name: str) -> Origin:
    url = json.loads(payload(f"envelopes/{name}"))["SigningCertURL"]
    return Origin(payload("envelopes/signing-cert.pem"), url)


@pytest.mark.parametrize("name", sorted(set(ENVELOPES) - REFUSED))
@pytest.mark.parametrize("anchored", [True, False])
def test_signed_envelopes_of_both_versions_with_and_without_subject_are_believed(
    name: str, anchored: bool
) -> None:
    anchor = payload("envelopes/ca-cert.pem") if anchored else None
    found = verifier(payload_origin(name), trust_anchor_pem=anchor).verify(payload(f"envelopes/{name}"), {})
    written = json.loads(payload(f"envelopes/{name}"))
    assert (found.type, found.message, found.message_id) == (
        written["Type"],
        written["Message"],
        written["MessageId"],
    )
    assert found.topic_arn == TOPIC
    assert found.token == written.get("Token", "")
    assert found.timestamp is not None and found.timestamp.year == 2026


def test_a_tampered_message_and_a_foreign_topic_are_refused_the_latter_without_a_fetch() -> None:
    origin = payload_origin("notification-tampered.json")
    with pytest.raises(sns.Forged, match="does not fit"):
        verifier(origin).verify(payload("envelopes/notification-tampered.json"), {})
    origin.fetched.clear()
    with pytest.raises(sns.Forged, match="SNS_TOPIC_ARNS"):
        verifier(origin).verify(payload("envelopes/notification-foreign-topic.json"), {})
    assert origin.fetched == []


@pytest.mark.openssl
@pytest.mark.parametrize("name", sorted(set(ENVELOPES) - REFUSED))
def test_openssl_agrees_about_the_string_that_is_signed(name: str, tmp_path: Path) -> None:
    message = json.loads(payload(f"envelopes/{name}"))
    files = {part: tmp_path / part for part in ("signed", "signature", "key")}
    files["signed"].write_bytes(sns.string_to_sign(message))
    files["signature"].write_bytes(base64.b64decode(message["Signature"]))
    openssl = shutil.which("openssl")
    assert openssl
    certificate = signing.PAYLOADS / "envelopes" / "signing-cert.pem"
    public = subprocess.run(
        [openssl, "x509", "-in", str(certificate), "-noout", "-pubkey"], capture_output=True, check=True
    )
    files["key"].write_bytes(public.stdout)
    digest = {"1": "-sha1", "2": "-sha256"}[message["SignatureVersion"]]
    told = subprocess.run(
        [openssl, "dgst", digest, "-verify", files["key"], "-signature", files["signature"], files["signed"]],
        capture_output=True,
    )
    assert told.stdout.strip() == b"Verified OK", told.stderr


def mutations() -> Iterator[tuple[str, str]]:
    for kind in ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"):
        for name in (*sns.SIGNED_FIELDS[kind], "Signature", "SignatureVersion"):
            yield kind, name


@pytest.mark.parametrize(("kind", "name"), list(mutations()))
@pytest.mark.parametrize("version", ["1", "2"])
def test_one_changed_byte_in_any_signed_field_is_a_forgery(kind: str, name: str, version: str) -> None:
    good = envelope(version=version) if kind == "Notification" else confirmation(Type=kind, version=version)
    judge = verifier()
    judge.verify(body(good), {})
    for index in {0, len(good[name]) // 2, len(good[name]) - 1}:
        text = good[name]
        changed = text[:index] + chr(ord(text[index]) ^ 1) + text[index + 1 :]
        with pytest.raises(sns.Forged):
            judge.verify(body({**good, name: changed}), {})


def test_another_spelling_of_the_same_signature_is_a_forgery() -> None:
    good = envelope()
    assert good["Signature"].endswith("==")
    last = good["Signature"][-3]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = good["Signature"][:-3] + alphabet[alphabet.index(last) ^ 1] + "=="
    assert base64.b64decode(other) == base64.b64decode(good["Signature"])
    with pytest.raises(sns.Forged, match="as it is written"):
        verifier().verify(body({**good, "Signature": other}), {})


def test_taking_the_subject_away_or_adding_one_is_a_forgery() -> None:
    judge, bare = verifier(), envelope(Subject=None)
    judge.verify(body(bare), {})
    with pytest.raises(sns.Forged):
        judge.verify(body({**bare, "Subject": "News"}), {})
    with pytest.raises(sns.Forged):
        judge.verify(body({**envelope(), "Subject": None}), {})


@pytest.mark.parametrize("signature", ["", "!!!!", "AAAA", "AA", "é", "AAAA\n"])
def test_a_signature_that_is_not_one_is_refused(signature: str) -> None:
    with pytest.raises((sns.Forged, sns.Unreadable)):
        verifier().verify(body({**envelope(), "Signature": signature}), {})


def test_version_1_is_refused_where_version_2_is_required_and_before_any_fetch() -> None:
    origin = Origin()
    judge = verifier(origin, require_v2=True)
    with pytest.raises(sns.Forged, match="SNS_REQUIRE_V2"):
        judge.verify(body(envelope(version="1")), {})
    assert origin.fetched == []
    assert judge.verify(body(envelope(version="2")), {}).type == "Notification"


def test_a_version_2_message_with_a_sha1_signature_is_a_forgery() -> None:
    with pytest.raises(sns.Forged, match="does not fit"):
        verifier().verify(body(envelope(version="2", sha="1")), {})


def test_without_topics_every_message_is_refused() -> None:
    with pytest.raises(sns.Forged):
        verifier(topics=frozenset()).verify(body(envelope()), {})


HOST = "https://sns.us-east-1.amazonaws.com"
FILE = "/SimpleNotificationService-0a1b2c.pem"
STRANGE_URLS = [
    f"https://sns.us-east-1.amazonaws.com.evil.com{FILE}",
    f"https://sns.us-east-1.amazonaws.com@evil.com{FILE}",
    f"https://evil.com@sns.us-east-1.amazonaws.com{FILE}",
    f"{HOST}:443{FILE}",
    f"{HOST}:8443{FILE}",
    f"http://sns.us-east-1.amazonaws.com{FILE}",
    f"HTTPS://sns.us-east-1.amazonaws.com{FILE}",
    f"https://SNS.us-east-1.amazonaws.com{FILE}",
    f"https://sns.us-east-1.amazonaws.com.{FILE}",
    f"https://sns。us-east-1.amazonaws.com{FILE}",
    f"https://x.s3.amazonaws.com{FILE}",
    f"https://sns.s3.amazonaws.com{FILE}",
    f"https://sns.s3-website.amazonaws.com{FILE}",
    f"https://sns.eu-west-1.amazonaws.com{FILE}",
    f"https://sns.evil.amazonaws.com{FILE}",
    f"https://sns.us-east-1.amazonaws.com.cn{FILE}",
    f"{HOST}\\@evil.com{FILE}",
    f"{HOST}%2eevil.com{FILE}",
    f"{HOST}{FILE}\n",
    f" {HOST}{FILE}",
    f"{HOST}/{FILE}",
    f"{HOST}/x/..{FILE}",
    f"{HOST}{FILE}#x",
    f"{HOST}{FILE}?x=1",
    f"{HOST}/SimpleNotificationService-0A1B2C.pem",
    f"{HOST}/SimpleNotificationService-.pem",
    f"{HOST}/SimpleNotificationService-0a1b2c%2epem",
    f"{HOST}/SimpleNotificationService-0a1b2cxpem",
    f"{HOST}/?Action=ConfirmSubscription",
    f"https://127.0.0.1{FILE}",
    f"https://169.254.169.254{FILE}",
    f"https://[::1]{FILE}",
    "file:///etc/passwd",
    "gopher://sns.us-east-1.amazonaws.com/",
]


@pytest.mark.parametrize("url", STRANGE_URLS)
def test_no_other_address_than_the_topics_own_is_ever_fetched(url: str, no_network: list[Any]) -> None:
    assert len(STRANGE_URLS) >= 25
    with pytest.raises(sns.Forged, match="SigningCertURL"):
        sns.Verifier(TOPICS).verify(body(envelope(SigningCertURL=url)), {})
    assert no_network == []


def test_the_topics_own_address_is_fetched_and_an_outage_is_no_forgery(no_network: list[Any]) -> None:
    with pytest.raises(sns.Retry):
        sns.Verifier(TOPICS).verify(body(envelope()), {})
    assert no_network[0][0] == ("sns.us-east-1.amazonaws.com", 443)


@pytest.mark.parametrize(
    ("arn", "host"),
    [
        ("arn:aws:sns:eu-central-1:123456789012:t", "sns.eu-central-1.amazonaws.com"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:t", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:t", "sns.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_host_of_the_certificate_is_that_of_the_topics_region(arn: str, host: str) -> None:
    url = f"https://{host}{FILE}"
    judge = verifier(Origin(url=url), topics=frozenset({arn}))
    assert judge.verify(body(envelope(TopicArn=arn, SigningCertURL=url)), {}).topic_arn == arn


def test_with_an_origin_of_its_own_only_that_one_is_fetched() -> None:
    local = f"http://127.0.0.1:8025{FILE}"
    origin = Origin(url=local)
    judge = verifier(origin, cert_origin="http://127.0.0.1:8025")
    judge.verify(body(envelope(SigningCertURL=local)), {})
    for url in (URL, f"http://127.0.0.1:80251{FILE}", f"http://127.0.0.1:8025@evil.com{FILE}"):
        with pytest.raises(sns.Forged):
            judge.verify(body(envelope(SigningCertURL=url)), {})
    assert origin.fetched == [local]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-sns-message-type", "SubscriptionConfirmation"),
        ("X-Amz-Sns-Message-Id", "another"),
        ("x-amz-sns-topic-arn", "arn:aws:sns:us-east-1:999999999999:other"),
    ],
)
def test_headers_that_contradict_the_body_are_a_forgery(header: str, value: str) -> None:
    with pytest.raises(sns.Forged, match="differ"):
        verifier().verify(body(envelope()), {header: value})


def test_raw_delivery_is_refused_because_nothing_in_it_is_signed() -> None:
    with pytest.raises(sns.Forged, match="Raw message delivery"):
        verifier().verify(payload("events/send.json"), {"x-amz-sns-rawdelivery": "true"})


def test_a_compressed_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(sns.Unreadable, match="encoded"):
        verifier().verify(body(envelope()), {"Content-Encoding": "gzip"})


def test_a_body_beyond_the_limit_is_too_large() -> None:
    with pytest.raises(sns.TooLarge):
        verifier().verify(b" " * (sns.MAX_BODY + 1), {})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b"{" * 100_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"Type": NaN}',
        b'{"Type": ' + b"9" * 5000 + b"}",
        b'{"Type": "Notification", "Type": "Notification"}',
        body({**envelope(), "Message": {"eventType": "Send"}}),
        body({**envelope(), "Signature": 1}),
        body({**envelope(), "SigningCertURL": None}),
        body({**envelope(), "MessageId": "\ud800"}),
        body({**envelope(), "Subject": ["a"]}),
        payload("moto-observed/http-post-ses-feedback-bounce.json"),
    ],
)
def test_what_is_no_sns_message_is_unreadable_and_fetches_nothing(raw: bytes) -> None:
    origin = Origin()
    with pytest.raises(sns.Unreadable):
        verifier(origin).verify(raw, {})
    assert origin.fetched == []


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert verifier().verify(b"\xef\xbb\xbf" + body(envelope()), {}).type == "Notification"


def test_localstacks_observed_messages_have_the_shape_that_is_read() -> None:
    for path in sorted((signing.PAYLOADS / "localstack-observed").glob("*.json")):
        seen = json.loads(path.read_bytes())
        topic = seen["body"]["TopicArn"]
        origin = Origin()
        judge = verifier(origin, topics=frozenset({topic}), cert_origin="http://127.0.0.1:5566/_aws/sns")
        # Its certificate was not kept: all that comes before it is right, and the one address is its own.
        with pytest.raises(sns.Retry):
            judge.verify(body(seen["body"]), seen["headers"])
        assert origin.fetched == [seen["body"]["SigningCertURL"]]
