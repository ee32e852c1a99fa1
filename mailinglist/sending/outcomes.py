"""PURE. What one POST to SES led to.

``sending/ses.py`` makes these from answers and errors, ``queue.finish`` writes them down, ``engine.run``
decides by them whether to go on, slow down or stop. Exactly one of three things is known: SES took the mail,
SES did not take it, or nobody can tell.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

#: What can be stored of an answer: the column of message ids, and enough of a text for people.
_MESSAGE_ID = re.compile(r"[!-~]{1,120}")
_TEXT = 2000


def _storable(text: str) -> str:
    """PostgreSQL takes neither NUL nor half a character."""
    return text.replace("\0", "")[:_TEXT].encode("utf-8", "replace").decode()


class Scope(StrEnum):
    """What a refusal is about, and so what happens next."""

    #: This mail to this address. The delivery fails; the others go on.
    RECIPIENT = "recipient"
    #: The sender, the configuration set: every mail of the campaign. It pauses; nothing is marked failed.
    CAMPAIGN = "campaign"
    #: The account or its credentials: every mail at all. The campaign pauses; nothing is marked failed.
    ACCOUNT = "account"
    #: Too fast, or SES not reached at all. The same mail again in seconds.
    THROTTLE = "throttle"
    #: The quota of 24 hours is used up. The same mail again when there is room.
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Accepted:
    """SES has taken the mail and named it."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """SES has certainly not taken the mail. ``code`` is for machines, ``text`` for people."""

    scope: Scope
    code: str
    text: str
    #: Seconds after which it is worth another try; 0: as soon as somebody gets to it.
    retry_after: float = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _storable(self.text))


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no usable answer came: SES may have taken the mail."""

    code: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _storable(self.text))


Outcome = Accepted | Refused | Unknown

#: The mail's turn did not come before its run, or its lease, was over.
NOT_POSTED = Refused(Scope.THROTTLE, "not-posted", "Not posted: the run ended before its turn came.")


def accepted(message_id: object) -> Accepted | Unknown:
    """The outcome of a 200 of SES. Without a usable name for the mail nobody can say what SES did with it."""
    if isinstance(message_id, str) and _MESSAGE_ID.fullmatch(message_id):
        return Accepted(message_id)
    return Unknown("no-message-id", f"SES answered with a message id that is none: {message_id!r}")
