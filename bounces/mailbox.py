"""Reading the mailbox that mailed bounces come to, by IMAP: fetch, store, and only then mark or move.

Called by ``read_bounce_mailbox`` and by beat. A mail is marked (or moved) after the commit that keeps it, so that a
run that is interrupted anywhere is simply continued by the next one; what is read twice is known by its content. A
mail that cannot be fetched is left for the next run and stops nobody. Python's own imaplib does all that is needed.
"""

import imaplib
import logging
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from bounces import ingest, pipeline
from bounces.mail.parts import MAX_BYTES
from bounces.models import Notification

logger = logging.getLogger(__name__)

_TOGETHER = 50
#: No server may keep us waiting for longer.
_TIMEOUT_SECONDS = 30
_LOCAL = ("127.0.0.1", "localhost", "::1")
#: What imaplib and the sockets under it raise.
FAULTS = (imaplib.IMAP4.error, OSError)


class BadMailbox(ValueError):
    """The address of the mailbox is not usable; the message says why, and never shows the password."""


@dataclass(slots=True)
class Done:
    """``left``: mails that could not be fetched or marked; the next run takes them up."""

    stored: int = 0
    duplicates: int = 0
    processed: int = 0
    quarantined: int = 0
    events: int = 0
    left: int = 0


def read_all(url: str, *, done_folder: str = "") -> Done:
    """Store and process every mail that is not marked as read (with ``done_folder``: every mail in the folder).

    Raises BadMailbox, or one of FAULTS when the server does not answer or refuses.
    """
    parts, folder = _address(url)
    box = _open(parts)
    try:
        _must(box.login(unquote(parts.username or ""), unquote(parts.password or "")))
        _must(box.select(_quoted(folder)))
        done = Done()
        uids = _search(box, "UNDELETED" if done_folder else "UNSEEN")
        for start in range(0, len(uids), _TOGETHER):
            _take(box, uids[start : start + _TOGETHER], done_folder, done)
        return done
    finally:
        _leave(box)


def _address(url: str) -> tuple[SplitResult, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadMailbox("BOUNCE_IMAP_URL is no address: write imaps://user:password@host/INBOX.") from error
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username or port == 0:
        raise BadMailbox(
            "BOUNCE_IMAP_URL is no address of a mailbox: write imaps://user:password@host/INBOX."
        )
    if parts.scheme == "imap" and parts.hostname not in _LOCAL:
        raise BadMailbox(
            f"BOUNCE_IMAP_URL would send the password to {parts.hostname} in the clear: write imaps://."
        )
    return parts, unquote(parts.path.strip("/")) or "INBOX"


def _open(parts: SplitResult) -> imaplib.IMAP4:
    host = parts.hostname or ""
    if parts.scheme == "imap":
        return imaplib.IMAP4(host, parts.port or 143, timeout=_TIMEOUT_SECONDS)
    return imaplib.IMAP4_SSL(
        host, parts.port or 993, ssl_context=ssl.create_default_context(), timeout=_TIMEOUT_SECONDS
    )


def _search(box: imaplib.IMAP4, what: str) -> list[str]:
    found = _must(box.uid("SEARCH", what))
    return [
        uid for line in found if isinstance(line, bytes) for uid in line.decode("ascii", "replace").split()
    ]


def _take(box: imaplib.IMAP4, uids: Sequence[str], done_folder: str, done: Done) -> None:
    fetched = list(_fetch(box, uids, done))
    if not fetched:
        return
    rows = [ingest.Incoming(raw, Notification.Source.DSN, ingest.content_key(raw)) for _, raw in fetched]
    stored = ingest.store_many(rows, wake=False)
    new = [row.notification_id for row in stored if row.created]
    done.stored += len(new)
    done.duplicates += len(stored) - len(new)
    _finish(box, [uid for uid, _ in fetched], done_folder)
    processed = pipeline.process(new)
    done.processed += processed.processed
    done.quarantined += processed.quarantined
    done.events += processed.events


def _fetch(box: imaplib.IMAP4, uids: Sequence[str], done: Done) -> Iterator[tuple[str, bytes]]:
    """Each mail with its number, at most as much of it as the reader looks at."""
    for uid in uids:
        try:
            answer = _must(box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_BYTES}>)"))
            found = next((part[1] for part in answer if isinstance(part, tuple)), b"")
        except imaplib.IMAP4.abort:
            raise  # the connection is lost, not the mail
        except imaplib.IMAP4.error as error:
            logger.warning("Mail %s of the bounce mailbox cannot be fetched; it stays there: %s", uid, error)
            found = b""
        if found:
            yield uid, bytes(found)
        else:
            done.left += 1


def _finish(box: imaplib.IMAP4, uids: Sequence[str], done_folder: str) -> None:
    """Mark the stored mails as read, or move them."""
    which = ",".join(uids)
    if not done_folder:
        _must(box.uid("STORE", which, "+FLAGS.SILENT", r"(\Seen)"))
        return
    if "MOVE" in box.capabilities:
        _must(box.uid("MOVE", which, _quoted(done_folder)))
        return
    _must(box.uid("COPY", which, _quoted(done_folder)))
    _must(box.uid("STORE", which, "+FLAGS.SILENT", r"(\Deleted)"))
    box.expunge()


def _must(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of an answer that is OK. Raises imaplib's error with the server's words."""
    status, data = answer
    if status != "OK":
        words = b" ".join(part for part in data if isinstance(part, bytes)).decode("utf-8", "replace")
        raise imaplib.IMAP4.error(words[:300] or status)
    return data


def _quoted(folder: str) -> str:
    """A folder's name as a quoted string. Raises BadMailbox for one that IMAP cannot carry so."""
    if not folder.isascii() or re.search(r"[\x00-\x1f\x7f]", folder):
        raise BadMailbox(f"The folder {folder!r} has characters that IMAP does not take; use ASCII.")
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _leave(box: imaplib.IMAP4) -> None:
    try:
        box.logout()
    except FAULTS:
        logger.debug("The mail server did not say good-bye.")
