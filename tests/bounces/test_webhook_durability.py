"""Real servers that are killed while they answer: whatever was answered with 200 is in the database afterwards."""

import http.client
import itertools
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks import webhook
from script import embedded, processes, services
from script.postgres import Postgres
from tests import migrated
from tests.script import asking

pytestmark = [pytest.mark.slow, pytest.mark.no_cover, pytest.mark.django_db]

MESSAGES, SENDERS, KILLS, CUTS = 150, 6, 2, 2


@pytest.fixture(scope="module")
def served(django_db_setup: None) -> Iterator[tuple[webhook.Place, int]]:
    """One database and one web server, with its port, for all tests here; each sends messages of its own."""
    with webhook.a_place() as place:
        migrated.into(place.var)
        port, _ = place.serve()
        yield place, port


def answer(port: int, raw: bytes) -> int:
    """The status of the answer; 0: there was none."""
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        peer.request("POST", "/hooks/ses/", raw, {"Content-Type": "text/plain; charset=UTF-8"})
        return peer.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        peer.close()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Senders:
    """Threads that post each message again and again, as SNS does, until it is answered with 200."""

    def __init__(self, port: int, messages: dict[str, bytes]) -> None:
        self.answered: set[str] = set()
        self.refused = 0
        self.statuses: set[int] = set()
        self._port, self._end = port, time.monotonic() + 90
        self._left = iter(messages.items())
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        while True:
            with self._lock:
                found = next(self._left, None)
            if found is None:
                return
            while time.monotonic() < self._end:
                status = answer(self._port, found[1])
                self.statuses.add(status)
                if status == 200:
                    self.answered.add(found[0])
                    break
                self.refused += 1
                time.sleep(0.1)

    def wait_for(self, share: float) -> None:
        """Until so much of all messages was answered with 200; the senders are in the middle of the next ones then."""
        assert processes.wait_until(lambda: len(self.answered) >= share * MESSAGES, 60, every=0.002)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(100)


def messages_of(place: webhook.Place, number: int = MESSAGES) -> dict[str, bytes]:
    raws = place.messages(number, place.origin + place.signer.certificate_path)
    return {raw.partition(b'"MessageId": "')[2][:36].decode(): raw for raw in raws}


def kept(place: webhook.Place) -> set[str]:
    told = asking.ask(place.var, "SELECT dedupe_key FROM bounces_notification")
    return {key.removeprefix("sns:") for (key,) in told}


def test_a_web_process_that_is_killed_loses_nothing_that_it_answered_with_200(
    served: tuple[webhook.Place, int],
) -> None:
    place, port = served
    (program,) = place.running
    chance = random.Random(7)
    senders = Senders(port, messages_of(place))
    for number in range(KILLS):
        senders.wait_for((number + chance.uniform(0.1, 0.9)) / (KILLS + 1))
        assert program.child is not None
        processes.kill_group(program.child)
        program.start()
    senders.join()
    assert senders.refused, "No kill hit a request, so nothing was shown."
    assert len(senders.answered) == MESSAGES
    assert senders.answered <= kept(place)


def test_a_database_that_is_cut_off_loses_nothing_that_was_answered_with_200(
    served: tuple[webhook.Place, int],
) -> None:
    place, port = served
    senders = Senders(port, messages_of(place))
    server: Postgres = place.server
    for number in range(CUTS):
        senders.wait_for((number + 0.5) / (CUTS + 1))
        assert server.child is not None
        os.kill(server.child.pid, signal.SIGQUIT)  # an immediate shutdown: what a power cut leaves
        server.child.wait(20)
        server.start()
    senders.join()
    assert senders.refused, "No cut hit a request, so nothing was shown."
    assert senders.statuses - {0} == {200, 503}
    assert len(senders.answered) == MESSAGES
    assert senders.answered <= kept(place)


class Halves:
    """A request that is half there when its server is asked to end."""

    def __init__(self, port: int, raw: bytes) -> None:
        self._peer = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._peer.putrequest("POST", "/hooks/ses/")
        self._peer.putheader("Content-Type", "text/plain; charset=UTF-8")
        self._peer.putheader("Content-Length", str(len(raw)))
        self._peer.endheaders(raw[:100])
        self._rest = raw[100:]

    def finish(self) -> int:
        """The status of the answer."""
        self._peer.send(self._rest)
        status = self._peer.getresponse().status
        self._peer.close()
        return status


def test_through_a_rolling_restart_nobody_sees_a_fault_and_a_request_that_is_half_there_is_answered_and_stored(
    served: tuple[webhook.Place, int],
) -> None:
    """Each sender turns to the other server where one does not answer, as the server in front of both does."""
    place, port = served
    (first,) = place.running
    embedded.make_private(place.var / "second" / "log")
    other_port = unused_port()
    second = services.web(other_port, var=place.var / "second", environment=place.environment)
    second.start()
    place.running.append(second)
    messages, statuses = messages_of(place), Counter[int]()
    end = threading.Event()

    def send(own: list[bytes]) -> None:
        for raw in itertools.cycle(own):
            if end.is_set():
                return
            found = next((status for each in (port, other_port) if (status := answer(each, raw))), 0)
            statuses[found] += 1
            time.sleep(0.02)

    raws = list(messages.values())
    threads = [threading.Thread(target=send, args=[raws[number::4]]) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for program, at in ((first, port), (second, other_port)):
            ((key, raw),) = messages_of(place, 1).items()
            half = Halves(at, raw)
            time.sleep(0.3)
            assert program.child is not None
            program.child.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert half.finish() == 200
            program.child.wait(25)
            if program is first:
                program.start()
            assert key in kept(place)
    finally:
        end.set()
        for thread in threads:
            thread.join(30)
        assert second.child is not None
        processes.kill_group(second.child)
        place.running.remove(second)
    assert set(statuses) == {200} and statuses[200] > 50
