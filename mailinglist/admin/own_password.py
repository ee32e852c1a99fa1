"""A manager's own password, changed on Django's page, and written down. Wired in by urls.py."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from mailinglist import logins


def change(request: HttpRequest) -> HttpResponse:
    """Django ends the other sessions of the manager, and keeps this one."""
    answer: HttpResponse = admin.site.password_change(request)
    if request.method == "POST" and answer.status_code == 302:
        why = "Changed their own password; their other sessions ended."
        logins.note(request.user, "password changed", why, request, before="account")
    return answer
