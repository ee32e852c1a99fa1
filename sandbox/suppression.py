"""The account's suppression list, and which events put an address on it.

SES adds hard bounces and complaints by itself ("Using the Amazon SES account-level suppression list"); the
addresses of the mailbox simulator never get there. Kept as JSON lines, last one wins, rewritten at the start.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.events import Detail
from sandbox.outcomes import SIMULATOR_DOMAIN

REASONS = ("BOUNCE", "COMPLAINT")


@dataclass(frozen=True, slots=True)
class Suppressed:
    address: str
    reason: str
    since: float
    message_id: str = ""
    feedback_id: str = ""


class SuppressionList:
    """Addresses are compared without regard to case."""

    def __init__(self, path: Path) -> None:
        self._entries = _load(path)
        path.write_text("".join(_line(entry.address, entry) for entry in self._entries.values()))
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def __contains__(self, address: str) -> bool:
        return address.lower() in self._entries

    def get(self, address: str) -> Suppressed | None:
        return self._entries.get(address.lower())

    def put(self, address: str, reason: str, *, message_id: str = "", feedback_id: str = "") -> None:
        entry = Suppressed(address.lower(), reason, time.time(), message_id, feedback_id)
        self._entries[entry.address] = entry
        self._file.write(_line(entry.address, entry))

    def remove(self, address: str) -> bool:
        removed = self._entries.pop(address.lower(), None)
        if removed:
            self._file.write(_line(removed.address, None))
        return removed is not None

    def entries(self, *, reasons: Iterable[str], since: float, until: float) -> list[Suppressed]:
        wanted = set(reasons) or set(REASONS)
        found = (e for e in self._entries.values() if e.reason in wanted and since <= e.since <= until)
        return sorted(found, key=lambda entry: entry.address)

    def learn(self, event: Detail, *, message_id: str) -> None:
        """Put the addresses on the list that SES would, were this event to happen."""
        reason, key = _reason(event)
        for recipient in event.body.get(key, []) if reason else []:
            address = recipient["emailAddress"]
            if not address.lower().endswith("@" + SIMULATOR_DOMAIN) and address not in self:
                self.put(address, reason, message_id=message_id, feedback_id=event.body["feedbackId"])

    def clear(self) -> None:
        self._entries.clear()
        self._file.truncate(0)

    def close(self) -> None:
        self._file.close()


def _reason(event: Detail) -> tuple[str, str]:
    body = event.body
    if event.event_type == "Bounce" and body["bounceType"] == "Permanent":
        own = body["bounceSubType"] == "OnAccountSuppressionList"
        return ("", "") if own else ("BOUNCE", "bouncedRecipients")
    if event.event_type == "Complaint" and body["complaintFeedbackType"] != "not-spam":
        return "COMPLAINT", "complainedRecipients"
    return "", ""


def _line(address: str, entry: Suppressed | None) -> str:
    return json.dumps(asdict(entry) if entry else {"address": address, "removed": True}) + "\n"


def _load(path: Path) -> dict[str, Suppressed]:
    entries: dict[str, Suppressed] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        record = json.loads(line)
        if record.get("removed"):
            entries.pop(record["address"], None)
        else:
            entries[record["address"]] = Suppressed(**record)
    return entries
