"""The webhook from outside: what it answers, what it keeps, and that no message leads it anywhere."""

import gzip
import json
import random
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError
from django.conf import LazySettings
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from bounces import ingest, pipeline, sns, trust, views
from bounces.models import Event, Notification
from mailinglist import aws, doorbell
from tests import memory
from tests.bounces import sns_signing as signing
from tests.bounces.sns_signing import TOPIC, Origin, body, confirmation, envelope, payload

pytestmark = pytest.mark.django_db

URL = "/hooks/ses/"


@pytest.fixture(autouse=True)
def origin(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Iterator[Origin]:
    """Our topic, Amazon's address, a certificate at it, and no broker."""
    settings.SNS_TOPIC_ARNS, settings.SNS_CERT_ORIGIN, settings.SNS_TRUST_ANCHOR = [TOPIC], "", ""
    found = Origin()
    judge = sns.Verifier(frozenset({TOPIC}), fetch=found)
    monkeypatch.setattr(views, "verifier", lambda: judge)
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
    yield found


@pytest.fixture
def confirmed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    calls: list[tuple[str, str]] = []
    monkeypatch.setattr(aws, "confirm_subscription", lambda topic, token: calls.append((topic, token)))
    return calls


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    tries: list[Any] = []

    def refuse(*args: Any, **kwargs: Any) -> Any:
        tries.append(args)
        raise OSError("the network is off")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tries


def post(raw: bytes, **headers: str) -> int:
    client = Client(raise_request_exception=False)
    return client.generic("POST", URL, raw, content_type="text/plain", headers=headers).status_code


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_between_two_messages_costs_neither_of_them() -> None:
    assert post(body(envelope(payload("events/send.json").decode(), MessageId="first"))) == 200
    kept = connection.connection
    assert kept is not None
    with psycopg.connect(kept.info.dsn) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [kept.info.backend_pid])
    assert post(body(envelope(payload("events/delivery.json").decode(), MessageId="second"))) == 200
    assert connection.connection is not kept
    assert Notification.objects.count() == 2


def test_a_signed_notification_is_stored_and_its_event_found() -> None:
    message = payload("events/bounce-permanent-general.json").decode() + "\n"
    assert post(body(envelope(message))) == 200
    row = Notification.objects.get()
    assert (bytes(row.raw or b"").decode(), row.source, row.topic_arn) == (message, "sns", TOPIC)
    assert row.published_at is not None and datetime.now(UTC) - row.published_at < timedelta(minutes=1)
    assert pipeline.process_everything().processed == 1
    assert Event.objects.get().recipient == "permanent-general@example.org"


def test_the_same_message_three_times_is_one_notification_with_one_effect() -> None:
    raw = body(envelope(payload("events/send.json").decode()))
    assert [post(raw) for _ in range(3)] == [200, 200, 200]
    pipeline.process_everything()
    assert Notification.objects.get().copies == 3
    assert Event.objects.count() == 1


def test_a_replay_of_an_old_message_is_kept_but_changes_nothing() -> None:
    published = (datetime.now(UTC) - timedelta(days=15)).isoformat().replace("+00:00", "Z")
    assert post(body(envelope(payload("events/send.json").decode(), Timestamp=published))) == 200
    assert pipeline.process_everything().quarantined == 1
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "message", ["Hello", "{}", '{"eventType": "BrandNew", "mail": {}}', "\x00", "[" * 9999]
)
def test_what_is_signed_but_not_understood_is_kept_in_quarantine(message: str) -> None:
    assert post(body(envelope(message))) == 200
    assert pipeline.process_everything().quarantined == 1
    assert Notification.objects.get().error


@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "Signature"]
)
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_forgery_is_answered_with_403_and_leaves_no_row(name: str, version: str) -> None:
    good = envelope(version=version)
    assert post(body({**good, name: chr(ord(good[name][0]) ^ 1) + good[name][1:]})) == 403
    assert not Notification.objects.exists()


