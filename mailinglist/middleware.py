"""What holds for all pages: headers and language of what strangers see, and an answer to what cannot be stored.

The headers say what a page may load, and that nobody may frame it; in the admin as strictly as its theme allows. Django's
SecurityMiddleware does the rest.
"""

from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from itertools import chain

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from mailinglist import languages

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
#: Of the one page with the captcha's widget: its scripts and its worker are files of our own.
CAPTCHA_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace(
    "script-src 'none'", "script-src 'self'; worker-src 'self'"
)
#: Of the admin. Its theme (unfold) needs what is unsafe, measured page by page in tests/browser/test_admin_policy.py:
#: Alpine compiles the attributes of its pages (eval), and writes styles into elements. No script in a page runs.
ADMIN_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


class PublicHeaders:
    """Adds the Content-Security-Policy to every answer that brings none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = ADMIN_SECURITY_POLICY if _is_of_staff(request) else CONTENT_SECURITY_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


class PublicLanguage:
    """Speaks the visitor's language outside the admin, and says in the answer which one it was.

    Views that know a list or a person speak theirs (languages.speak). An answer that says its language itself, as what
    is the same for everybody does, is left alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_of_staff(request):
            return self.get_response(request)
        with languages.spoken(languages.of_browser(request)):
            response = self.get_response(request)
            is_page = response.headers.get("Content-Type", "").startswith("text/html")
            if is_page and "Content-Language" not in response.headers:
                response.headers["Content-Language"] = get_language()
                patch_vary_headers(response, ["Accept-Language"])
        return response


class TakeChunked:
    """Makes a body that came in pieces, without its length, like any other: Django would take it for an empty one, and a
    mail program's unsubscribe or a report of SES would be answered and lost.

    Answers 411 to one that is too long for that, or whose end the server does not tell.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_chunked(request):
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            body = (
                request.META["wsgi.input"].read(most + 1)
                if request.META.get("wsgi.input_terminated")
                else None
            )
            if body is None or len(body) > most:
                words = "Send the body with a Content-Length, not in pieces (Transfer-Encoding: chunked).\n"
                return HttpResponse(words, status=411, content_type="text/plain; charset=utf-8")
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = BytesIO(body)
        return self.get_response(request)


def _is_chunked(request: HttpRequest) -> bool:
    way = request.META.get("HTTP_TRANSFER_ENCODING", "")
    return "chunked" in way.lower() and not request.META.get("CONTENT_LENGTH")


class RefuseNul:
    """Answers 400 where PostgreSQL, whose texts have no NUL, could not take one that came with the request.

    Only then: a form that refuses a NUL in words of its own still does, and no body is read for this alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Raises BadRequest instead of the database's complaint about such a request."""
        if isinstance(exception, DataError) and any("\x00" in text for text in _texts(request)):
            raise BadRequest("There is a NUL character in the request.") from exception


def _is_of_staff(request: HttpRequest) -> bool:
    return request.path.startswith(_staff_pages())


@cache
def _staff_pages() -> str:
    return reverse("admin:index")


def _texts(request: HttpRequest) -> Iterator[str]:
    """Everything that a client may have put a NUL in. Where a view read the body itself, POST is empty."""
    yield request.path_info
    yield from request.COOKIES.values()
    for _, values in chain(request.GET.lists(), request.POST.lists()):
        yield from map(str, values)
