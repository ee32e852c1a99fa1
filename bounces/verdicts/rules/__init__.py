"""PURE. The wordings, in the order in which they are believed: the first match decides.

Room and speed come before trust, trust before the address: a text that speaks of a full mailbox or of a
block never leads to a hard verdict, whatever else it says.
"""

from bounces.verdicts.rules.addresses import DISABLED, DOMAIN, MOVED, RESTRICTED, UNKNOWN
from bounces.verdicts.rules.capacity import FULL, RATE, TOO_LARGE
from bounces.verdicts.rules.providers import PROVIDERS
from bounces.verdicts.rules.rule import Rule
from bounces.verdicts.rules.transport import GREYLISTING, LOOP, NETWORK, RELAY, SERVER, TEMPORARY
from bounces.verdicts.rules.trust import AUTHENTICATION, POLICY, REPUTATION, REVERSE_DNS, TRUST

__all__ = ["GENERAL", "PROVIDERS", "Rule"]

GENERAL: tuple[Rule, ...] = (
    *FULL,
    *TOO_LARGE,
    *RELAY,
    *AUTHENTICATION,
    *REVERSE_DNS,
    *REPUTATION,
    *RATE,
    *GREYLISTING,
    *TRUST,
    *LOOP,
    *DOMAIN,
    *MOVED,
    *RESTRICTED,
    *DISABLED,
    *UNKNOWN,
    *NETWORK,
    *SERVER,
    *POLICY,
    *TEMPORARY,
)
