"""The one door to addresses that people typed: asks a web server for a page without ever reaching our own network.

Called by link_checks.py. The name is resolved once, every address of it must be public, and the connection goes to
just that address; each redirect is judged anew. Only http and https at their usual ports, no proxy, nothing read but
the head of the answer, and an end after seconds whatever the other side does.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

if TYPE_CHECKING:
    import dns.resolver

#: Seconds for one address with all its redirects, and for one step of it.
DEADLINE, PATIENCE = 10.0, 5.0
MOST_REDIRECTS = 5
_MOST_HEAD = 32_768
_PORTS = {"http": 80, "https": 443}
# Services and insides of networks, and examples, which Python counts as public.
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20")))
# IPv6 that leads to IPv4 behind a gateway of somebody's: NAT64, 6to4, Teredo.
_TUNNELS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class NotReached(Exception):
    """There is no answer; the message is a sentence that says why."""


class NotAllowed(NotReached):
    """It was not asked: the address leads where nothing of ours may go."""


@dataclass(frozen=True, slots=True)
class Answer:
    #: Of HTTP, of the last page.
    status: int
    #: Where redirects led; the address itself without any.
    address: str


def ask(address: str, *, resolver: "dns.resolver.Resolver | None" = None) -> Answer:
    """The status of a page. Raises NotReached, or NotAllowed before anything was connected to."""
    until = time.monotonic() + DEADLINE
    for _ in range(MOST_REDIRECTS + 1):
        status, location = _one(address, until, resolver)
        if status not in (301, 302, 303, 307, 308) or not location:
            return Answer(status, address)
        address = urljoin(address, location)
    raise NotReached(f"It leads on more than {MOST_REDIRECTS} times.")


def is_public(found: str) -> bool:
    """Whether an IP address belongs to the Internet that everybody sees."""
    address = ipaddress.ip_address(found.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or any(address in tunnel for tunnel in _TUNNELS)
    ):
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _one(address: str, until: float, resolver: "dns.resolver.Resolver | None") -> tuple[int, str]:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise NotAllowed("This is no address of the web.") from error
    if parts.scheme not in _PORTS or not host:
        raise NotAllowed("Only http and https addresses are looked at.")
    if (port or _PORTS[parts.scheme]) != _PORTS[parts.scheme]:
        raise NotAllowed("Only the usual ports of the web are asked.")
    if parts.username is not None:
        raise NotAllowed("An address with a user name is not asked.")
    found = _resolve(host, until, resolver)
    private = [ip for ip in found if not is_public(ip)]
    if private:
        raise NotAllowed("It leads into a private network.")
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/:@!$&'()*+,;=~%-._?")
    name = parts.netloc.encode("idna").decode() if not parts.netloc.isascii() else parts.netloc
    try:
        return _exchange(found[0], host, parts.scheme, name, path, until)
    except ssl.SSLError as error:
        raise NotReached(
            f"Its certificate is not in order: {error.reason or 'no secure connection'}."
        ) from error
    except TimeoutError as error:
        raise NotReached("It does not answer in time.") from error
    except OSError as error:
        raise NotReached("It cannot be reached.") from error


def _resolve(host: str, until: float, resolver: "dns.resolver.Resolver | None") -> list[str]:
    """The IP addresses of a host. Numbers in odd spellings are names that no DNS knows."""
    import dns.exception
    import dns.resolver  # slow to import, and few processes ask the DNS

    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    if "." not in host or host.replace(".", "").isdigit():
        raise NotAllowed("This is no public name.")
    asked = resolver or dns.resolver.Resolver()
    found: list[str] = []
    for kind in ("A", "AAAA"):
        try:
            answer = asked.resolve(host, kind, lifetime=min(PATIENCE, _left(until)), search=False)
        except dns.resolver.NXDOMAIN as error:
            raise NotReached("Its domain does not exist.") from error
        except dns.resolver.NoAnswer:
            continue
        except (dns.exception.DNSException, OSError, ValueError, UnicodeError) as error:
            if found:
                break
            raise NotReached("Its domain cannot be looked up.") from error
        found += [record.address for record in answer]
    if not found:
        raise NotReached("Its domain has no address.")
    return found


def _exchange(ip: str, host: str, scheme: str, name: str, path: str, until: float) -> tuple[int, str]:
    connect: Callable[..., socket.socket] = socket.create_connection
    with connect((ip, _PORTS[scheme]), timeout=min(PATIENCE, _left(until))) as plain:
        stream = plain
        if scheme == "https":
            stream = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        with stream:
            stream.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Mailinglist link check\r\nAccept: */*\r\n"
                f"Range: bytes=0-0\r\nConnection: close\r\n\r\n".encode("latin-1", "replace")
            )
            return _head(stream, until)


def _head(stream: socket.socket, until: float) -> tuple[int, str]:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _MOST_HEAD:
        stream.settimeout(_left(until))
        more = stream.recv(4096)
        if not more:
            break
        data += more
    first, *lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not (words[1].isascii() and words[1].isdigit()):
        raise NotReached("It does not answer as a web server does.")
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip().lower() == "location":
            return int(words[1]), value.strip()
    return int(words[1]), ""


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
