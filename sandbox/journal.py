"""The events still to be pushed, on the disk, so that a restart of the sandbox loses none of them.

Append-only JSON lines: ``{"mail": …, "events": […]}`` when a mail is accepted, ``{"done": [ids]}`` when its
events were pushed or lost. Rewritten at the start and when it has grown large; emptied when nothing is open.
Everything but ``recovered`` is called from the writing thread of ``state.py``.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.events import Detail

EMPTY_ABOVE = 1_000_000
REWRITE_ABOVE = 64_000_000


@dataclass(slots=True, eq=False)
class PushEvent:
    """One event of one mail on its way to the hook. ``due`` is in seconds since the epoch.

    ``event_id`` is unique; a copy that SES or SNS would make carries a suffix (see ``planning``). ``envelope``
    is kept between tries, because SNS repeats a message with the same MessageId and signature.
    """

    event_id: str
    due: float
    detail: Detail
    mail: dict[str, Any]
    tries: int = 0
    envelope: dict[str, str] | None = None

    @property
    def is_copy(self) -> bool:
        return "#" in self.event_id


class Journal:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.recovered: list[PushEvent] = list(_open_events(path))
        self._open = {event.event_id for event in self.recovered}
        self._rewrite(self.recovered)

    def add(self, events: Sequence[PushEvent]) -> None:
        """Note the events of one mail."""
        if events:
            self._write([_line(events)])
            self._open.update(event.event_id for event in events)

    def done(self, event_ids: Iterable[str]) -> None:
        ids = list(event_ids)
        if not ids:
            return
        self._write([json.dumps({"done": ids}) + "\n"])
        self._open.difference_update(ids)
        if not self._open and self._size > EMPTY_ABOVE:
            self._truncate()
        elif self._size > self._rewrite_above:
            self._file.close()
            self._rewrite(list(_open_events(self._path)))

    def clear(self) -> None:
        self._open.clear()
        self._truncate()

    def close(self) -> None:
        self._file.close()

    def _write(self, lines: Iterable[str]) -> None:
        content = "".join(lines).encode("utf-8", "replace")
        self._file.write(content)
        self._size += len(content)

    def _truncate(self) -> None:
        self._file.truncate(0)
        self._size = 0

    def _rewrite(self, events: list[PushEvent]) -> None:
        by_mail: dict[str, list[PushEvent]] = {}
        for event in events:
            by_mail.setdefault(event.mail["messageId"], []).append(event)
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes("".join(map(_line, by_mail.values())).encode("utf-8", "replace"))
        temporary.replace(self._path)
        self._file = self._path.open("ab", buffering=0)
        self._size = self._path.stat().st_size
        self._rewrite_above = max(REWRITE_ABOVE, 2 * self._size)


def _line(events: Sequence[PushEvent]) -> str:
    rows = [[event.event_id, event.due, *event.detail] for event in events]
    return json.dumps({"mail": events[0].mail, "events": rows}, ensure_ascii=False) + "\n"


def _open_events(path: Path) -> Iterator[PushEvent]:
    found: dict[str, PushEvent] = {}
    for record in _records(path):
        if "done" in record:
            for event_id in record["done"]:
                found.pop(event_id, None)
            continue
        for event_id, due, event_type, key, body in record["events"]:
            detail = Detail(event_type, key, body)
            found[event_id] = PushEvent(event_id=event_id, due=due, detail=detail, mail=record["mail"])
    yield from found.values()


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):  # a torn last line belongs to a mail that was never acknowledged
                yield json.loads(line)
