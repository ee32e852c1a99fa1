"""A puzzle for the visitor's browser, instead of one for the visitor: half a second of computing. No third party.

ALTCHA's proof of work: the challenge is signed and bound to one list, so nothing is stored until it is solved; a
solution counts once (sign_up_counts.first_time). Called by gate.py and by the page of the form.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha import create_challenge, verify_solution
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from mailinglist import sign_up_counts
from mailinglist.models import MailingList, SignUpCount

#: A browser tries 256 keys on average at so many rounds each; checking a solution takes us one.
ROUNDS = 5000
LASTS = timedelta(hours=2)
#: A solution is a few hundred characters long.
MAX_LENGTH = 4000


def challenge(mailing_list: MailingList, *, now: datetime) -> dict[str, Any]:
    """What the widget solves, as JSON for its ``challenge`` attribute."""
    made = create_challenge(
        "PBKDF2/SHA-256",
        ROUNDS,
        expires_at=now + LASTS,
        data={"list": mailing_list.pk},
        hmac_secret=_secret(),
    )
    found: dict[str, Any] = made.to_dict()
    return found


def words() -> dict[str, str]:
    """What the widget says, for its ``data-words`` attribute."""
    return {
        "label": gettext("I am not a robot"),
        "verifying": gettext("Computing…"),
        "verified": gettext("Done: no robot."),
        "error": gettext("This did not work. Please load the page again."),
        "expired": gettext("This is too old now. Please load the page again."),
        "waitAlert": gettext("Please wait until the tick appears."),
        "verificationRequired": gettext("Please wait until the tick appears."),
    }


def solved(mailing_list: MailingList, solution: str, *, now: datetime) -> bool:
    """Whether ``solution`` solves a challenge of this list for the first time; a second time it is used up."""
    if not solution or len(solution) > MAX_LENGTH:
        return False
    try:
        claims = json.loads(base64.b64decode(solution, validate=True))
        parameters = claims["challenge"]["parameters"]
        nonce = str(parameters["nonce"])
        bound = parameters["data"]["list"] == mailing_list.pk
        expires = datetime.fromtimestamp(int(parameters["expiresAt"]), tz=UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return False
    if not bound or expires <= now or not verify_solution(solution, _secret()).verified:
        return False
    # By what is signed, not by the signature, which has more than one spelling.
    spent = hashlib.sha256(nonce.encode()).hexdigest()
    return sign_up_counts.first_time(SignUpCount.Scope.CAPTCHA, spent, at=expires)


def _secret() -> bytes:
    return salted_hmac("mailinglist.captcha", "challenge", algorithm="sha256").digest()
