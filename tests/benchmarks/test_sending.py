"""The measured ways really send: every message reaches a local SES that answers like the real one, as far as asked."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from benchmarks import load, local_ses, people, sending
from mailinglist import aws, doorbell
from mailinglist.models import Campaign, CampaignVersion, Delivery
from mailinglist.sending import ses
from script.environment import PROJECT


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


#: In a process of its own, as the benchmark does: django-newsletter is no application of the project.
_SUBMISSION = """
import json
import sys
import django
django.setup()
from django.db import connection
from django_ses import signals
from benchmarks import newsletter

sizes = []
message = newsletter.make(3, *sys.argv[1:])
submit = newsletter.submission(message)
signals.message_sent.connect(lambda message, **_: sizes.append(len(message.message().as_bytes())), weak=False)
connection.force_debug_cursor = True
print(json.dumps([submit(), sizes, [query["sql"] for query in connection.queries]]))
"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The URL of an empty database, so that no foreign table is left among ours."""
    options = connection.get_connection_params()
    options = {
        name: options[name] for name in ("host", "port", "user", "password", "dbname") if name in options
    }
    name = f"{options['dbname']}_newsletter"
    with psycopg.connect(**options, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        values = connection.settings_dict
        user, password, host = (quote(str(values[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
        port = f":{values['PORT']}" if values["PORT"] else ""
        yield f"postgres://{user}:{password}@{host}{port}/{name}"
        server.execute(f'DROP DATABASE "{name}"')


@pytest.mark.django_db(transaction=True)
def test_django_newsletter_sends_to_everybody_and_writes_nothing_about_a_mail(
    port: int, elsewhere: str
) -> None:
    """What docs/benchmarks.md says about it: three questions for each mail, two writes for all."""
    list_id = people.make_list(1)
    version = CampaignVersion.objects.get(campaign=people.start_campaign(list_id)[0])
    naive = sending.DjangoSes(list_id, version.pk, 1, kept=False)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.newsletter_settings",
        "DATABASE_URL": elsewhere,
        "SES_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    done = subprocess.run(
        [sys.executable, "-c", _SUBMISSION, *naive.first()],
        env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sent, sizes, statements = json.loads(done.stdout)
    assert sent == 3
    assert sizes == [pytest.approx(len(next(naive.mails()).message().as_bytes()), rel=0.2)] * 3
    assert sum(statement.startswith("UPDATE") for statement in statements) == 2
    of_mails = [
        part for part in statements if "newsletter_article" in part or "newsletter_attachment" in part
    ]
    assert len(of_mails) == 3 * 3 and all(statement.startswith("SELECT") for statement in of_mails)
    assert not any(statement.startswith(("INSERT", "DELETE")) for statement in statements)


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
