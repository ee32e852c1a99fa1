"""A tiny DNS server on loopback that answers by the name that is asked for. UDP, a thread, no more."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class DnsServer:
    """``asked`` counts the questions. Names: gone.* does not exist, null.* has a null MX, bare.* has no MX,
    broken.* fails, garbage.* is answered with noise, silent.* never; everything else has a mail server."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.asked: list[str] = []

    def serve(self) -> None:
        while True:
            try:
                question, sender = self.socket.recvfrom(2048)
            except OSError:
                return
            if not question:
                return
            if answer := self._answer(question):
                self.socket.sendto(answer, sender)

    def _answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text()
        self.asked.append(name)
        kind = name.partition(".")[0]
        if kind == "silent":
            return b""
        if kind == "garbage":
            return wire[:2] + b"\xff" * 20
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if kind == "gone":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif kind == "broken":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif kind == "null":
            answer.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", "0 ."))
        elif kind != "bare":
            answer.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", "10 mx.post.net."))
        return answer.to_wire()


@contextmanager
def running() -> Iterator[DnsServer]:
    server = DnsServer()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", int(server.address.rpartition(":")[2])))
        thread.join(5)
        server.socket.close()
