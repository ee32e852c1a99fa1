"""Pictures of mails, for everybody who has the mail. They never change, so they may be kept for a year."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import condition, require_safe

from mailinglist import images
from mailinglist.models import MailImage


def _etag(request: HttpRequest, token: str, ending: str) -> str | None:
    return f'"{token}"' if MailImage.objects.filter(token=token).exists() else None


@require_safe
@condition(etag_func=_etag)
def image(request: HttpRequest, token: str, ending: str) -> HttpResponse:
    """The picture, with the type that its bytes have, and no other way to read it."""
    found = get_object_or_404(MailImage, token=token)
    if images.ENDINGS[found.content_type] != ending:
        raise Http404
    return HttpResponse(
        bytes(found.data),
        content_type=found.content_type,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",  # mail programs on the web show it
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        },
    )
