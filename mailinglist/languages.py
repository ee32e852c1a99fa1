"""Which language a page or mail is in. Those that have a catalogue are settings.LANGUAGES.

Called by the middleware, the public views, the embedded form and whatever writes mails. The staff pages stay in
English: nothing here is called for them. docs/public-pages.md tells the order in which languages are asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


def known(code: str) -> str:
    """The language of ours that is nearest to ``code`` (de-AT → de); "" when we have none."""
    try:
        return get_supported_language_variant(code.strip().replace("_", "-").lower()) if code else ""
    except (LookupError, ValueError):
        return ""


def first(*codes: str) -> str:
    """The first of ``codes`` that we have, as we have it; English when it is none of them."""
    return next(filter(None, map(known, codes)), settings.LANGUAGE_CODE)


def of_browser(request: HttpRequest) -> str:
    """What the visitor's browser likes best of what we have; "" when it says nothing that we have."""
    asked = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    codes = (known(code) for code, weight in asked if weight > 0 and code != "*")
    return next(filter(None, codes), "")


def speak(*codes: str) -> None:
    """From here on this request is answered in the first of ``codes`` that we have.

    Within ``spoken`` only, which the middleware puts around every request of a stranger.
    """
    translation.activate(first(*codes))


@contextmanager
def spoken(*codes: str) -> Iterator[str]:
    """The block is in the first of ``codes`` that we have; what was spoken before comes back after it."""
    with translation.override(first(*codes)):
        yield translation.get_language() or settings.LANGUAGE_CODE
