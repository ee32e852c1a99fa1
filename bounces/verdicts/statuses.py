"""PURE. Enhanced status codes (RFC 3463, RFC 5248, and providers' own) → reason, asked when no wording
decided.

A bare 5.0.0 or 5.5.0 is a placeholder and stands in no table.
"""

_EXACT: dict[str, str] = {
    "5.1.0": "",
    "5.1.1": "user-unknown",
    "5.1.2": "domain-not-found",
    "5.1.3": "address-invalid",
    "5.1.4": "address-invalid",
    "5.1.6": "address-moved",
    "5.1.7": "sender-refused",
    "5.1.8": "sender-refused",
    "5.1.9": "malformed",
    "5.1.10": "user-unknown",
    "5.2.1": "mailbox-disabled",
    "5.2.2": "mailbox-full",
    "5.2.3": "message-too-large",
    "5.3.4": "message-too-large",
    "5.4.0": "connection",
    "5.4.4": "domain-not-found",
    "5.4.6": "mail-loop",
    "5.4.7": "timeout",
    "5.4.14": "mail-loop",
    "5.4.310": "domain-not-found",
    "5.5.3": "over-rate",
    "5.7.7": "malformed",
    "5.7.8": "login-required",
    "5.7.9": "policy",
    "5.7.13": "mailbox-disabled",
    "5.7.17": "mailbox-disabled",
    "5.7.18": "mailbox-disabled",
    "5.7.20": "dkim",
    "5.7.21": "dkim",
    "5.7.22": "dkim",
    "5.7.23": "spf",
    "5.7.24": "spf",
    "5.7.25": "reverse-dns",
    "5.7.26": "authentication",
    "5.7.27": "domain-not-found",
    "5.7.30": "encryption",
    "5.7.54": "relay-denied",
    "4.2.1": "mailbox-disabled",
    "4.2.2": "mailbox-full",
    "4.4.1": "connection",
    "4.4.2": "connection",
    "4.4.3": "domain-not-found",
    "4.4.4": "domain-not-found",
    "4.4.6": "mail-loop",
    "4.4.7": "timeout",
    "4.5.3": "over-rate",
    "4.7.0": "temporary",
    "4.7.1": "temporary",
    "4.7.26": "authentication",
    "4.7.28": "reputation",
    "4.7.650": "reputation",
}

#: By class and subject, for codes that are not in the table above.
_SUBJECTS: dict[str, str] = {
    "5.3": "server-error",
    "5.4": "connection",
    "5.6": "malformed",
    "5.7": "policy",
    "4.1": "temporary",
    "4.2": "temporary",
    "4.3": "server-error",
    "4.4": "connection",
    "4.5": "temporary",
    "4.6": "temporary",
    "4.7": "temporary",
}


def reason_of(status: str) -> str:
    """The reason that a status alone suggests; "" when it says nothing."""
    exact = _EXACT.get(status)
    return _SUBJECTS.get(status[:3], "") if exact is None else exact
