"""The manager's own second step: set it up, get new recovery codes, switch it off; and the page that asks for the code.

URL names: ``admin:second_step`` and ``admin:second_step_code``. Wired in by admin/managers.py.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminTextInputWidget

from mailinglist import logins, second_step
from mailinglist.second_step_gate import let_through
from mailinglist.staff import actor, page

#: In the session until the first right code: the secret that the QR code shows.
SECRET = "second_step_secret"  # noqa: S105


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
        help_text="The six digits that the app shows now, or one of your recovery codes.",
    )


class FirstCodeForm(CodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "The six digits that the app shows now."


@never_cache
def ask_code(request: HttpRequest) -> HttpResponse:
    """Between the password and the admin."""
    if not second_step.is_on(request.user):
        return HttpResponseRedirect(reverse("admin:index"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not logins.code_is_allowed(request, request.user):
            return logins.lock_page(request, request.user.get_username())
        if second_step.check(request.user, form.cleaned_data["code"]):
            logins.code_passed(request, request.user)
            let_through(request)
            return HttpResponseRedirect(_next(request))
        logins.code_failed(request, request.user)
        form.add_error("code", "This code is not right, or was used before. Wait for the next one.")
    context = {
        **admin.site.each_context(request),
        "form": form,
        "title": "Second step",
        "next": _next(request),
    }
    return render(request, "admin/mailinglist/second_step/code.html", context)


@never_cache
def own(request: HttpRequest) -> HttpResponse:
    """GET shows how it stands. POST ``do``: on, codes, off; the latter two want a code."""
    if not second_step.is_on(request.user):
        return _set_up(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if not logins.code_is_allowed(request, request.user):
            return logins.lock_page(request, request.user.get_username())
        if second_step.check(request.user, form.cleaned_data["code"]):
            return _change(request)
        logins.code_failed(request, request.user)
        form.add_error("code", "This code is not right, or was used before. Wait for the next one.")
    context = {
        "form": form,
        "left": second_step.codes_left(request.user),
        "demanded": second_step.is_demanded(request.user),
    }
    return page(request, "admin/mailinglist/second_step/own.html", "Your second step", context)


def _set_up(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    secret = request.session.setdefault(SECRET, second_step.new_secret())
    form = FirstCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        code, session = form.cleaned_data["code"].strip(), request.session.session_key or ""
        codes = second_step.switch_on(user, secret, code, by=actor(request), session=session)
        if codes:
            del request.session[SECRET]
            let_through(request)
            return _show_codes(request, codes, "The second step is on.")
        form.add_error("code", "This is not the code of this picture. Is the clock of the phone right?")
    context = {
        "form": form,
        "picture": mark_safe(second_step.picture(user, secret)),  # noqa: S308
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "demanded": second_step.is_demanded(user),
    }
    return page(request, "admin/mailinglist/second_step/set_up.html", "Set up a second step", context)


def _change(request: HttpRequest) -> HttpResponse:
    if request.POST.get("do") == "codes":
        return _show_codes(request, second_step.new_codes(request.user, by=actor(request)), "These are new.")
    if second_step.is_demanded(request.user):
        messages.error(request, "This installation wants a second step of you; it cannot be switched off.")
    else:
        second_step.switch_off(request.user, by=actor(request), why="Switched off by the manager.")
        messages.success(request, "The second step is off: your password alone logs you in.")
    return HttpResponseRedirect(reverse("admin:second_step"))


def _show_codes(request: HttpRequest, codes: list[str], done: str) -> HttpResponse:
    context = {"codes": codes, "done": done}
    return page(request, "admin/mailinglist/second_step/codes.html", "Your recovery codes", context)


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else reverse("admin:index")
