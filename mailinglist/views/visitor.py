"""What a request says about who sent it, with no more trust than it deserves."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from mailinglist.consents import Consent

_FORWARDING_HEADERS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


def ip(request: HttpRequest) -> str | None:
    """The visitor's address. Behind a proxy that we trust, the last one it wrote into X-Forwarded-For."""
    found = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        # Only the last entry is the proxy's own; all before it are the visitor's claims.
        found = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or found
    try:
        # Without the interface (%eth0) that a neighbour's address is told with: no column takes it.
        return str(ip_address(found.partition("%")[0]))
    except ValueError:
        return None


def user_agent(request: HttpRequest) -> str:
    """The browser as it names itself: printable signs only, at most 255."""
    return "".join(sign for sign in request.headers.get("User-Agent", "") if sign.isprintable())[:255]


def agrees(request: HttpRequest, *, form: str, text: str = "", tracking: bool | None = None) -> Consent:
    """The evidence of what a visitor agrees to right now, on the page or form ``form``."""
    return Consent(timezone.now(), ip(request), user_agent(request), text, form, tracking)


def is_on_this_machine(request: HttpRequest) -> bool:
    """True for a request from this machine under one of its own names that no proxy passed on."""
    if any(header in request.headers for header in _FORWARDING_HEADERS):
        return False
    if urlsplit(f"//{request.get_host()}").hostname not in {
        host.strip("[]") for host in settings.LOCAL_HOSTS
    }:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
