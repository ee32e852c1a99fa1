"""PURE. Names that other bounce programs give to a reason, where such a name is all there is.

Lists of bounces that were exported from another program often carry its word instead of the server's.
Sisimai's names.
"""

NAMES: dict[str, str] = {
    "authfailure": "authentication",
    "badreputation": "reputation",
    "blocked": "blocklist",
    "contenterror": "malformed",
    "exceedlimit": "message-too-large",
    "expired": "timeout",
    "failedstarttls": "encryption",
    "filtered": "mailbox-restricted",
    "hasmoved": "address-moved",
    "hostunknown": "domain-not-found",
    "mailboxfull": "mailbox-full",
    "mailererror": "server-error",
    "mesgtoobig": "message-too-large",
    "networkerror": "connection",
    "norelaying": "relay-denied",
    "notaccept": "domain-not-found",
    "notcompliantrfc": "malformed",
    "policyviolation": "policy",
    "ratelimited": "over-rate",
    "rejected": "sender-refused",
    "requireptr": "reverse-dns",
    "securityerror": "login-required",
    "spamdetected": "spam",
    "speeding": "over-rate",
    "suspend": "mailbox-disabled",
    "syntaxerror": "protocol",
    "systemerror": "server-error",
    "systemfull": "server-full",
    "toomanyconn": "over-rate",
    "userunknown": "user-unknown",
    "virusdetected": "virus",
}
