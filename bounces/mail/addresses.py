"""PURE. Addresses in what servers wrote: with and without brackets, address types, trailing dots."""

import re

#: One address; the host part may lack a dot (old local names).
ADDRESS = r"(?:\"[^\"\s@]{1,64}\"|[^\s<>@,;:()\[\]\"'|]{1,100})@[\w](?:[\w.-]{0,150}\w)?"
_ADDRESS = re.compile(ADDRESS)
_TYPED = re.compile(r"^\s*(?:rfc822|smtp|utf-8|x-local|unknown|dns|822)\s*;\s*", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:mailto|smtp|rfc822)[:=]", re.IGNORECASE)
_ROBOTS = re.compile(
    r"^(?:mailer-daemon|postmaster|post_master|daemon|mail-daemon|mailerdaemon|mailer_daemon|no-?reply|"
    r"abuse)@"
)


def field_address(value: str) -> str:
    """The address in a field such as Final-Recipient; "" if there is none."""
    value = _TYPED.sub("", value).strip()
    found = _ADDRESS.search(value)
    return clean(found[0]) if found else ""


def clean(address: str) -> str:
    """Without what surrounds an address. Letters keep their case."""
    address = address.strip().strip("<>'\"").rstrip(".")
    return _PREFIX.sub("", address)


def addresses_in(text: str) -> list[str]:
    """All addresses, in their order, each once."""
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(text):
        address = clean(match[0])
        found.setdefault(address.lower(), address)
    return list(found.values())


def is_robot(address: str) -> bool:
    """Whether the address is a mail system's own."""
    return _ROBOTS.match(address.lower()) is not None
