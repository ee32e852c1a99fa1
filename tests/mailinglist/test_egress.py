"""The one door outside: what it asks, and that nothing leads it into a network of ours."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import dns.resolver
import pytest

from mailinglist import egress

PRIVATE = [
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "192.0.0.8", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "ff02::1", "2001:db8::1", "fec0::1", "feff::1",
    "3fff::1", "5f00::1",
]  # fmt: skip
REFUSED = [
    *(f"http://{f'[{ip}]' if ':' in ip else ip}/" for ip in PRIVATE),
    "http://localhost/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
    "http://127.0.0.1./", "https://8.8.8.8:8443/", "http://8.8.8.8:22/", "ftp://8.8.8.8/", "file:///etc/passwd",
    "gopher://8.8.8.8/", "http://user:pw@8.8.8.8/", "http://[::1", "http:///x", "//8.8.8.8/", "http://8.8.8.8:99999/",
    "http://8.8.8.8\\@127.0.0.1/", "http://127.0.0.1\\@8.8.8.8/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/",
    "http://[fe80::1%25eth0]/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/", "http://100.127.255.254/", "http://0/",
]  # fmt: skip


class Names:
    """A DNS whose answers are given: (name, kind) → addresses, one list a question."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def resolve(self, name: str, kind: str, **_: Any) -> list[Any]:
        if kind == "AAAA":
            raise dns.resolver.NoAnswer
        self.asked += 1
        return [SimpleNamespace(address=ip) for ip in self.answers[min(self.asked, len(self.answers)) - 1]]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where it connected to; it never really does."""
    found: list[Any] = []

    def connect(address: Any, **_: Any) -> socket.socket:
        found.append(address)
        raise OSError

    monkeypatch.setattr(egress.socket, "create_connection", connect)
    return found


@pytest.mark.parametrize("address", REFUSED)
def test_nothing_of_ours_is_asked(address: str, connected: list[Any]) -> None:
    with pytest.raises(egress.NotReached):
        egress.ask(address, resolver=Names([]))  # type: ignore[arg-type]
    assert connected == []


@pytest.mark.parametrize("ips", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
def test_a_name_that_leads_into_a_private_network_is_refused(ips: list[str], connected: list[Any]) -> None:
    with pytest.raises(egress.NotAllowed, match="private network"):
        egress.ask("https://rebind.example/", resolver=Names(ips))  # type: ignore[arg-type]
    assert connected == []


def test_the_connection_goes_to_the_address_that_was_judged(connected: list[Any]) -> None:
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    with pytest.raises(egress.NotReached):
        egress.ask("http://rebind.example/", resolver=names)  # type: ignore[arg-type]
    assert connected == [("8.8.8.8", 80)] and names.asked == 1


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[bytes]]]:
    """A server on loopback that gives these answers in turn; 203.0.113.x is let through to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(egress, "_PORTS", {"http": listener.getsockname()[1], "https": 1})
    monkeypatch.setattr(egress, "is_public", lambda ip: ip == "127.0.0.1")

    def start(*answers: bytes, drip: float = 0) -> list[bytes]:
        asked: list[bytes] = []

        def run() -> None:
            for answer in answers:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096))
                    for at in range(0, len(answer), 1 if drip else len(answer)):
                        try:
                            connection.sendall(answer[at : at + (1 if drip else len(answer))])
                        except OSError:
                            break
                        time.sleep(drip)

        threading.Thread(target=run, daemon=True).start()
        return asked

    yield start
    listener.close()


def test_a_page_answers_and_only_its_head_is_read(serve: Callable[..., list[bytes]]) -> None:
    asked = serve(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n" + b"x" * 100_000)
    answer = egress.ask("http://acme.example/a b?c=ü#d", resolver=Names(["127.0.0.1"]))  # type: ignore[arg-type]
    assert answer.status == 200
    assert asked[0].startswith(b"GET /a%20b?c=%C3%BC HTTP/1.1\r\nHost: acme.example\r\n")


def test_a_redirect_is_judged_anew(serve: Callable[..., list[bytes]]) -> None:
    serve(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\n\r\n")
    with pytest.raises(egress.NotAllowed, match="private network"):
        egress.ask("http://acme.example/", resolver=Names(["127.0.0.1"]))  # type: ignore[arg-type]


def test_redirects_end(serve: Callable[..., list[bytes]]) -> None:
    serve(*[b"HTTP/1.1 301 Moved\r\nLocation: /again\r\n\r\n"] * 9)
    with pytest.raises(egress.NotReached, match="leads on"):
        egress.ask("http://acme.example/", resolver=Names(["127.0.0.1"]))  # type: ignore[arg-type]


def test_a_server_that_drips_is_left(
    serve: Callable[..., list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "DEADLINE", 0.5)
    serve(b"HTTP/1.1 200 " + b"x" * 1000, drip=0.05)
    begin = time.monotonic()
    with pytest.raises(egress.NotReached, match="in time"):
        egress.ask("http://acme.example/", resolver=Names(["127.0.0.1"]))  # type: ignore[arg-type]
    assert time.monotonic() - begin < 2


def test_what_is_no_web_server(serve: Callable[..., list[bytes]]) -> None:
    serve(b"220 mail.example ESMTP\r\n\r\n")
    with pytest.raises(egress.NotReached, match="as a web server does"):
        egress.ask("http://acme.example/", resolver=Names(["127.0.0.1"]))  # type: ignore[arg-type]
