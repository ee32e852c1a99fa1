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
from script import embedded, processes, project, services
from script.postgres import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

MESSAGES, SENDERS, KILLS = 400, 6, 4
_IDS = "from bounces.models import Notification as N; print(' '.join(N.objects.values_list('dedupe_key', flat=True)))"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[webhook.Place, int]]:
    """One database and one web server, with its port, for all tests here; each sends messages of its own."""
    with webhook.a_place() as place:
        port, _ = place.ours()
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

    def join(self) -> None:
        for thread in self._threads:
            thread.join(100)


def messages_of(place: webhook.Place) -> dict[str, bytes]:
    raws = place.messages(MESSAGES, place.origin + place.signer.certificate_path)
    return {raw.partition(b'"MessageId": "')[2][:36].decode(): raw for raw in raws}


def kept(place: webhook.Place) -> set[str]:
    told = project.manage("shell", "-v", "0", "-c", _IDS, environment=place.environment)
    return {key.removeprefix("sns:") for key in told.split()}


def test_a_web_process_that_is_killed_loses_nothing_that_it_answered_with_200(
    served: tuple[webhook.Place, int],
) -> None:
    place, port = served
    (program,) = place.running
    chance = random.Random(7)
    senders = Senders(port, messages_of(place))
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.4))
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
    for _ in range(2):
        time.sleep(0.4)
        assert server.child is not None
        os.kill(server.child.pid, signal.SIGQUIT)  # an immediate shutdown: what a power cut leaves
        server.child.wait(20)
        server.start()
    senders.join()
    assert senders.refused, "No cut hit a request, so nothing was shown."
    assert senders.statuses - {0} == {200, 503}
    assert len(senders.answered) == MESSAGES
    assert senders.answered <= kept(place)


def test_a_request_that_is_half_there_at_sigterm_is_answered_and_stored(
    served: tuple[webhook.Place, int],
) -> None:
    place, port = served
    (program,) = place.running
    assert program.child is not None
    ((key, raw),) = list(messages_of(place).items())[:1]
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    peer.putrequest("POST", "/hooks/ses/")
    peer.putheader("Content-Type", "text/plain; charset=UTF-8")
    peer.putheader("Content-Length", str(len(raw)))
    peer.endheaders(raw[:100])
    time.sleep(0.3)
    began = time.monotonic()
    program.child.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    peer.send(raw[100:])
    assert peer.getresponse().status == 200
    peer.close()
    program.child.wait(25)
    assert time.monotonic() - began < 25
    program.start()
    assert key in kept(place)


def test_through_a_rolling_restart_of_two_servers_nobody_sees_a_fault(
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
        for program in (first, second):
            time.sleep(0.3)
            assert program.child is not None
            program.child.send_signal(signal.SIGTERM)
            program.child.wait(25)
            program.start()
    finally:
        end.set()
        for thread in threads:
            thread.join(30)
        assert second.child is not None
        processes.kill_group(second.child)
        place.running.remove(second)
    assert set(statuses) == {200} and statuses[200] > 50
