"""The queue, with moto's SQS as its server: nothing is deleted before it is kept, and nothing unproven acts."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from moto.server import ThreadedMotoServer

from bounces import ingest, pipeline, sns, sqs
from bounces.models import Event, Notification
from mailinglist import aws, doorbell
from script.environment import PROJECT
from tests import ses_events as ses
from tests.bounces.helpers import send_to, state_of, subscription
from tests.bounces.sns_signing import TOPIC, Origin, body, confirmation, envelope
from tests.bounces.test_queue_policy import GOOD

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    found = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    found.start()
    host, port = found.get_host_and_port()
    yield f"http://{host}:{port}"
    found.stop()


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Origin:
    """The certificate of the signer, at Amazon's address."""
    found = Origin()
    judge = sns.Verifier(frozenset({TOPIC}), fetch=found)
    monkeypatch.setattr(sqs, "verifier", lambda: judge)
    return found


@pytest.fixture
def client(server: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, origin: Origin) -> Any:
    settings.SQS_ENDPOINT_URL, settings.SNS_TOPIC_ARNS = server, [TOPIC]
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
    return aws.client("sqs")


@pytest.fixture
def url(client: Any, settings: LazySettings) -> str:
    """An empty queue without a policy; messages come back after a second."""
    name = f"ses-events-{time.monotonic_ns()}"
    found = client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    settings.SQS_QUEUE_URL = found
    return str(found)


@pytest.fixture
def reader(url: str) -> sqs.Reader:
    return sqs.Reader(url)


def put(client: Any, url: str, *bodies: bytes) -> None:
    for raw in bodies:
        client.send_message(QueueUrl=url, MessageBody=raw.decode())


def let_only_sns_send(client: Any, url: str) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [GOOD | {"Condition": _FROM_TOPIC}]})
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


_FROM_TOPIC = {"ArnEquals": {"aws:SourceArn": TOPIC}}


