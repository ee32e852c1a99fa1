"""Logging in: where from, what is written down about it, and what is said while too many wrong passwords came.

django-axes keeps the counters, in PostgreSQL. A lock is for one name from one address: it ends by itself, no further try
prolongs it, and the same manager gets in from elsewhere. The limits of an hour are in login_limits.py. Named in
login_settings.py (AXES_…); signals are connected by apps.py.
"""

from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt, AccessFailureLog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from mailinglist import login_limits
from mailinglist.changes import SYSTEM, Actor, Kind, Noun, record
from mailinglist.views import visitor


def address(request: HttpRequest) -> str | None:
    """Where a login comes from, behind a proxy too; the same as for visitors of the public pages."""
    return visitor.ip(request)


def locked(
    request: HttpRequest, response: Any = None, credentials: Any = None, **kwargs: Any
) -> HttpResponse:
    """The answer while a name is locked for an address: 429, with the minute when it ends."""
    return lock_page(request, login_limits.counted_name(request, credentials))


def lock_page(request: HttpRequest, username: str) -> HttpResponse:
    left = _seconds_left(username, address(request))
    context = {
        **admin.site.each_context(request),
        "title": "Too many tries",
        "minutes": max(1, -(-int(left) // 60)),
    }
    answer = render(request, "admin/mailinglist/locked.html", context, status=429)
    answer["Retry-After"] = str(max(1, int(left)))
    return answer


def password_is_allowed(request: HttpRequest, user: Any) -> bool:
    """Whether this manager may try their own password, where they are logged in, from here now."""
    return bool(AxesProxyHandler.is_allowed(request, _password_credentials(user)))


def password_failed(request: HttpRequest, user: Any) -> None:
    """Count a wrong one, with the wrong ones of the login, and write it down."""
    AxesProxyHandler.user_login_failed(sender=None, credentials=_password_credentials(user), request=request)
    note(user, "wrong password", "A wrong old password, for a new one.", request)


def password_passed(request: HttpRequest, user: Any) -> None:
    """Forget the wrong ones from here, as a login does."""
    _forget(request, user.get_username())


def code_is_allowed(request: HttpRequest, user: Any) -> bool:
    """Whether this manager may try a code of the second step from here now."""
    return bool(AxesProxyHandler.is_allowed(request, _code_credentials(user)))


def code_failed(request: HttpRequest, user: Any) -> None:
    """Count a wrong code, and write it down."""
    AxesProxyHandler.user_login_failed(sender=None, credentials=_code_credentials(user), request=request)
    note(user, "wrong code", "A wrong code at the second step.", request)


def code_passed(request: HttpRequest, user: Any) -> None:
    """Forget the wrong codes."""
    _forget(request, login_limits.CODES.format(username=user.get_username()))
    note(user, "second step", "Logged in with a code.", request)


def unlock(username: str) -> int:
    """Take all locks off a name, also of its second step. Returns how many counters that were."""
    names = [username, login_limits.CODES.format(username=username)]
    return sum(
        int(model.objects.filter(username__in=names).delete()[0])
        for model in (AccessAttempt, AccessFailureLog)
    )


def note(user: Any, after: str, why: str, request: HttpRequest | None, *, before: str = "") -> None:
    """Write what happened with an account into the history; ``user`` None: a name that nobody has."""
    record(
        Noun.MANAGER,
        user.pk if user else 0,
        before=before,
        after=after,
        why=why,
        by=Actor(Kind.USER, user=user, evidence={"ip": address(request) if request else None})
        if user
        else Actor(SYSTEM.kind, evidence={"ip": address(request) if request else None}),
    )


@receiver(user_logged_in, dispatch_uid="mailinglist.logins.logged_in")
def _logged_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if user.is_staff:
        note(user, "logged in", "With the password.", request)


@receiver(user_logged_out, dispatch_uid="mailinglist.logins.logged_out")
def _logged_out(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if user is not None:
        note(user, "logged out", "", request, before="logged in")


@receiver(user_login_failed, dispatch_uid="mailinglist.logins.failed")
def _failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """What was typed as a name stays out where nobody has it: it may be a password."""
    was_counted = getattr(request, "axes_failures_since_start", None) is not None
    if request is None or (getattr(request, "axes_locked_out", False) and not was_counted):
        return
    users = get_user_model()._default_manager
    user = users.filter(username=str(credentials.get("username", ""))[:150].replace("\x00", "")).first()
    why = "A wrong password." if user else "A name that nobody has."
    record(
        Noun.MANAGER,
        user.pk if user else 0,
        before="",
        after="login refused",
        why=f"{why[:-1]} ({user})." if user else why,
        by=Actor(SYSTEM.kind, evidence={"ip": address(request)}),
    )


def _forget(request: HttpRequest, counted: str) -> None:
    here = Q(ip_address=address(request)) | Q(ip_address=None)
    AccessAttempt.objects.filter(here, username=counted).delete()


def _password_credentials(user: Any) -> dict[str, str]:
    return {"username": user.get_username()}


def _code_credentials(user: Any) -> dict[str, str]:
    return {"username": login_limits.CODES.format(username=user.get_username())}


def _seconds_left(username: str, ip: str | None) -> float:
    """Until the last of the locks of this name, here, ends."""
    left = [0.0]
    for name in (username, login_limits.CODES.format(username=username)):
        tries = AccessAttempt.objects.filter(username=name, ip_address=ip).order_by("-attempt_time")
        if (last := tries.first()) and sum(
            row.failures_since_start for row in tries
        ) >= settings.LOGIN_FAILURES:
            end = last.attempt_time + timedelta(minutes=settings.LOGIN_LOCK_MINUTES)
            left.append((end - timezone.now()).total_seconds())
        left.append(login_limits.seconds_left(name, ip))
    return max(left)
