"""PURE. Delivery status notifications: RFC 3464, and what programs made of it."""

from collections.abc import Iterable

from bounces.mail.addresses import field_address
from bounces.mail.parts import Group
from bounces.mail.report import Finding
from bounces.verdicts.facts import BounceFacts
from bounces.verdicts.text import code_in, status_in

#: Fields that name the recipient; the first one present wins: the address we mailed before what became of it.
_RECIPIENT_FIELDS = (
    "original-recipient",
    "final-recipient",
    "x-actual-recipient",
    "x-failed-recipient",
    "to",
)
_KINDS = {"delivered": "delivery", "relayed": "delivery", "expanded": "delivery", "delayed": "delay"}


def read(groups: Iterable[Group]) -> list[Finding]:
    """A finding for each group that is about a recipient."""
    return [finding for group in groups if (finding := _finding(dict(reversed(group))))]


def _finding(fields: dict[str, str]) -> Finding | None:
    if not fields.keys() & {"final-recipient", "original-recipient", "action", "status", "diagnostic-code"}:
        return None
    recipient = next(
        (found for name in _RECIPIENT_FIELDS if (found := field_address(fields.get(name, "")))), ""
    )
    if not recipient and "action" not in fields and "diagnostic-code" not in fields:
        return None
    action = fields.get("action", "").strip().lower().split(" ")[0].strip("();,")
    diagnostic = _diagnostic(fields)
    status = status_in(fields.get("status", "")) or status_in(diagnostic)
    remote = fields.get("remote-mta", "").rpartition(";")[2].strip().split(" ")[0]
    return Finding(
        recipient,
        BounceFacts(
            kind=_kind(action, status),
            action=action,
            status=status,
            code=code_in(diagnostic),
            diagnostic=diagnostic,
            provider=remote,
            domain=recipient.rpartition("@")[2],
        ),
    )


def _kind(action: str, status: str) -> str:
    if action in _KINDS:
        return _KINDS[action]
    return "delivery" if not action and status.startswith("2") else "bounce"


def _diagnostic(fields: dict[str, str]) -> str:
    """The server's words; of several fields with them, those that say most."""
    found = fields.get("diagnostic-code", "")
    kind, semicolon, rest = found.partition(";")
    if semicolon and " " not in kind.strip():
        found = rest.strip()
    comment = fields.get("status", "").partition("(")[2].rstrip(") ")
    return f"{found} {comment}".strip() if comment else found
