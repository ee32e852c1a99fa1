"""An Amazon SES that answers and does nothing else: the other side of the measurements. Standard library only.

``python -m benchmarks.local_ses --latency-ms 50`` listens on a free port of the loopback, prints it, and serves until its
standard input ends, so that it never outlives who started it. It reads SendEmail, SendBulkEmail and GetAccount (SESv2
service model 2019-09-27) just far enough to answer: a new message id for each recipient, an account without limits.
Nothing is checked or kept, so that it takes as little of the shared processor as possible; the answers can be held back
for a while, as the network and SES would.
"""

import argparse
import asyncio
import secrets
import sys
import threading
from itertools import count

_ACCOUNT = (
    b'{"SendQuota": {"Max24HourSend": -1, "MaxSendRate": -1, "SentLast24Hours": 0}, "SendingEnabled": true, '
    b'"ProductionAccessEnabled": true, "EnforcementStatus": "HEALTHY"}'
)
_BULK, _SEND = b"POST /v2/email/outbound-bulk-emails", b"POST /v2/email/outbound-emails"
#: Stands once in each entry of a bulk call; in replacement data, which are JSON in JSON, its quotes are escaped.
_ENTRY = b'"Destination":'
_numbers = count(1)
#: SES never gives an id twice, so neither do two of these processes.
_PROCESS = secrets.token_hex(4).encode()


class Connection(asyncio.Protocol):
    """One client's connection: requests in, answers out in the same order, ``latency`` seconds later."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        while (end := _end_of_request(data)) and len(data) >= end:
            self._answer(answer_to(data[:end]))
            data = data[end:]
        self._buffer = data

    def _answer(self, answer: bytes) -> None:
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)
        else:
            self._transport.write(answer)


def answer_to(request: bytes) -> bytes:
    """The whole response to one whole request."""
    if request.startswith(_BULK):
        results = b", ".join(
            b'{"Status": "SUCCESS", "MessageId": "%b"}' % _message_id() for _ in range(request.count(_ENTRY))
        )
        body = b'{"BulkEmailEntryResults": [%b]}' % results
    elif request.startswith(_SEND):
        body = b'{"MessageId": "%b"}' % _message_id()
    else:
        body = _ACCOUNT
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: local\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )


def _message_id() -> bytes:
    """60 characters, as those of SES are."""
    return b"0100%012d-%b-bbbb-cccc-dddd-eeeeeeeeeeee-000000" % (next(_numbers), _PROCESS)


def _end_of_request(data: bytes) -> int:
    """How long the first request is; 0 while its header fields are not complete."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return 0
    head = data[:end].lower()
    at = head.find(b"content-length:")
    return end if at < 0 else end + int(head[at + 15 : head.find(b"\r\n", at)])


async def _serve(latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(latency), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    threading.Thread(target=_wait_for_the_end, args=(asyncio.get_running_loop(), ended), daemon=True).start()
    await ended.wait()
    server.close()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(ended.set)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_ses", description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0, help="hold every answer back for so long")
    asyncio.run(_serve(parser.parse_args().latency_ms / 1000))
