"""A worker outlives its broker: answers for messages of a lost connection go nowhere, and raise nothing."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from kombu import Connection, Queue

import mailinglist.celery  # noqa: F401 - mends kombu, as in every process of ours
from script import embedded
from script.valkey import Valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.stop()


def url(server: Valkey) -> str:
    return f"redis+socket://{quote(str(embedded.socket_dir(server.var) / embedded.VALKEY_SOCKET))}"


def test_a_message_of_a_closed_connection_is_answered_without_an_error(valkey: Valkey) -> None:
    connection = Connection(url(valkey))
    channel = connection.channel()
    queue = Queue("broker-test", channel=channel)
    queue.declare()
    with connection.Producer() as producer:
        for number in range(3):
            producer.publish(number, routing_key="broker-test")
    first, second, _unanswered = (queue.get() for _ in range(3))
    assert first and second and _unanswered
    valkey.stop()
    connection.collect()  # both, as the consumer of Celery does when the broker is gone
    connection.close()
    first.ack()
    second.reject(requeue=True)


def test_an_answer_on_an_open_connection_takes_the_message_away(valkey: Valkey) -> None:
    with Connection(url(valkey)) as connection:
        queue = Queue("broker-test", channel=connection.channel())
        queue.declare()
        with connection.Producer() as producer:
            producer.publish(1, routing_key="broker-test")
        message = queue.get()
        assert message
        message.ack()
        with connection.channel() as channel:
            assert channel.client.hlen("unacked") == 0
