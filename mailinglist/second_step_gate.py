"""In front of the admin: who has a second step passes it before any page; who must have one sets it up first."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import DataError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from mailinglist import second_step

#: In the session: the manager, and whether the code was right, or none is wanted of them. Else the database is asked.
STATE = "second_step"


class SecondStepGate:
    """Stands behind Django's authentication. A session counts as logged in by password only until the code was right."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        place = _detour(request)
        if place is None:
            return self.get_response(request)
        way_back = {"next": request.get_full_path()} if request.method == "GET" else {}
        return HttpResponseRedirect(f"{reverse(place)}?{urlencode(way_back)}")


def let_through(request: HttpRequest) -> None:
    """Remember in the session that the code was right; under a new key, as after any login."""
    request.session.cycle_key()
    request.session[STATE] = [request.user.pk, "passed"]


def is_through(request: HttpRequest) -> bool:
    """Whether nothing stands between this manager and the admin, as far as their session knows."""
    return request.session.get(STATE) in ([request.user.pk, "passed"], [request.user.pk, "none"])


@receiver(user_logged_in, dispatch_uid="mailinglist.second_step_gate.logged_in")
def _logged_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """The password alone opens nothing that was not open with it before."""
    if request is not None and user.is_staff:
        request.session[STATE] = [user.pk, "wanted" if second_step.is_on(user) else "none"]


def _detour(request: HttpRequest) -> str | None:
    """The page that has to come first, as a URL name; None: go on."""
    if not request.path.startswith(reverse("admin:index")) or not _is_known(request):
        return None
    state = request.session.get(STATE)
    if state == [request.user.pk, "passed"]:
        return None
    if request.path in (reverse("admin:second_step_code"), reverse("admin:logout")):
        return None
    demanded = second_step.is_demanded(request.user)
    if state == [request.user.pk, "none"] and not demanded:
        return None
    if second_step.is_on(request.user):
        return "admin:second_step_code"
    if demanded and request.path != reverse("admin:second_step"):
        return "admin:second_step"
    return None


def _is_known(request: HttpRequest) -> bool:
    try:
        return request.user.is_authenticated
    except DataError:
        # A cookie that cannot be looked up is nobody's; the view asks again, and RefuseNul answers.
        return False
