"""The kept connections: reused, dropped when the other side closes them, and never a second POST."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from botocore import exceptions as boto
from botocore.credentials import Credentials

from mailinglist.sending import hub
from mailinglist.sending.wire import Wire

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: r-1\r\n%sContent-Length: 19\r\n\r\n"
    b'{"MessageId":"m-1"}'
)


class Peer:
    """A server by hand: what it does with each request is a list of steps, one per request."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections, self.requests = 0, 0
        self.steps: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            while request := self._request(sock):
                assert request.startswith(b"POST /v2/email/")
                self.requests += 1
                step = self.steps.pop(0) if self.steps else "answer"
                if step == "hang":
                    time.sleep(1.5)
                if step in ("drop", "hang"):
                    return
                if step == "pieces":
                    whole = ANSWER % b""
                    for start in range(0, len(whole), 9):
                        sock.sendall(whole[start : start + 9])
                        time.sleep(0.005)
                    continue
                sock.sendall(ANSWER % (b"Connection: close\r\n" if step == "close" else b""))
                if step in ("close", "answer then close"):
                    return

    def _request(self, sock: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += sock.recv(65536)
        return head


@pytest.fixture
def peer() -> Iterator[Peer]:
    found = Peer()
    yield found
    found.listener.close()


def wire(port: int) -> Wire:
    return Wire(
        f"http://127.0.0.1:{port}",
        region="us-east-1",
        credentials=Credentials("a", "b"),
        connect_timeout=1,
        read_timeout=0.5,
    )


def post(found: Wire) -> str:
    answer = found.send_email(
        FromEmailAddress="a@x.example",
        Destination={"ToAddresses": ["b@x.example"]},
        Content={"Raw": {"Data": b"mail"}},
    )
    assert answer["ResponseMetadata"] == {"HTTPStatusCode": 200, "RequestId": "r-1"}
    return str(answer["MessageId"])


def test_calls_one_after_the_other_share_a_connection(peer: Peer) -> None:
    found = wire(peer.port)
    assert [post(found) for _ in range(5)] == ["m-1"] * 5
    assert (peer.connections, peer.requests) == (1, 5)


def test_calls_at_the_same_time_each_have_a_connection_and_keep_it(peer: Peer) -> None:
    found = wire(peer.port)
    done: list[str] = []

    def six_at_once() -> None:
        parking: hub.Parking[None] = hub.Parking()

        def one() -> None:
            done.append(post(found))
            if len(done) % 6 == 0:
                parking.give(None)

        for _ in range(6):
            asyncio.get_running_loop().call_soon(hub.start, one)
        parking.wait()

    hub.run(six_at_once)
    hub.run(six_at_once)
    assert len(done) == 12 and peer.connections == 6


def test_an_answer_in_pieces_is_read_whole(peer: Peer) -> None:
    peer.steps = ["pieces"]
    assert post(wire(peer.port)) == "m-1"


@pytest.mark.parametrize("step", ["close", "answer then close"])
def test_a_connection_that_was_closed_while_idle_is_not_used(peer: Peer, step: str) -> None:
    found = wire(peer.port)
    peer.steps = [step]
    post(found)
    time.sleep(0.1)
    hub.run(lambda: wait_a_moment())
    assert post(found) == "m-1"
    assert (peer.connections, peer.requests) == (2, 2)


def wait_a_moment() -> None:
    """Let the event loop see what came in."""
    parking: hub.Parking[None] = hub.Parking()
    asyncio.get_running_loop().call_later(0.05, parking.give, None)
    parking.wait()


@pytest.mark.parametrize(
    ("step", "error"), [("drop", boto.ConnectionClosedError), ("hang", boto.ReadTimeoutError)]
)
def test_a_lost_answer_is_an_error_after_one_post_and_the_next_call_works(
    peer: Peer, step: str, error: type[Exception]
) -> None:
    found = wire(peer.port)
    peer.steps = [step]
    with pytest.raises(error):
        post(found)
    assert peer.requests == 1
    assert post(found) == "m-1"


def test_where_nobody_listens_the_error_says_that_nothing_was_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = wire(free.getsockname()[1])
        with pytest.raises(boto.EndpointConnectionError):
            post(found)
