"""How many wrong passwords and codes are looked at in an hour, for one account and from one address.

django-axes locks one name at one address; who has many addresses, or tries many names, would never meet that lock. Here
all of an hour count. Where the account logged in before, only the first lock counts: a stranger who tries on and on keeps
nobody out of their own place. Named in login_settings.py (AXES_HANDLER).
"""

from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessFailureLog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.http import HttpRequest
from django.utils import timezone

from mailinglist import gate, second_step
from mailinglist.changes import Noun
from mailinglist.models import Change

HOUR = timedelta(hours=1)
#: Of the logins of an account, so many are looked through for a known place.
LOGINS = 500
#: The counter of wrong codes has a name of its own: a right password must not set it back.
CODES = "{username} (second step)"
#: So long is the column in which names are counted; no account has a name as long as that.
NAME_LENGTH = 255


class Handler(AxesDatabaseHandler):
    """As axes does it, and within the hour."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        name = counted_name(request, credentials)
        return seconds_left(name, request.axes_ip_address) > 0  # type: ignore[attr-defined]

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        AccessFailureLog.objects.filter(attempt_time__lt=timezone.now() - HOUR).delete()
        super().user_login_failed(sender, credentials, request, **kwargs)


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """What was typed as a name, as far as the counters hold it. Named in login_settings.py (AXES_USERNAME_CALLABLE)."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(name).replace("\x00", "")[:NAME_LENGTH]


def seconds_left(name: str, ip: str | None) -> float:
    """How long this name (``counted_name``) cannot be tried from this address; 0: it can."""
    of_hour = AccessFailureLog.objects.filter(attempt_time__gte=timezone.now() - HOUR)
    ends = [_end(of_hour.filter(username=name)), _end(_from(of_hour, ip))]
    left = max((end - timezone.now()).total_seconds() for end in ends)
    return left if left > 0 and not _is_known(name, ip) else 0.0


def _end(failures: QuerySet[AccessFailureLog]) -> datetime:
    """When fewer than the limit lie within an hour. They are as many as four pauses after LOGIN_FAILURES let through."""
    most = 4 * settings.LOGIN_FAILURES
    last = list(failures.order_by("-attempt_time").values_list("attempt_time", flat=True)[:most])
    return last[-1] + HOUR if len(last) == most else timezone.now()


def _from(failures: QuerySet[AccessFailureLog], ip: str | None) -> QuerySet[AccessFailureLog]:
    """Those of this address; of IPv6 its network, of which each visitor has a whole one."""
    if ip is None or ":" not in ip:
        return failures.filter(ip_address=ip)
    return failures.filter(_Within(F("ip_address"), Value(gate.network(ip) or ip)))


class _Within(Func):
    template, arg_joiner, output_field = "(%(expressions)s)", " <<= ", BooleanField()


def _is_known(name: str, ip: str | None) -> bool:
    """Whether the account logged in from this network before, with the second step where it has one."""
    users = get_user_model()._default_manager
    user = users.filter(username=name.removesuffix(CODES.format(username=""))).first()
    if user is None or ip is None:
        return False
    after = "second step" if second_step.is_on(user) else "logged in"
    logins = Change.objects.filter(noun=Noun.MANAGER, object_id=user.pk, after=after).order_by("-at")
    places = logins.values_list("evidence__ip", flat=True)[:LOGINS]
    return any(gate.network(place) == gate.network(ip) for place in set(places) if place)
