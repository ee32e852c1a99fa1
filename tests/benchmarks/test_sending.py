"""The measured ways really send: every message reaches a local SES that answers like the real one, as far as asked."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import load, local_ses, people, sending
from mailinglist import aws, doorbell
from mailinglist.models import Campaign, Delivery
from mailinglist.sending import ses


@pytest.fixture
def port(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A local SES in a thread of its own, which the settings name."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: local_ses.Connection(0), "127.0.0.1", 0))
    found = int(server.sockets[0].getsockname()[1])
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    monkeypatch.setattr(doorbell, "_send", lambda task, args: None)
    settings.SES_ENDPOINT_URL = f"http://127.0.0.1:{found}"
    for kept in (aws._client, ses._backend):
        kept.cache_clear()
    yield found
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("transport", ["raw", "bulk"])
def test_the_engine_sends_to_everybody_and_writes_it_down(port: int, settings: Any, transport: str) -> None:
    settings.SEND_TRANSPORT = transport
    campaign, _ = people.start_campaign(people.make_list(7))
    sending.engine_until_done(campaign)
    states = Delivery.objects.filter(campaign_id=campaign).values_list("state", flat=True)
    assert list(states) == ["sent"] * 7
    assert Campaign.objects.get(pk=campaign).status == "finished"


def test_the_message_ids_of_a_bulk_call_are_as_many_as_its_entries() -> None:
    body = b'{"BulkEmailEntries": [{"Destination": {}}, {"Destination": {}, "x": "{\\"Destination\\": 1}"}]}'
    answer = local_ses.answer_to(b"POST /v2/email/outbound-bulk-emails HTTP/1.1\r\n\r\n" + body)
    assert answer.count(b'"MessageId"') == 2


def test_two_requests_in_pieces_get_two_answers() -> None:
    class Written:
        data = b""

        def write(self, data: bytes) -> None:
            self.data += data

    connection, written = local_ses.Connection(0), Written()
    connection._transport = written  # type: ignore[assignment]
    for piece in (
        load.REQUEST[:90],
        load.REQUEST[90:3000],
        load.REQUEST[3000:] + load.REQUEST[:10],
        load.REQUEST[10:],
    ):
        connection.data_received(piece)
    assert written.data.count(b'"MessageId"') == 2


def test_the_speed_of_the_local_ses_can_be_measured(port: int) -> None:
    assert asyncio.run(load.answers(port, 0.1)) > 0
