"""The frames that mails are shown in: as wide as a phone and a desk, light or dark, without any power.

A mail is an answer of its own, with a Content-Security-Policy that sandboxes it even when it is opened directly:
without scripts, forms, cookies or the origin of the admin.
"""

import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse

WIDTHS = {"both": "Both", "phone": "Phone", "desk": "Desk"}
SCHEMES = {"light": "Light", "dark": "Dark"}
_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_LIGHT = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*light\s*\)", re.IGNORECASE)


def choices(
    request: HttpRequest, address: str, *, of_frame: dict[str, str], of_page: dict[str, str]
) -> dict[str, Any]:
    """Context of frames.html: which widths and which scheme were asked for, and the links to the others.

    ``address``: of the HTML part; ``of_frame`` and ``of_page``: what else its query and that of the page hold.
    """
    width = request.GET.get("width", "")
    scheme = request.GET.get("scheme", "")
    width = width if width in WIDTHS else "both"
    scheme = scheme if scheme in SCHEMES else "light"

    def link(**change: str) -> str:
        return "?" + urlencode({"width": width, "scheme": scheme, **of_page, **change})

    return {
        "frame": f"{address}?{urlencode({'scheme': scheme, **of_frame})}",
        "shown": ["phone", "desk"] if width == "both" else [width],
        "scheme": scheme,
        "widths": [(label, link(width=name), name == width) for name, label in WIDTHS.items()],
        "schemes": [(label, link(scheme=name), name == scheme) for name, label in SCHEMES.items()],
        "kept": {"width": width, "scheme": scheme},
    }


def policy() -> str:
    """The Content-Security-Policy of a mail. Our pictures are named too: on this machine they are not behind https."""
    return (
        f"sandbox; default-src 'none'; img-src https: data: {settings.PUBLIC_URL}/images/; "
        "style-src 'unsafe-inline'; font-src https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def sealed(request: HttpRequest, html: str) -> HttpResponse:
    """The HTML part alone. ``?scheme=dark``: as in the dark, whatever the browser's own colours are."""
    dark = request.GET.get("scheme") == "dark"
    always, never = "@media all", "@media not all"
    html = _DARK.sub(always if dark else never, html)
    html = _LIGHT.sub(never if dark else always, html)
    return HttpResponse(
        html,
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy(), "Referrer-Policy": "no-referrer"},
    )
