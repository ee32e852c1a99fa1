"""The mails of the last time, to be read by people: SQLite in the state directory, written in its own thread.

Nobody waits for it: what a killed process had not yet written is missing here, and never in the ledger. The
last ``KEPT`` mails stay. Written by ``state.py``, read by ``pages.py``.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.acceptance import Accepted
from sandbox.batches import BatchWriter
from sandbox.events import decoded
from sandbox.journal import PushEvent
from sandbox.mails import as_delivered

KEPT = 20_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    number INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT UNIQUE, at REAL, subject TEXT,
    sender TEXT, recipients TEXT, rules TEXT, raw BLOB);
CREATE TABLE IF NOT EXISTS event (
    event_id TEXT PRIMARY KEY, message_id TEXT, event_type TEXT, detail TEXT, recipients TEXT, at REAL);
CREATE INDEX IF NOT EXISTS event_of_mail ON event (message_id);
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as the inbox tells it; ``detail`` is for example ``Permanent/General``."""

    event_id: str
    message_id: str
    event_type: str
    detail: str
    recipients: str
    at: float


@dataclass(frozen=True, slots=True)
class Row:
    """A mail in the list; ``recipients`` and ``rules`` are joined with commas."""

    number: int
    message_id: str
    at: float
    subject: str
    sender: str
    recipients: str
    rules: str
    events: tuple[Happened, ...]


class Inbox:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _SCHEMA)
        self._writer: BatchWriter[tuple[Accepted, str] | Happened] = BatchWriter(self._write, name="inbox")

    def keep(self, accepted: Accepted, *, date: str) -> None:
        """Show this mail; ``date`` is the Date header that SES gives it."""
        self._writer.put_soon((accepted, date))

    def note(self, event: PushEvent) -> None:
        """Show that this event happened; an event told twice is shown once."""
        self._writer.put_soon(_happened(event))

    async def latest(self, *, to: str = "", before: int | None = None, limit: int = 50) -> list[Row]:
        """The newest mails with their events: recipients contain ``to``, numbers are below ``before``."""
        return await self._writer.run(lambda: self._latest(to, before, limit))

    async def mail(self, message_id: str) -> tuple[Row, bytes] | None:
        """One mail with its events and its bytes; None when it is not (or no longer) here."""
        return await self._writer.run(lambda: self._mail(message_id))

    async def clear(self) -> None:
        await self._writer.run(self._clear)

    async def close(self) -> None:
        await self._writer.close()
        self._database.close()

    def _write(self, items: Sequence[tuple[Accepted, str] | Happened]) -> None:
        with self._database:
            for item in items:
                if isinstance(item, Happened):
                    self._write_event(item)
                else:
                    self._write_mail(*item)
            self._database.execute(
                "DELETE FROM event WHERE message_id IN"
                " (SELECT message_id FROM mail WHERE number <= (SELECT max(number) FROM mail) - ?)",
                (KEPT,),
            )
            self._database.execute(
                "DELETE FROM mail WHERE number <= (SELECT max(number) FROM mail) - ?", (KEPT,)
            )

    def _write_mail(self, accepted: Accepted, date: str) -> None:
        mail = accepted.mail
        rules = dict.fromkeys(fate.outcome.rule for fate in accepted.fates)
        self._database.execute(
            "INSERT OR IGNORE INTO mail (message_id, at, subject, sender, recipients, rules, raw)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                accepted.message_id,
                accepted.at,
                _storable(decoded(mail.header("subject"))),
                _storable(decoded(mail.header("from") or mail.source)),
                ", ".join(mail.recipients),
                ", ".join(rules),
                as_delivered(mail, message_id=accepted.message_id, date=date),
            ),
        )

    def _write_event(self, event: Happened) -> None:
        self._database.execute(
            "INSERT OR IGNORE INTO event (event_id, message_id, event_type, detail, recipients, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (event.event_id, event.message_id, event.event_type, event.detail, event.recipients, event.at),
        )

    def _latest(self, to: str, before: int | None, limit: int) -> list[Row]:
        rows = self._database.execute(
            "SELECT number, message_id, at, subject, sender, recipients, rules FROM mail"
            " WHERE (?1 = '' OR instr(lower(recipients), lower(?1))) AND (?2 IS NULL OR number < ?2)"
            " ORDER BY number DESC LIMIT ?3",
            (to, before, limit),
        ).fetchall()
        return [self._row(row) for row in rows]

    def _mail(self, message_id: str) -> tuple[Row, bytes] | None:
        found = self._database.execute(
            "SELECT number, message_id, at, subject, sender, recipients, rules, raw FROM mail"
            " WHERE message_id = ?",
            (message_id,),
        ).fetchone()
        return (self._row(found[:7]), found[7]) if found else None

    def _row(self, columns: tuple[Any, ...]) -> Row:
        number, message_id, at, subject, sender, recipients, rules = columns
        events = self._events(message_id)
        return Row(number, message_id, at, subject, sender, recipients, rules, events)

    def _events(self, message_id: str) -> tuple[Happened, ...]:
        rows = self._database.execute(
            "SELECT event_id, message_id, event_type, detail, recipients, at FROM event WHERE message_id = ?"
            " ORDER BY at, event_id",
            (message_id,),
        )
        return tuple(Happened(*row) for row in rows)

    def _clear(self) -> None:
        with self._database:
            self._database.execute("DELETE FROM mail")
            self._database.execute("DELETE FROM event")


def _happened(event: PushEvent) -> Happened:
    body = event.detail.body
    parts = [
        body.get(key)
        for key in ("bounceType", "bounceSubType", "complaintFeedbackType", "delayType", "reason")
    ]
    told: list[Any] = next(
        (body[key] for key in body if key.endswith("Recipients") or key == "recipients"), []
    )
    addresses = [one if isinstance(one, str) else one["emailAddress"] for one in told]
    return Happened(
        event_id=event.event_id,
        message_id=event.mail["messageId"],
        event_type=event.detail.event_type,
        detail="/".join(part for part in parts if part),
        recipients=", ".join(addresses),
        at=event.due,
    )


def _storable(text: str) -> str:
    """Without lone surrogates, which a header of broken bytes may hold and SQLite refuses."""
    return text.encode("utf-8", "replace").decode()
