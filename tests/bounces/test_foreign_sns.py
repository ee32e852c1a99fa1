"""Envelopes that nobody of this project made: moto's SNS signs them, and delivers to our webhook and to a queue.

LocalStack is the stronger witness, but needs a Python that is not the one here (what it sent once is among the payloads).
moto's server signs with a key of its own and serves the certificate, so that the string to be signed is checked here
against a third reading of Amazon's specification. What it does not prove: it asks for no confirmation of a subscription,
sends none of SNS's headers, and leaves the Subject out of what it signs, which Amazon does not: that message has to fail.
"""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from moto.server import ThreadedMotoServer

from bounces import pipeline, sns, sqs, views
from bounces.models import Notification
from mailinglist import aws, doorbell
from tests import ses_events as ses
from tests.bounces.helpers import send_to, state_of, subscription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]
#: moto tells its services apart by what a request is signed for.
_FOR_SNS = (
    "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0"
)
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    found = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    found.start()
    host, port = found.get_host_and_port()
    yield f"http://{host}:{port}"
    found.stop()


@pytest.fixture
def amazon(server: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of moto's SNS; our verifier fetches Amazon's addresses from moto's server."""
    settings.SNS_ENDPOINT_URL = settings.SQS_ENDPOINT_URL = server
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
    return aws.client("sns")


@pytest.fixture
def topic(amazon: Any, server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    found = str(amazon.create_topic(Name=request.node.name[:80].replace("[", "-").strip("]"))["TopicArn"])

    def fetch(url: str) -> bytes:
        request = urllib.request.Request(server + urlsplit(url).path, headers={"Authorization": _FOR_SNS})
        pem: bytes = _direct.open(request, timeout=5).read()
        return pem

    judge = sns.Verifier(frozenset({found}), fetch=fetch)
    for module in (sqs, views):
        monkeypatch.setattr(module, "verifier", lambda: judge)
    return found


@pytest.fixture
def queue(amazon: Any, topic: str, settings: LazySettings) -> str:
    """The address of a queue that is subscribed to the topic."""
    client = aws.client("sqs")
    url = str(client.create_queue(QueueName=topic.rpartition(":")[2])["QueueUrl"])
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    amazon.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    settings.SQS_QUEUE_URL = url
    return url


def test_a_message_of_a_foreign_sns_comes_through_a_queue_is_proven_and_acts(
    amazon: Any, topic: str, queue: str
) -> None:
    delivery = send_to("ada@post.example")
    message = ses.raw(ses.bounced(delivery)).decode()
    sent = amazon.publish(TopicArn=topic, Message=message)
    polled = sqs.drain(sqs.Reader(queue), wait=0)
    assert (polled.stored, polled.quarantined) == (1, 0)
    row = Notification.objects.get()
    assert (row.dedupe_key, row.topic_arn, row.trusted) == (f"sns:{sent['MessageId']}", topic, True)
    assert bytes(row.raw or b"").decode() == message
    assert pipeline.process_everything().events == 1
    assert state_of(delivery) == "bounced"


def test_it_comes_to_the_webhook_and_the_same_message_by_the_queue_is_a_copy(
    amazon: Any, topic: str, queue: str, live_server: Any
) -> None:
    amazon.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{live_server.url}/hooks/ses/")
    delivery = send_to("ada@post.example")
    amazon.publish(TopicArn=topic, Message=ses.raw(ses.bounced(delivery)).decode())
    assert Notification.objects.get().source == "sns"
    assert sqs.drain(sqs.Reader(queue), wait=0).duplicates == 1
    assert Notification.objects.get().copies == 2
    assert pipeline.process_everything().events == 1
    assert state_of(delivery) == "bounced"


def test_one_whose_subject_is_not_signed_is_refused_by_the_webhook_and_kept_apart_by_the_queue(
    amazon: Any, topic: str, queue: str, live_server: Any
) -> None:
    amazon.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{live_server.url}/hooks/ses/")
    delivery = send_to("ada@post.example")
    message = ses.raw(ses.bounced(delivery)).decode()
    amazon.publish(TopicArn=topic, Message=message, Subject="Amazon SES Email Event Notification")
    assert not Notification.objects.exists()
    assert sqs.drain(sqs.Reader(queue), wait=0).quarantined == 1
    assert not Notification.objects.get().trusted
    assert pipeline.process_everything().events == 0
    assert subscription(delivery).status == "confirmed"


def test_of_another_topic_of_the_same_sns_nothing_is_believed(
    amazon: Any, topic: str, live_server: Any
) -> None:
    other = amazon.create_topic(Name="of-somebody-else")["TopicArn"]
    amazon.subscribe(TopicArn=other, Protocol="http", Endpoint=f"{live_server.url}/hooks/ses/")
    amazon.publish(TopicArn=other, Message=json.dumps({"eventType": "Bounce"}))
    assert not Notification.objects.exists()
