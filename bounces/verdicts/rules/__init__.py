"""PURE. The wordings, in the order in which they are believed: the first match decides.

Room and speed come before trust, trust before the address: a text that speaks of a full mailbox or of a
block never leads to a hard verdict, whatever else it says.
"""

from bounces.verdicts.rules.addresses import AWAY, DISABLED, DOMAIN, MOVED, RESTRICTED, UNKNOWN
from bounces.verdicts.rules.capacity import FULL, QUOTA, RATE, TOO_LARGE
from bounces.verdicts.rules.languages import OUR_SERVER_ABROAD, REFUSES_MAIL_ABROAD, SENDER_ABROAD
from bounces.verdicts.rules.policies import POLICY
from bounces.verdicts.rules.providers import PROVIDERS
from bounces.verdicts.rules.rule import Rule
from bounces.verdicts.rules.subjects import SUBJECTS
from bounces.verdicts.rules.transport import GREYLISTING, LOOP, NETWORK, RELAY, SERVER, TEMPORARY, WAVERING
from bounces.verdicts.rules.trust import AUTHENTICATION, REPUTATION, REVERSE_DNS, TRUST

__all__ = ["GENERAL", "PROVIDERS", "Rule"]

GENERAL: tuple[Rule, ...] = (
    *FULL,
    *TOO_LARGE,
    *RELAY,
    *AUTHENTICATION,
    *REVERSE_DNS,
    *REPUTATION,
    *RATE,
    *QUOTA,
    *GREYLISTING,
    *TRUST,
    *OUR_SERVER_ABROAD,
    *SENDER_ABROAD,
    *SUBJECTS,
    *LOOP,
    *DOMAIN,
    *MOVED,
    *AWAY,
    *RESTRICTED,
    *REFUSES_MAIL_ABROAD,
    *DISABLED,
    *WAVERING,
    *UNKNOWN,
    *NETWORK,
    *SERVER,
    *POLICY,
    *TEMPORARY,
)