@pytest.mark.parametrize("without", ["Signature", "SignatureVersion", "SigningCertURL"])
def test_a_message_that_nobody_signed_is_refused_and_leaves_no_row(without: str, origin: Origin) -> None:
    bounce = envelope(payload("events/bounce-permanent-general.json").decode())
    del bounce[without]
    assert post(body(bounce), **{"x-amz-sns-message-type": "Notification"}) in (400, 403)
    assert origin.fetched == [] and not Notification.objects.exists()


def test_a_foreign_topic_is_answered_with_403_although_it_is_signed(origin: Origin) -> None:
    assert post(body(envelope(TopicArn="arn:aws:sns:us-east-1:999999999999:attacker"))) == 403
    assert origin.fetched == [] and not Notification.objects.exists()


def test_without_a_configured_topic_everything_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, origin: Origin
) -> None:
    settings.SNS_TOPIC_ARNS = []
    monkeypatch.setattr(
        views, "verifier", lambda: sns.Verifier(frozenset(settings.SNS_TOPIC_ARNS), fetch=origin)
    )
    assert post(body(envelope())) == 403
    assert origin.fetched == []


def test_a_certificate_that_cannot_be_fetched_is_our_fault_and_the_next_one_is_believed(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bounces import certificates

    monkeypatch.setattr(certificates, "FAILURE_SECONDS", 0.0)
    origin.down = True
    assert post(body(envelope())) == 500
    assert not Notification.objects.exists()
    origin.down = False
    assert post(body(envelope())) == 200


def test_a_certificate_that_had_expired_when_the_message_was_signed_is_a_forgery(origin: Origin) -> None:
    origin.pem = signing.certificate(days=(-20, -1))
    assert post(body(envelope())) == 403
    assert not Notification.objects.exists()


def test_one_that_expired_since_is_answered_with_500_so_that_sns_tries_again(origin: Origin) -> None:
    origin.pem = signing.certificate(days=(-20, -1))
    then = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    assert post(body(envelope(Timestamp=then))) == 500
    assert not Notification.objects.exists()


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError])
def test_while_the_database_is_away_it_is_answered_with_503(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise fault("the connection is closed")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store_surely", away)
        assert post(body(envelope())) == 503
    assert post(body(envelope())) == 200


@pytest.mark.parametrize(("required", "answer"), [(True, 403), (False, 200)])
def test_a_message_of_version_1_is_refused_where_the_setting_says_so(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, origin: Origin, required: bool, answer: int
) -> None:
    settings.SNS_REQUIRE_V2 = required
    monkeypatch.setattr(views, "verifier", trust.verifier)
    monkeypatch.setattr(trust, "_verifier", trust._verifier.__wrapped__)  # its cache would outlive the test
    monkeypatch.setattr(sns, "Verifier", partial(sns.Verifier, fetch=origin))
    assert post(body(envelope(version="1"))) == answer
    assert post(body(envelope(version="2", MessageId="second"))) == 200


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "https://a.example/",
    ],
)
def test_a_confirmation_goes_through_the_api_and_its_address_is_never_fetched(
    address: str, confirmed: list[tuple[str, str]], no_network: list[Any], origin: Origin
) -> None:
    assert post(body(confirmation(SubscribeURL=address))) == 200
    assert confirmed == [(TOPIC, "2336412f37")]
    assert no_network == [] and origin.fetched == [signing.URL]
    assert not Notification.objects.exists()


def test_a_confirmation_of_a_foreign_topic_is_not_confirmed(confirmed: list[tuple[str, str]]) -> None:
    assert post(body(confirmation(TopicArn=TOPIC + "-other"))) == 403
    assert confirmed == []


