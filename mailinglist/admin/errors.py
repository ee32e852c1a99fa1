"""What a manager reads instead of a page: in the frame of the admin, with the way back. All others get the public one.

Wired in by urls.py.
"""

from collections.abc import Sequence

from django.contrib import admin
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.views import defaults

from mailinglist.second_step_gate import is_through
from mailinglist.staff import page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        said = ["It is too large: a form may send 2 MB, its files not counted. Make the text shorter."]
    elif isinstance(exception, (TooManyFieldsSent, TooManyFilesSent)):
        said = ["It has too many fields or files. Choose fewer."]
    elif isinstance(exception, BadRequest) and str(exception):
        said = [str(exception)]
    else:
        said = ["Something in it was damaged on the way. Load the page again and try once more."]
    told = _told(request, 400, "This request could not be read", [*said, "Nothing was changed."])
    return told or defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    said = ["Your account has no right to it. Ask an owner of this installation."]
    told = _told(request, 403, "You may not see this page", said)
    return told or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    said = ["What it showed may be deleted, perhaps in another window, or the address is mistyped."]
    told = _told(request, 404, "This page does not exist", said)
    return told or defaults.page_not_found(request, exception)


def _told(request: HttpRequest, status: int, title: str, sentences: Sequence[str]) -> HttpResponse | None:
    """None: the reader is no manager, or the database cannot say."""
    if not request.path.startswith(reverse("admin:index")) or not hasattr(request, "user"):
        return None
    try:
        if not (request.user.is_staff and is_through(request)):
            return None
        context = {"sentences": sentences, "table": _table(request)}
        answer = page(request, "admin/mailinglist/error.html", title, context)
        answer.status_code = status
        return answer.render()
    except DatabaseError:  # for example a cookie that it cannot look up
        return None


def _table(request: HttpRequest) -> tuple[str, str] | None:
    """The name and the address of the table that the page belonged to, if the manager may see it."""
    parts = request.path.removeprefix(reverse("admin:index")).split("/")
    for model, options in admin.site._registry.items():
        meta = model._meta
        if parts[:2] == [meta.app_label, meta.model_name] and options.has_view_permission(request):
            try:
                address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            except NoReverseMatch:
                return None
            return f"All {meta.verbose_name_plural}", address
    return None
