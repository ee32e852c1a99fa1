"""What becomes of a mail, decided by its recipient: a table of rules as data.

The local part before ``+`` names the rule, in any domain and any case; what follows ``+`` is a label, so that
``soft+1@example.com`` and ``soft+2@example.net`` are two addresses with the same fate.

================================ ================================================================
address                          what happens after SES accepted the mail
================================ ================================================================
``success@`` and any other       Send, Delivery
``hard@``, ``bounce@``           Send, Bounce Permanent/General, 550 5.1.1 user unknown
``nodomain@``                    Send, Bounce Transient/General, 5.4.4 (no such domain)
``soft@``                        Send, Bounce Transient/General, 4.4.7 (expired), every time
``full@``                        Send, Bounce Transient/MailboxFull, 552 5.2.2, every time
``later+N@``                     like ``full@``, but the Nth mail to this address is delivered (N: 2)
``block@``                       Send, Bounce Permanent/General, 550 5.7.1 blocked by policy
``toolarge@``                    Send, Bounce Transient/MessageTooLarge
``content@``                     Send, Bounce Transient/ContentRejected
``ooto@``                        Send, Delivery, then an auto-reply: Transient/General without detail
``complaint@``                   Send, Delivery, Complaint ``abuse``
``notspam@``                     Send, Delivery, Complaint ``not-spam``
``suppressionlist@``             Send, Bounce Permanent/OnAccountSuppressionList
``delay@``                       Send, DeliveryDelay, Delivery
``delivered-then-bounce@``       Send, Delivery, Bounce Permanent/NoEmail
``reject@``                      Reject "Bad content"
``undetermined@``                Send, Bounce Undetermined, without detail
``refused@``                     nothing: SendEmail itself answers MessageRejected
``slow@``, ``slow+N@``           accepted after N seconds (5), then Send, Delivery
================================ ================================================================

At ``simulator.amazonses.com`` only the addresses of the real mailbox simulator exist: ``success``, ``bounce``,
``ooto``, ``complaint`` and ``suppressionlist``. An address on the account's suppression list always gets Send
and Bounce Permanent/OnAccountSuppressionList: SES accepts such a mail and does not send it.

Other addresses may be given to rules by share (``mix``), decided by a hash of seed and address: the same
address meets the same fate in every run, whatever the order of the calls.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

SIMULATOR_DOMAIN = "simulator.amazonses.com"
SIMULATOR_ADDRESSES = frozenset({"success", "bounce", "ooto", "complaint", "suppressionlist"})
SLOW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Send:
    pass


@dataclass(frozen=True, slots=True)
class Delivery:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = "Bad content"


@dataclass(frozen=True, slots=True)
class Delay:
    delay_type: str
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """``status`` and ``diagnostic`` are absent where SES got no delivery report, as with auto-replies."""

    bounce_type: str
    sub_type: str
    status: str | None = None
    diagnostic: str | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    feedback_type: str


Step = Send | Delivery | Reject | Delay | Bounce | Complaint

_FULL = Bounce(
    "Transient",
    "MailboxFull",
    "5.2.2",
    "smtp; 552 5.2.2 The email account that you tried to reach is over quota",
)
SUPPRESSED = Bounce(
    "Permanent",
    "OnAccountSuppressionList",
    "5.1.1",
    "Amazon SES did not send the message to this address because it is on the suppression list for your account.",
)

RULES: dict[str, tuple[Step, ...]] = {
    "success": (Send(), Delivery()),
    "hard": (Send(), Bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown")),
    "nodomain": (
        Send(),
        Bounce("Transient", "General", "5.4.4", "smtp; 550 5.4.4 Invalid domain: host not found"),
    ),
    "soft": (
        Send(),
        Bounce(
            "Transient",
            "General",
            "4.4.7",
            "smtp; 550 4.4.7 Message expired: unable to deliver in 840 minutes."
            "<421 4.4.1 Unable to connect to remote host>",
        ),
    ),
    "full": (Send(), _FULL),
    "later": (Send(), _FULL),
    "block": (
        Send(),
        Bounce(
            "Permanent",
            "General",
            "5.7.1",
            "smtp; 550 5.7.1 Service unavailable, client host blocked using Spamhaus by policy",
        ),
    ),
    "toolarge": (
        Send(),
        Bounce("Transient", "MessageTooLarge", "5.3.4", "smtp; 552 5.3.4 Message size exceeds fixed limit"),
    ),
    "content": (
        Send(),
        Bounce("Transient", "ContentRejected", "5.7.1", "smtp; 550 5.7.1 Message content rejected"),
    ),
    "ooto": (Send(), Delivery(), Bounce("Transient", "General")),
    "complaint": (Send(), Delivery(), Complaint("abuse")),
    "notspam": (Send(), Delivery(), Complaint("not-spam")),
    "suppressionlist": (Send(), SUPPRESSED),
    "delay": (
        Send(),
        Delay(
            "TransientCommunicationFailure",
            "4.4.1",
            "smtp; 421 4.4.1 Unable to connect to remote host",
        ),
        Delivery(),
    ),
    "delivered-then-bounce": (
        Send(),
        Delivery(),
        Bounce(
            "Permanent",
            "NoEmail",
            "5.1.1",
            "smtp; 550 5.1.1 The email account that you tried to reach does not exist",
        ),
    ),
    "reject": (Reject(),),
    "undetermined": (Send(), Bounce("Undetermined", "Undetermined")),
    "refused": (),
    "slow": (Send(), Delivery()),
}
ALIASES = {"bounce": "hard"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one recipient: the rule's name (for ledger and inbox) and the events to come."""

    rule: str
    steps: tuple[Step, ...]


def rule_for(recipient: str, *, seed: int, mix: Mapping[str, float]) -> str:
    """The name of the rule that a bare address falls under; ``mix`` maps rule names to shares (sum ≤ 1)."""
    local, _, domain = recipient.lower().rpartition("@")
    name = local.partition("+")[0]
    if domain == SIMULATOR_DOMAIN:
        return ALIASES.get(name, name) if name in SIMULATOR_ADDRESSES else "success"
    name = ALIASES.get(name, name)
    return name if name in RULES else _drawn(recipient, seed=seed, mix=mix)


def outcome(rule: str, recipient: str, *, nth: int, suppressed: bool) -> Outcome:
    """What happens to the ``nth`` accepted mail (from 1) to ``recipient``, which falls under ``rule``."""
    if suppressed:
        return Outcome("suppressed", (Send(), SUPPRESSED))
    if rule == "later" and nth >= _number_in_label(recipient, default=2):
        return Outcome("later", RULES["success"])
    return Outcome(rule, RULES[rule])


def seconds_until_accepted(rule: str, recipient: str) -> float:
    """How long SendEmail keeps the caller waiting before it accepts."""
    return float(_number_in_label(recipient, default=SLOW_SECONDS)) if rule == "slow" else 0.0


def share(seed: int, *parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the arguments: seeded chance without call order."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _drawn(recipient: str, *, seed: int, mix: Mapping[str, float]) -> str:
    if not mix:
        return "success"
    drawn, edge = share(seed, "mix", recipient.lower()), 0.0
    for name, part in mix.items():
        edge += part
        if drawn < edge:
            return ALIASES.get(name, name)
    return "success"


def _number_in_label(recipient: str, *, default: float) -> float:
    found = re.match(r"\d{1,6}", recipient.rpartition("@")[0].partition("+")[2])
    return int(found.group()) if found else default