def test_a_confirmation_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(topic: str, token: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://sns.us-east-1.amazonaws.com")

    monkeypatch.setattr(aws, "confirm_subscription", fail)
    assert post(body(confirmation())) == 500


def test_the_end_of_our_subscription_raises_an_alarm_and_shows_in_the_quarantine(
    confirmed: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    message = json.loads(payload("envelopes/unsubscribeconfirmation-sigv2.json"))["Message"]
    assert post(body(confirmation(Type="UnsubscribeConfirmation", Message=message))) == 200
    assert confirmed == []
    assert "was ended" in caplog.text
    assert pipeline.process_everything().quarantined == 1
    assert "Subscribe again" in Notification.objects.get().error


def test_raw_delivery_is_refused() -> None:
    assert post(payload("events/send.json"), **{"x-amz-sns-rawdelivery": "true"}) == 403


def test_other_methods_and_bodies_that_are_too_large_or_compressed_are_refused() -> None:
    assert Client().get(URL).status_code == 405
    assert post(b" " * (sns.MAX_BODY + 1)) == 413
    assert post(gzip.compress(b"0" * 10_000_000), **{"Content-Encoding": "gzip"}) == 400
    assert Client().post(URL, b"{}", content_type="text/plain", CONTENT_LENGTH="many").status_code == 400
    assert not Notification.objects.exists()


def chunked(raw: bytes, *, ended: bool = True) -> int:
    """As granian passes on a body in pieces: no length, and an input that ends where the body ends."""
    given = {"wsgi.input": BytesIO(raw), "wsgi.input_terminated": ended, "HTTP_TRANSFER_ENCODING": "chunked"}
    return Client().generic("POST", URL, content_type="text/plain", **given).status_code


def test_a_body_in_pieces_is_stored_like_any_other(settings: LazySettings) -> None:
    assert chunked(body(envelope(payload("events/send.json").decode()))) == 200
    assert Notification.objects.count() == 1
    assert chunked(b" " * (sns.MAX_BODY + 1)) == 413
    assert chunked(b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)) == 411
    assert chunked(b"{}", ended=False) == 411


def garbage() -> list[bytes]:
    """The corners of JSON, signed messages with fields of wrong types, and with bytes changed or cut off."""
    corpus = [b"", b"{", b"null", b"[]", b"1e999", b"NaN", b"\x00", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00"]
    corpus += [b"[" * 200_000, b'{"a":' * 50_000, b"9" * 10_000, b'"\\ud800"', b"-", b"true", b"\r\n\r\n"]
    corpus += [b'{"Type":"Notification","Type":"Notification"}', b'{"Type":' + b"9" * 5000 + b"}"]
    good = envelope(UnsubscribeURL=None)
    for name in good:
        for value in (1, 1.5, True, [], {}, "", "\ud800", "\x00", "x" * 70_000, ["a"]):
            corpus.append(body({**good, name: value}))
    whole, chance = body(good), random.Random(7)
    # Another address of the right shape is an outage and no garbage: the address stays as it is.
    fixed = range(whole.index(b'"SigningCertURL"'), whole.index(b'"Signature":'))
    changeable = [place for place in range(len(whole)) if place not in fixed]
    for number in range(120):
        raw = bytearray(whole)
        for place in chance.sample(changeable, chance.randrange(1, 9)):
            raw[place] ^= chance.randrange(1, 256)
        corpus.append(bytes(raw[: chance.randrange(len(raw))] if number % 3 == 0 else raw))
    return corpus


def test_two_hundred_kinds_of_garbage_are_never_our_fault_leave_no_row_and_need_little_memory() -> None:
    corpus = garbage()
    assert len(corpus) >= 200
    post(b"{}")
    with memory.peak() as megabytes:
        assert {post(raw) for raw in corpus} == {400, 403}
        assert megabytes() < 100
    assert not Notification.objects.exists()


def test_over_a_real_connection_the_answers_are_the_same(live_server: LiveServer) -> None:
    def send(raw: bytes, **headers: str) -> int:
        request = urllib.request.Request(live_server.url + URL, raw, headers)
        try:
            return int(urllib.request.urlopen(request, timeout=10).status)
        except urllib.error.HTTPError as error:
            return error.code

    good = envelope(payload("events/delivery.json").decode())
    assert send(body(good), **{"x-amz-sns-topic-arn": TOPIC, "x-amz-sns-message-type": "Notification"}) == 200
    assert send(body({**good, "Message": "forged"})) == 403
    assert send(body(good), **{"x-amz-sns-message-id": "another"}) == 403
    assert send(b"garbage") == 400
    assert Notification.objects.count() == 1
