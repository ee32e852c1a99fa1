"""The ledger: one JSON line for every accepted mail and recipient, on the disk before SendEmail answers.

It is the witness in tests of crashes: what is in it was sent, what is not in it was not. Nothing is ever taken
out of it but by a reset. ``append`` runs in the writing thread of ``state.py``.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Ledger:
    """``accepted_to`` counts the mails per address (lower case) that this and earlier runs accepted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.accepted_to: Counter[str] = Counter()
        self.message_ids: set[str] = set()
        _cut_torn_line(path)
        for entry in self.read():
            self.accepted_to[entry["recipient"].lower()] += 1
            self.message_ids.add(entry["message_id"])
        self._file = path.open("ab", buffering=0)

    def append(self, entries: Iterable[Entry]) -> None:
        """Write the lines and wait for the disk; the caller answers only after this."""
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        self._file.write(lines.encode("utf-8", "replace"))
        os.fsync(self._file.fileno())

    def read(self, *, recipient: str = "", since: datetime | None = None) -> Iterator[Entry]:
        """The entries in the order of acceptance, of one recipient or from a time on where given."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n"):
                    return  # being written at this moment
                entry: Entry = json.loads(line)
                if recipient and entry["recipient"].lower() != recipient.lower():
                    continue
                if since and datetime.fromisoformat(entry["at"]) < since:
                    continue
                yield entry

    def clear(self) -> None:
        self._file.truncate(0)
        self.accepted_to.clear()
        self.message_ids.clear()

    def close(self) -> None:
        self._file.close()


def ledger_time(at: float) -> str:
    """Seconds since the epoch as the ledger writes them: ISO 8601, UTC, microseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _cut_torn_line(path: Path) -> None:
    """Drop what a killed process left unfinished: its mail was never acknowledged."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
