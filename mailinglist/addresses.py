"""PURE. The one normaliser of mail addresses: what is refused, and the key under which two spellings are one.

Used by every form, import, lookup and suppression check, so that they cannot disagree. Syntax by
email-validator (RFC 5321/5322), domains by IDNA 2008. Never strips plus tags or dots: those are other
people's mailboxes as often as not. Only ``mailbox``, which limits count by, does.
"""

import hmac
import re
from dataclasses import dataclass
from functools import cache

from mailinglist.phrases import gettext_noop

MAX_LENGTH = 254
MAX_LOCAL_LENGTH = 64
MAX_DOMAIN_LENGTH = 253

# Nearly every address of a file is of this shape, and email-validator takes 40 µs for each. It is a subset of
# what the validator accepts unchanged: a dot-atom, host name labels, a top-level domain of letters.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+([A-Za-z]{{2,63}}))")
#: Google delivers ada.love@ and adalove@, at either name, to one mailbox.
_DOTLESS = frozenset({"gmail.com", "googlemail.com"})


class BadAddress(ValueError):
    """The text is not an address that SES can carry; the message says why, for the person who typed it.

    ``sentence`` is that message before its ``values`` (%(name)s) were put in: what the catalogues translate.
    """

    def __init__(self, sentence: str, **values: str | int) -> None:
        super().__init__(sentence % values if values else sentence)
        self.sentence, self.values = sentence, values


@dataclass(frozen=True, slots=True)
class Address:
    """``as_written`` keeps the local part's case with an A-label domain; ``key`` is the identity."""

    as_written: str
    key: str

    @property
    def domain(self) -> str:
        return self.key.rpartition("@")[2]


def normalise(text: str) -> Address:
    """The address in ``text``, which must be an addr-spec alone (no display name, no list, no comment).

    Raises BadAddress with a sentence. SES carries ASCII local parts only (no SMTPUTF8) and domains as
    A-labels. A dot after the domain (the DNS root) is dropped.
    """
    text = text.strip()
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1]
    return _plain(text) or _any(text)


def mailbox(key: str) -> str:
    """What limits count an address key by: spellings of one mailbox are one, and a few other people's with it.

    Whoever floods a mailbox would otherwise have as many addresses of it as there are plus tags. Never an identity.
    """
    local, _, domain = key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def suppression_key(key: str, *, secret: bytes) -> str:
    """HMAC-SHA256 of an address key under the installation's secret, in hex: outlives an erasure."""
    return hmac.digest(secret, key.encode(), "sha256").hex()


def _plain(text: str) -> Address | None:
    """The address when it has the common shape that needs no more than a look; None: ask the validator."""
    found = _PLAIN.fullmatch(text)
    if not found or len(text) > MAX_LENGTH:
        return None
    local, domain, top_level = found.groups()
    domain, key_local = domain.lower(), local.lower()
    reserved_top_levels, roles = _peculiar()
    unusual = (
        len(local) > MAX_LOCAL_LENGTH
        or len(domain) > MAX_DOMAIN_LENGTH
        or "--" in domain  # A-labels and reserved labels
        or top_level.lower() in reserved_top_levels
        or key_local in roles
    )
    return None if unusual else Address(as_written=f"{local}@{domain}", key=f"{key_local}@{domain}")


@cache
def _peculiar() -> tuple[frozenset[str], frozenset[str]]:
    """Top-level domains and local parts that the validator does not take as they are."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES
    from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

    reserved_top_levels = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
    return reserved_top_levels, frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)


def _any(text: str) -> Address:
    # It compiles much that most processes never need.
    from email_validator import EmailNotValidError, validate_email

    if not text:
        raise BadAddress(gettext_noop("The address is empty."))
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise BadAddress(gettext_noop("The address contains a control character."))
    if len(text) > MAX_LENGTH:
        raise BadAddress(gettext_noop("The address is longer than %(most)s characters."), most=MAX_LENGTH)
    local, at, _ = text.rpartition("@")
    if not at:
        raise BadAddress(gettext_noop("The address has no @ sign."))
    if len(local) > MAX_LOCAL_LENGTH:
        raise BadAddress(
            gettext_noop("The part before the @ is longer than %(most)s characters."), most=MAX_LOCAL_LENGTH
        )
    if not local.isascii():
        raise BadAddress(
            gettext_noop("Letters outside ASCII before the @ cannot be delivered through Amazon SES.")
        )
    try:
        found = validate_email(
            text,
            allow_smtputf8=False,
            allow_domain_literal=False,
            check_deliverability=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise _in_our_words(str(error)) from error
    domain = (found.ascii_domain or "").lower().rstrip(".")
    if "." not in domain:
        raise BadAddress(_NO_DOT)
    local = found.ascii_local_part or ""
    return Address(as_written=f"{local}@{domain}", key=f"{local.lower()}@{domain}")


_DOT = gettext_noop("There is a dot where none can be: at the beginning or the end of a part.")
_HYPHEN = gettext_noop("There is a hyphen where none can be: at the beginning or the end of a part.")
_NO_DOT = gettext_noop("The part after the @ is not a full domain name: it has no dot.")
#: What the validator's sentences hold → ours. ``signs`` is what stands behind their colon.
_OUR_WORDS = (
    ("unsafe characters", gettext_noop("There is an invisible sign in the address. Please type it anew.")),
    ("'@'", gettext_noop("There are two @ signs. Write one address only.")),
    ("SPACE", gettext_noop("There is a space in the address.")),
    ("something before the @", gettext_noop("There is nothing before the @.")),
    ("something after the @", gettext_noop("There is nothing after the @.")),
    ("characters before the @-sign:", gettext_noop("There cannot be %(signs)s before the @.")),
    ("after the @-sign contains invalid characters:", gettext_noop("There cannot be %(signs)s after the @.")),
    ("Quoting the part", gettext_noop("Quotation marks before the @ are not allowed here.")),
    ("bracketed IP address", gettext_noop("An IP address in brackets is not allowed here: write a domain.")),
    ("angle brackets", gettext_noop("Write the address alone, without a name and angle brackets.")),
    ("two periods in a row", gettext_noop("There are two dots in a row.")),
    ("a period and a hyphen", gettext_noop("A dot and a hyphen stand next to each other.")),
    ("with a period", _DOT),
    ("a period immediately", _DOT),
    ("with a hyphen", _HYPHEN),
    ("a hyphen immediately", _HYPHEN),
    ("by so many characters", gettext_noop("There are too many letters between two dots after the @.")),
    ("too long", gettext_noop("The address is too long.")),
    ("should have a period", _NO_DOT),
    ("top-level domain", gettext_noop("The part after the @ does not end like a domain, such as .com.")),
    ("special-use or reserved", gettext_noop("The part after the @ is a name that takes no mail.")),
)
_UNCLEAR = gettext_noop("This is not an address that mail can be sent to. Please check the spelling.")


def _in_our_words(message: str) -> BadAddress:
    """The validator's sentence as one of ours, which the catalogues know."""
    for theirs, ours in _OUR_WORDS:
        if theirs in message:
            signs = message.partition(": ")[2].rstrip(".")
            return BadAddress(ours, signs=signs) if "%(signs)s" in ours else BadAddress(ours)
    return BadAddress(_UNCLEAR)
