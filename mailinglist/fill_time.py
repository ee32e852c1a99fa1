"""How long a visitor had the form in front of them, told by a signed time in the form: no cookie, nothing stored.

Called by the forms' pages. A page from a cache or by the back button has an older time, which is as good.
"""

import time

from django.core import signing

#: An older form is asked again: whoever keeps such times ready to send them is a program.
OLDEST_SECONDS = 2 * 86400
_SALT = "mailinglist.fill_time"


def stamp() -> str:
    """The time in milliseconds, signed, for a hidden field."""
    return signing.Signer(salt=_SALT).sign(str(int(time.time() * 1000)))


def seconds(stamp: str) -> float | None:
    """Seconds since ``stamp`` was made; None where it is missing, too old or not ours."""
    try:
        made = int(signing.Signer(salt=_SALT).unsign(stamp)) / 1000
    except (signing.BadSignature, ValueError):
        return None
    age = max(0.0, time.time() - made)
    return age if age <= OLDEST_SECONDS else None
