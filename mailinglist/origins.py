"""PURE. Origins of web sites (scheme://host[:port]): what a manager may allow, and what a browser says of itself.

Called by models/validators.py (the field of a list), views/embedding.py (who may post) and views/landing.py and
joining.py (where a sign-up came from).
"""

from urllib.parse import SplitResult, unquote, urlsplit

from mailinglist import addresses

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_PAGE_LENGTH = 300


class BadOrigin(ValueError):
    """The line is no origin that may be allowed; the message says why, for the manager who wrote it."""


def normalise(line: str) -> str:
    """The origin as browsers write it: lower case, domain as A-label, no default port. Raises BadOrigin."""
    line = line.strip()
    if "*" in line:
        raise BadOrigin(f"“{line}”: write each site out; * is not understood here.")
    parts = _split(line)
    if parts is None or parts.scheme not in _DEFAULT_PORTS:
        raise BadOrigin(f"“{line}” is no origin. Write it like https://www.example.com")
    if parts.path not in ("", "/") or "?" in line or "#" in line or "@" in line:
        raise BadOrigin(f"“{line}”: write only the beginning of the address, without what follows the host.")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise BadOrigin(f"“{line}”: the site must be served by https; http only on localhost.")
    try:
        return _origin(parts)
    except ValueError as error:
        raise BadOrigin(f"“{line}”: the host is no domain name.") from error


def allowed(text: str) -> frozenset[str]:
    """The origins in a text of one a line. A line that is none allows nobody."""
    found = set()
    for line in text.splitlines():
        try:
            found.add(normalise(line))
        except BadOrigin:
            continue
    return frozenset(found)


def page(address: str) -> str:
    """A page's address for the evidence of a sign-up: at most 300 characters of scheme, host and path.

    Query, fragment and password are left out, and so is a path with an @: they may hold somebody's address, and
    evidence outlives an erasure. "" for what is no address of a web page.
    """
    parts = _split(address)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not address.isprintable():
        return ""
    try:
        origin = _origin(parts)
    except ValueError:
        return ""
    path = "" if "@" in unquote(unquote(parts.path)) else parts.path
    return (origin + path)[:_PAGE_LENGTH]


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None


def _origin(parts: SplitResult) -> str:
    """Raises ValueError (as addresses.BadAddress is one) when the host is no domain name."""
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    elif host.replace(".", "").replace("-", "").isalnum() and host.isascii():
        host = host.lower()
    else:
        host = addresses.normalise(f"x@{host}").domain
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
