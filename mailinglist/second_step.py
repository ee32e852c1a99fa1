"""The second step of a login: a code from an app on the phone, or one of ten recovery codes. The only writer of them.

django-allauth has the mechanism (its models, the codes, the QR code); its pages and its login are for public accounts and
stay out. Called by the page of the manager, the gate in front of the admin, and the command reset_second_step.
"""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth import SESSION_KEY as LOGGED_IN
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from mailinglist import access
from mailinglist.changes import Actor, Noun, record

_TOTP = Authenticator.Type.TOTP
_RECOVERY = Authenticator.Type.RECOVERY_CODES


def is_on(user: Any) -> bool:
    """Whether this manager has set one up."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type=_TOTP).exists())


def is_demanded(user: Any) -> bool:
    """Whether the installation (SECOND_STEP) wants one of this manager."""
    if settings.SECOND_STEP == "owners":
        return access.is_owner(user)
    return bool(settings.SECOND_STEP == "everybody")


def new_secret() -> str:
    return str(totp.generate_totp_secret())


def picture(user: AbstractBaseUser, secret: str) -> str:
    """The QR code of a secret as SVG, and nothing in it but ours."""
    adapter = get_adapter()
    return str(adapter.build_totp_svg(adapter.build_totp_url(user, secret)))


@transaction.atomic
def switch_on(user: Any, secret: str, code: str, *, by: Actor, session: str = "") -> list[str] | None:
    """Set it up, where ``code`` is the present one of ``secret``. Returns the recovery codes; None: a wrong code.

    All sessions that were opened with the password alone end, but ``session`` (its key), where the code was typed.
    """
    counter = _counter_of(secret, code)
    if counter is None or is_on(user):
        return None
    made = totp.TOTP.activate(user, secret)
    made.instance.data["last_counter"] = counter
    made.instance.save(update_fields=["data"])
    codes = _new_codes(user)
    _end_sessions(user, but=session)
    _note(user, before="", after="second step on", why="Set up the second step.", by=by)
    return codes


@transaction.atomic
def new_codes(user: Any, *, by: Actor) -> list[str]:
    """Ten other recovery codes; the old ones are worth nothing any more."""
    codes = _new_codes(user)
    _note(user, before="recovery codes", after="new recovery codes", why="Made new recovery codes.", by=by)
    return codes


@transaction.atomic
def switch_off(user: Any, *, by: Actor, why: str) -> bool:
    """Log in by password alone again. False when it was off."""
    removed, _ = Authenticator.objects.filter(user_id=user.pk, type__in=[_TOTP, _RECOVERY]).delete()
    if removed:
        _note(user, before="second step on", after="second step off", why=why, by=by)
    return bool(removed)


@transaction.atomic
def check(user: Any, code: str) -> bool:
    """Whether ``code`` is right: the present one, once, or an unused recovery code, which it uses up."""
    code = "".join(code.split())
    rows = {
        row.type: row
        for row in Authenticator.objects.select_for_update().filter(
            user_id=user.pk, type__in=[_TOTP, _RECOVERY]
        )
    }
    if device := rows.get(_TOTP):
        counter = _counter_of(_secret(device), code)
        if counter is not None and counter > device.data.get("last_counter", 0):
            device.data["last_counter"] = counter
            device.save(update_fields=["data"])
            device.record_usage()
            return True
    if spare := rows.get(_RECOVERY):
        return bool(RecoveryCodes(spare).validate_code(code))
    return False


def codes_left(user: Any) -> int:
    spare = Authenticator.objects.filter(user_id=user.pk, type=_RECOVERY).first()
    return len(RecoveryCodes(spare).get_unused_codes()) if spare else 0


def _end_sessions(user: Any, *, but: str) -> None:
    """Sessions are few: only managers have one."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key=but)
    theirs = [row.pk for row in alive if row.get_decoded().get(LOGGED_IN) == str(user.pk)]
    Session.objects.filter(pk__in=theirs).delete()


def _new_codes(user: Any) -> list[str]:
    Authenticator.objects.filter(user_id=user.pk, type=_RECOVERY).delete()
    return list(RecoveryCodes.activate(user).generate_codes())


def _counter_of(secret: str, code: str) -> int | None:
    """Which half minute the code belongs to, the present one or one beside it."""
    for counter in totp.yield_hotp_counters_from_time():
        if totp.compare_user_code(
            actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, counter))
        ):
            return int(counter)
    return None


def _secret(device: Authenticator) -> str:
    return str(decrypt(device.data["secret"]))


def _note(user: Any, *, before: str, after: str, why: str, by: Actor) -> None:
    record(Noun.MANAGER, user.pk, before=before, after=after, why=f"{why[:-1]} ({user}).", by=by)
