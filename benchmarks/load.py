"""How fast a local SES answers: one prepared request, again and again, on some kept connections.

``python -m benchmarks.load PORT SECONDS`` prints how many answers came. The client does next to nothing per answer, so
that the server is what is measured; a way to send cannot be faster than this. Standard library only.
"""

import asyncio
import sys
import time

CONNECTIONS = 16
_BODY = (
    b'{"FromEmailAddress": "a@x.example", "Destination": {"ToAddresses": ["b@x.example"]}, "Content": "%b"}'
    % (b"x" * 5500)
)
#: As large as a signed SendEmail of a mail of 4 kB.
REQUEST = (
    b"POST /v2/email/outbound-emails HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Authorization: %b\r\nContent-Length: %d\r\n\r\n%b" % (b"y" * 200, len(_BODY), _BODY)
)


class _Client(asyncio.Protocol):
    answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        # The answer to one request fits into one packet of the loopback.
        _Client.answers += 1
        self._transport.write(REQUEST)


async def answers(port: int, seconds: float) -> float:
    """Answers per second of the server at ``port``."""
    loop = asyncio.get_running_loop()
    _Client.answers = 0
    begun = time.monotonic()
    clients = [await loop.create_connection(_Client, "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.sleep(seconds)
    found = _Client.answers / (time.monotonic() - begun)
    for transport, _ in clients:
        transport.abort()
    return found


if __name__ == "__main__":
    print(asyncio.run(answers(int(sys.argv[1]), float(sys.argv[2]))))
