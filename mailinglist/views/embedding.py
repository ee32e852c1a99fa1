"""The sign-up form on other sites: the script, its texts, and the address that it posts to.

No cookie is read or set here, so there is none to abuse and no CSRF token to ask for. What keeps foreign pages
out is their origin, which browsers send and pages cannot change: it must be one of the list's allowed ones.
CORS alone would hide the answer from the page, after the deed; so the server refuses by itself.
"""

import json
from collections.abc import Callable
from functools import cache, wraps
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition, require_safe

from mailinglist import embedding, languages, origins, signs
from mailinglist.forms import SignUpForm
from mailinglist.gate import Answer
from mailinglist.models import MailingList
from mailinglist.views.joining import FormName, sign_up
from mailinglist.views.pages import public_list, show

#: Bytes of a sign-up; a filled form has some hundred.
BODY_LIMIT = 10_000
#: Seconds for which a browser may remember that a site is allowed.
PREFLIGHT_SECONDS = 600
#: The page in the admin's frame runs our script from its own file, and nothing else.
PREVIEW_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
_SCRIPT = Path(__file__).resolve().parent.parent / "static/mailinglist/embed.js"
#: Where the problem is not one field's; the name that Django's forms use.
_WHOLE = "__all__"

ListView = Callable[[HttpRequest, MailingList], HttpResponse]


class BadBody(ValueError):
    """The body is not what the endpoint takes; ``status`` and the message are the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def cross_origin(*methods: str) -> Callable[[ListView], Callable[[HttpRequest, str], HttpResponse]]:
    """Decorator: an address for the script on other sites; every answer but success holds ``errors``."""

    def decorate(view: ListView) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def endpoint(request: HttpRequest, slug: str) -> HttpResponse:
            mailing_list = MailingList.objects.filter(slug=slug, is_public=True).first()
            with languages.spoken(mailing_list.language if mailing_list else "") as language:
                response = _answer(request, mailing_list, methods, view)
            response.headers["Content-Language"] = language
            patch_vary_headers(response, ["Origin"])
            # The consent text that is kept as evidence must be the one that was shown.
            patch_cache_control(response, no_store=True)
            return response

        return endpoint

    return decorate


@cache
def _script() -> tuple[bytes, str]:
    """The file and its ETag."""
    found = _SCRIPT.read_bytes()
    return found, f'"{sha256(found).hexdigest()[:32]}"'


@require_safe
@cache_control(public=True, max_age=3600)
@condition(etag_func=lambda request: _script()[1])
def script(request: HttpRequest) -> HttpResponse:
    """The script, at an address without a version: sites keep it for ever, browsers for an hour."""
    headers = {"Cross-Origin-Resource-Policy": "cross-origin"}
    return HttpResponse(_script()[0], content_type="text/javascript; charset=utf-8", headers=headers)


@cross_origin("GET", "HEAD")
def form_json(request: HttpRequest, mailing_list: MailingList) -> HttpResponse:
    """Fields and words of the form."""
    return JsonResponse(embedding.texts(mailing_list))


@cross_origin("POST")
def subscribe_json(request: HttpRequest, mailing_list: MailingList) -> HttpResponse:
    """Sign up. The answer is the same for every address that can exist.

    400: what is written in a field cannot be. 409 and 429: the page of the form goes on from here, with a question about
    the address or a captcha; the script takes the visitor there.
    """
    try:
        values = _body(request)
    except BadBody as bad:
        return _refusal(str(bad), status=bad.status)
    page = values.pop("page", "")
    unknown = set(values) - set(SignUpForm(mailing_list=mailing_list).fields)
    wrong = [name for name, value in values.items() if not isinstance(value, str | bool)]
    if unknown or wrong:
        errors = {name: [gettext("Write this as text.")] for name in wrong}
        return _problems(errors | {name: [gettext("The form has no such field.")] for name in unknown})
    form = SignUpForm(values, mailing_list=mailing_list)
    if not form.is_valid():
        return _problems(form.errors, status=409 if form.suggestion else 400)
    origin = request.headers.get("Origin", "")
    came_from = origins.page(page) if isinstance(page, str) else ""
    if not came_from.startswith(f"{origin}/"):
        came_from = origins.page(origin)
    answer = sign_up(request, mailing_list, form, form_name=FormName.SCRIPT, came_from=came_from)
    if answer is Answer.ADMIT or answer.silent:
        return JsonResponse({"message": embedding.thanks()})
    if answer is Answer.NO_DOMAIN:
        return _problems({"email": [answer.sentence]})
    return _refusal(answer.sentence, status=429)


@never_cache
@xframe_options_sameorigin
@require_safe
def preview(request: HttpRequest, slug: str, way: str) -> HttpResponse:
    """One way to embed the form as visitors of a site would meet it, for the frame in the admin."""
    mailing_list = public_list(request, slug)
    languages.speak(mailing_list.language)
    chosen = next((found for found in embedding.WAYS if found.name == way), None)
    if chosen is None:
        raise Http404
    response = show(
        request, "embed_preview", list=mailing_list, snippet=embedding.snippet(mailing_list, chosen, site="")
    )
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _answer(
    request: HttpRequest, mailing_list: MailingList | None, methods: tuple[str, ...], view: ListView
) -> HttpResponse:
    if mailing_list is None:
        return _refusal(gettext("There is no such list, or nobody can sign up for it here."), status=404)
    origin = request.headers.get("Origin", "")
    if origin and not _may(request, origin, mailing_list):
        return _refusal(
            gettext(
                "The site %(site)s may not sign people up. A manager can allow it: Lists › %(list)s › Sites."
            )
            % {"site": origin, "list": mailing_list.name},
            status=403,
        )
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
    elif request.method in methods:
        response = view(request, mailing_list)
    else:
        response = _refusal(gettext("Use %(method)s here.") % {"method": methods[0]}, status=405)
        response.headers["Allow"] = ", ".join((*methods, "OPTIONS"))
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
    if origin and request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def _may(request: HttpRequest, origin: str, mailing_list: MailingList) -> bool:
    host = request.get_host()
    own = {embedding.own_origin(), f"https://{host}", *([f"http://{host}"] if settings.LOCAL else [])}
    return origin in own or origin in origins.allowed(mailing_list.allowed_origins)


def _body(request: HttpRequest) -> dict[str, Any]:
    """The object in the body, without what is null. Raises BadBody."""
    if request.content_type != "application/json":
        raise BadBody(gettext("Send JSON, with the header Content-Type: application/json."), status=415)
    raw = request.read(BODY_LIMIT + 1)
    if len(raw) > BODY_LIMIT:
        raise BadBody(gettext("The body is longer than %(limit)s bytes.") % {"limit": BODY_LIMIT}, status=413)
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise BadBody(gettext("The body is not JSON in UTF-8.")) from error
    if not isinstance(found, dict):
        raise BadBody(gettext('The body is no JSON object, like {"email": "ada@example.com"}.'))
    if not all(signs.is_text(text) for pair in found.items() for text in pair if isinstance(text, str)):
        raise BadBody(gettext("The body holds half of a surrogate pair, which is no text."))
    return {name: value for name, value in found.items() if value is not None}


def _refusal(sentence: str, *, status: int) -> HttpResponse:
    return _problems({_WHOLE: [sentence]}, status=status)


def _problems(errors: dict[str, Any], *, status: int = 400) -> HttpResponse:
    return JsonResponse({"errors": errors}, status=status)
