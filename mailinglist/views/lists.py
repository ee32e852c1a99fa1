"""The page of a list, and what gives all its pages their look: style sheet and logo.

Style sheet and logo have their version in their address and may be kept for a year. Those of a list that is closed
answer only to who knows the version, as its own pages do: nobody finds out by guessing that the list exists.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import condition, require_safe

from mailinglist import archive, looks
from mailinglist.models import ListLogo, MailingList
from mailinglist.views.pages import public_list, show

#: Issues of the archive that the page of a list names.
NEWEST = 3


@require_safe
def list_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What the list is, how to join, what was in it lately."""
    mailing_list = public_list(request, slug)
    newest = [archive.named(found, mailing_list) for found in archive.issues(mailing_list)[:NEWEST]]
    return show(request, "list", list=mailing_list, newest=newest)


@require_safe
def look(request: HttpRequest, slug: str) -> HttpResponse:
    """The colours of one list."""
    mailing_list = get_object_or_404(MailingList, slug=slug)
    version = looks.version([mailing_list])
    if not mailing_list.is_public and request.GET.get("v") != version:
        raise Http404
    return _kept(
        request, HttpResponse(looks.css([mailing_list]), content_type="text/css; charset=utf-8"), version
    )


@require_safe
def all_looks(request: HttpRequest) -> HttpResponse:
    """The colours of all public lists, for the first page."""
    lists = MailingList.objects.filter(is_public=True)
    answer = HttpResponse(looks.css(lists), content_type="text/css; charset=utf-8")
    return _kept(request, answer, looks.version(lists))


def _logo_version(request: HttpRequest, slug: str) -> str | None:
    """The ETag; none for who may not see the picture, or "If-None-Match: *" would tell of a closed list."""
    found = MailingList.objects.filter(slug=slug).only("is_public", "logo_version").first()
    if found is None or not found.logo_version:
        return None
    seen = found.is_public or request.GET.get("v") == found.logo_version
    return f'"{found.logo_version}"' if seen else None


@require_safe
@condition(etag_func=_logo_version)
def logo(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture, with the type that its bytes have, and no other way to read it."""
    found = get_object_or_404(ListLogo.objects.select_related("list"), list__slug=slug)
    if not found.list.is_public and request.GET.get("v") != found.list.logo_version:
        raise Http404
    answer = HttpResponse(bytes(found.data), content_type=found.content_type)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return _kept(request, answer, found.list.logo_version)


def _kept(request: HttpRequest, answer: HttpResponse, version: str) -> HttpResponse:
    """For a year under its version's address, for some minutes under any other."""
    exact = request.GET.get("v") == version
    answer["Cache-Control"] = "public, max-age=31536000, immutable" if exact else "public, max-age=300"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
