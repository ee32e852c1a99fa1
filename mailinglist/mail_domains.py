"""Whether a domain takes mail at all, by the DNS; and whether it belongs to a throw-away mailbox.

Called by gate.py and forms.py. Only what the DNS says for sure refuses: the domain does not exist, or it says itself
that it takes no mail (a null MX, RFC 7505). No answer, a late one or a strange one lets pass, within a second.
Answers are kept for a while, in this process.
"""

import threading
import time
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from mailinglist import typos

if TYPE_CHECKING:
    import dns.resolver

#: Seconds that all questions about one domain may take together.
PATIENCE = 0.9
#: Seconds for which an answer is kept: a sure one, and that there was none.
_SURE_FOR, _UNSURE_FOR = 3600.0, 60.0
_MOST_KEPT = 10_000
#: More visitors than this at once do not wait for the DNS.
_AT_ONCE = threading.BoundedSemaphore(4)
#: Nobody's real mail: RFC 2606 and 6761.
_RESERVED = frozenset({"example", "test", "invalid", "localhost"})

_kept: OrderedDict[str, tuple[bool, float]] = OrderedDict()
_lock = threading.Lock()


def may_take_mail(domain: str) -> bool:
    """False only where it is sure that ``domain`` (an A-label) takes no mail. Never raises, never waits long."""
    known = _known(domain)
    if known is not None:
        return known
    if not _AT_ONCE.acquire(blocking=False):
        return True
    try:
        found, sure = _asked(domain)
    finally:
        _AT_ONCE.release()
    with _lock:
        _kept[domain] = found, time.monotonic() + (_SURE_FOR if sure else _UNSURE_FOR)
        _kept.move_to_end(domain)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return found


def is_known_to_take_mail(domain: str) -> bool:
    """Whether ``may_take_mail`` is true without asking the DNS."""
    return _known(domain) is True


def is_disposable(domain: str) -> bool:
    """Whether ``domain``, or one above it, is known for mailboxes that are thrown away."""
    labels = domain.split(".")
    refused = _disposable(tuple(settings.DISPOSABLE_DOMAINS))
    return any(".".join(labels[at:]) in refused for at in range(len(labels) - 1))


def _known(domain: str) -> bool | None:
    """The answer that needs no DNS; None: it has to be asked."""
    if not settings.SIGNUP_CHECK_MX or domain.rpartition(".")[2] in _RESERVED or domain in typos.PROVIDERS:
        return True
    with _lock:
        known, until = _kept.get(domain, (True, 0.0))
    return known if until > time.monotonic() else None


@cache
def _disposable(more: tuple[str, ...]) -> frozenset[str]:
    return typos.domains_in("disposable_domains.txt") | {name.lower().strip(".") for name in more}


def _asked(domain: str) -> tuple[bool, bool]:
    """(whether it may take mail, whether that is sure)."""
    import dns.exception
    import dns.resolver  # slow to import, and few processes ask the DNS

    try:
        answer = resolver().resolve(domain, "MX", lifetime=PATIENCE, search=False)
    except dns.resolver.NXDOMAIN:
        return False, True
    except dns.resolver.NoAnswer:  # it exists, and mail goes to its address record where there is one
        return True, True
    except (dns.exception.DNSException, OSError, ValueError):
        return True, False
    targets = [str(record.exchange) for record in answer]
    return targets != ["."], True


def resolver() -> "dns.resolver.Resolver":
    """The DNS servers of the system, or that of SIGNUP_DNS_SERVER; impatient."""
    import dns.resolver

    host, _, port = settings.SIGNUP_DNS_SERVER.rpartition(":")
    resolver = dns.resolver.Resolver(configure=not host)
    if host:
        resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
    resolver.timeout = PATIENCE / 2
    return resolver
