"""A manager's own password, changed on Django's page, and written down. Wired in by urls.py.

Who sits down at somebody's open session does not guess on here: wrong old passwords count as those of the login do.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from mailinglist import logins


def change(request: HttpRequest) -> HttpResponse:
    """Django ends the other sessions of the manager, and keeps this one. 429 while the name is locked here."""
    if request.method != "POST":
        return _django(request)
    if not logins.password_is_allowed(request, request.user):
        return logins.lock_page(request, request.user.get_username())
    answer = _django(request)
    if answer.status_code == 302:
        logins.password_passed(request, request.user)
        why = "Changed their own password; their other sessions ended."
        logins.note(request.user, "password changed", why, request, before="account")
    elif _was_wrong(answer):
        logins.password_failed(request, request.user)
    return answer


def _django(request: HttpRequest) -> HttpResponse:
    answer: HttpResponse = admin.site.password_change(request)
    return answer


def _was_wrong(answer: Any) -> bool:
    """Whether an old password was typed, and not the right one."""
    return bool(answer.context_data["form"].has_error("old_password", "password_incorrect"))