def left(client: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("poll_sqs", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_signed_messages_are_stored_deleted_and_have_their_effect(client: Any, url: str) -> None:
    delivery = send_to("ada@post.example")
    message = ses.raw(ses.bounced(delivery)).decode()
    put(client, url, body(envelope(message)))
    assert json.loads(run("--once", "--json")) == {
        "received": 1, "stored": 1, "duplicates": 0, "quarantined": 0, "later": 0, "undeleted": 0,
        "processed": 1, "events": 1,
    }  # fmt: skip
    row = Notification.objects.get()
    assert (row.source, row.topic_arn, bytes(row.raw or b"").decode()) == ("sqs", TOPIC, message)
    assert row.published_at is not None
    assert state_of(delivery) == "bounced"
    assert left(client, url) == 0


def test_the_same_message_by_the_queue_and_by_the_webhook_is_one(
    client: Any, url: str, reader: sqs.Reader
) -> None:
    found = envelope("{}")
    ingest.store(b"{}", source=Notification.Source.SNS, dedupe_key=f"sns:{found['MessageId']}", wake=False)
    put(client, url, body(found), body(found))
    polled = sqs.drain(reader, wait=0)
    assert (polled.stored, polled.duplicates) == (0, 2)
    assert Notification.objects.get().copies == 3


@pytest.mark.parametrize("change", [{"Message": "{}"}, {"TopicArn": TOPIC + "x"}, {"Signature": "AAAA"}])
def test_a_forged_envelope_is_quarantined_deleted_and_never_acts(
    client: Any, url: str, reader: sqs.Reader, change: dict[str, str]
) -> None:
    delivery = send_to("ada@post.example")
    put(client, url, body({**envelope(ses.raw(ses.bounced(delivery)).decode()), **change}))
    assert sqs.drain(reader, wait=0).quarantined == 1
    row = Notification.objects.get()
    assert (row.state, row.trusted) == ("quarantined", False) and "not proven" in row.error
    assert left(client, url) == 0
    assert pipeline.process_everything().taken == pipeline.replay_quarantined().taken == 0
    assert pipeline.replay([row.pk]).taken == 0
    assert subscription(delivery).status == "confirmed" and not Event.objects.exists()


def test_a_forgery_does_not_take_the_place_of_the_real_message(
    client: Any, url: str, reader: sqs.Reader
) -> None:
    real = envelope("{}")
    put(client, url, body({**real, "Message": "[]"}), body(real))
    assert sqs.drain(reader, wait=0).stored == 2
    assert Notification.objects.get(dedupe_key=f"sns:{real['MessageId']}").state == "stored"


def test_a_message_without_a_signature_is_believed_where_only_sns_may_send(client: Any, url: str) -> None:
    let_only_sns_send(client, url)
    delivery = send_to("ada@post.example")
    put(client, url, ses.raw(ses.bounced(delivery)))
    assert json.loads(run("--once", "--json"))["events"] == 1
    assert state_of(delivery) == "bounced"


def test_it_is_quarantined_where_anybody_may_send_and_acts_only_when_a_person_vouches(
    client: Any, url: str
) -> None:
    delivery = send_to("ada@post.example")
    put(client, url, ses.raw(ses.bounced(delivery)))
    assert json.loads(run("--once", "--json"))["quarantined"] == 1
    assert "no access policy" in Notification.objects.get().error
    call_command("process_notifications", "--replay-quarantined", stdout=io.StringIO())
    assert subscription(delivery).status == "confirmed" and left(client, url) == 0
    call_command("process_notifications", "--replay-quarantined", "--vouch", stdout=io.StringIO())
    assert subscription(delivery).status == "unsubscribed"


@pytest.mark.parametrize("junk", [b"Hello", b"{", b"[]", b"7", b'{"eventType": "BrandNew", "mail": {}}'])
def test_junk_is_kept_and_its_neighbours_are_processed(client: Any, url: str, junk: bytes) -> None:
    let_only_sns_send(client, url)
    delivery = send_to("ada@post.example")
    put(client, url, junk, ses.raw(ses.bounced(delivery)))
    run("--once")
    assert state_of(delivery) == "bounced"
    row = Notification.objects.get(state="quarantined")
    assert bytes(row.raw or b"") == junk and left(client, url) == 0


def test_without_a_certificate_the_message_waits_in_the_queue_and_its_neighbours_do_not(
    client: Any, url: str, reader: sqs.Reader, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_only_sns_send(client, url)
    origin.down = True
    put(client, url, body(envelope("{}")), ses.raw(ses.sent(send_to("ada@post.example"))))
    polled = reader.keep(reader.receive(wait=1))
    assert (polled.stored, polled.later) == (1, 1)
    assert left(client, url) == 1
    origin.down = False
    healed = sns.Verifier(frozenset({TOPIC}), fetch=origin)
    monkeypatch.setattr(sqs, "verifier", lambda: healed)
    time.sleep(1.1)
    assert sqs.drain(reader, wait=0).stored == 1
    assert left(client, url) == 0


def test_nothing_is_deleted_when_it_could_not_be_stored(
    client: Any, url: str, reader: sqs.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(client, url, body(envelope("{}")))

    def away(*args: Any, **options: Any) -> Any:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store_many", away)
        with pytest.raises(OperationalError):
            reader.poll(wait=1)
    assert left(client, url) == 1
    time.sleep(1.1)
    assert sqs.drain(reader, wait=0).stored == 1


def test_what_is_stored_but_not_deleted_comes_again_and_is_known(
    client: Any, url: str, reader: sqs.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(client, url, body(envelope("{}")))
    with monkeypatch.context() as patch:
        failed = {"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}
        patch.setattr(reader._sqs, "delete_message_batch", lambda **asked: failed)
        polled = reader.poll(wait=1)
    assert (polled.stored, polled.undeleted) == (1, 1)
    time.sleep(1.1)
    polled = sqs.drain(reader, wait=0)
    assert (polled.stored, polled.duplicates, polled.undeleted) == (0, 1, 0)
    assert left(client, url) == 0


def test_a_batch_is_committed_before_anything_of_it_is_deleted(
    client: Any, url: str, reader: sqs.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(client, url, *(body(envelope("{}", MessageId=f"00000000-{number}")) for number in range(25)))
    order: list[str] = []
    real, ingest_store = reader._sqs.delete_message_batch, ingest.store_many

    def delete(**asked: Any) -> Any:
        order.append("delete")
        return real(**asked)

    def store(rows: Any, **options: Any) -> Any:
        stored = ingest_store(rows, **options)
        order.append(f"stored {len(rows)}")
        return stored

    monkeypatch.setattr(reader._sqs, "delete_message_batch", delete)
    monkeypatch.setattr(ingest, "store_many", store)
    assert sqs.drain(reader, wait=0).stored == 25
    assert order[0].startswith("stored") and order.count("delete") >= 3
    assert left(client, url) == 0


def test_a_confirmation_is_answered_by_the_api_and_a_forged_one_is_not(
    client: Any, url: str, reader: sqs.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []
    monkeypatch.setattr(aws, "confirm_subscription", lambda topic, token: calls.append((topic, token)))
    put(client, url, body(confirmation()), body({**confirmation(), "Token": "other"}))
    polled = sqs.drain(reader, wait=0)
    assert calls == [(TOPIC, "2336412f37")]
    assert (polled.received, polled.quarantined, left(client, url)) == (2, 1, 0)


def test_without_a_queue_or_with_one_that_is_not_there_it_says_what_to_do(
    settings: LazySettings, client: Any
) -> None:
    settings.SQS_QUEUE_URL = ""
    with pytest.raises(CommandError, match="SQS_QUEUE_URL is empty") as refusal:
        run("--once")
    assert refusal.value.returncode == 2
    settings.SQS_QUEUE_URL = f"{settings.SQS_ENDPOINT_URL}/123456789012/nowhere"
    with pytest.raises(CommandError, match="does not answer"):
        run("--once")
    with pytest.raises(CommandError, match="use 1 to 20"):
        run("--receivers", "0")


@pytest.mark.parametrize(
    ("address", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/ses", "eu-central-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/ses", "cn-north-1"),
        ("http://127.0.0.1:5000/123456789012/ses", ""),
    ],
)
def test_the_region_is_that_of_the_queue(address: str, region: str) -> None:
    assert sqs._region(address) == region


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_reader_stores_what_comes_and_ends_in_time_when_it_is_told_to(
    client: Any, url: str, settings: LazySettings
) -> None:
    let_only_sns_send(client, url)
    database = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={database['HOST']}",
        "SQS_QUEUE_URL": url,
        "SQS_ENDPOINT_URL": settings.SQS_ENDPOINT_URL,
        "SNS_TOPIC_ARNS": TOPIC,
        "CELERY_BROKER_URL": "memory://",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "poll_sqs", "--json"],
        env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        put(client, url, *(b'{"number": %d}' % number for number in range(30)))
        end = time.monotonic() + 40
        while Notification.objects.count() < 30 and time.monotonic() < end and process.poll() is None:
            time.sleep(0.1)
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said, complaint = process.communicate(timeout=10)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, complaint
    assert time.monotonic() - told < 4
    assert json.loads(said.splitlines()[-1])["stored"] == 30
    assert Notification.objects.count() == 30 and left(client, url) == 0
