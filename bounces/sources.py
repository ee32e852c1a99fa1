"""Files of notifications: SES JSON, SNS envelopes, SQS messages, JSON lines, mails (.eml, Maildir, mbox).

Used by the commands ``ingest_bounces`` and ``classify_bounces``. Never raises for content: what cannot be
read as JSON is passed on whole, so that it ends in the quarantine and not on the floor.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

#: Bytes of one document that are read; SNS carries 256 KB at most.
MAX_DOCUMENT = 4 * 1024 * 1024


#: The line that separates the mails of an mbox: sender and date.
_MBOX = re.compile(rb"From \S{1,300} .{10,60}\d{4}\s*$")
#: How a mail begins: with a header, and one that every mail has is near.
_HEADER = re.compile(rb"\s*(?:>?From .{1,400}\r?\n)?[A-Za-z][A-Za-z0-9-]{0,80}:(?:[ \t]|\r?\n)")
_MAIL_HEADER = re.compile(
    rb"^(?:Received|Return-Path|From|To|Subject|Date|Message-ID|MIME-Version)[ \t]?:",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Document:
    """One notification: where it was found, its SES JSON (or text), and SNS's id where it has one; or a mail."""

    name: str
    raw: bytes
    sns_message_id: str = ""
    topic_arn: str = ""
    is_mail: bool = False


class UnreadableSource(Exception):
    """A path that cannot be read; the message names it."""


class UnreadableInput(UnreadableSource):
    """Standard input cannot be read, such as where it is closed."""


def documents(paths: list[str]) -> Iterator[Document]:
    """All notifications in these files and directories; ``-``: standard input. Raises UnreadableSource."""
    for path in paths:
        if path == "-":
            yield from _standard_input()
            continue
        found = Path(path)
        if not found.exists():
            raise UnreadableSource(f"{path}: there is no such file or directory.")
        for file in sorted(found.rglob("*")) if found.is_dir() else [found]:
            if file.is_file() and not _is_unfinished(file, found):
                with _open(file) as stream:
                    yield from _split(str(file), stream)


def _standard_input() -> Iterator[Document]:
    try:
        yield from _split("-", sys.stdin.buffer)
    except OSError as error:
        raise UnreadableInput(f"The standard input cannot be read: {error.strerror}.") from error


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise UnreadableSource(f"{file}: {error.strerror}.") from error


def _is_unfinished(file: Path, root: Path) -> bool:
    """A Maildir's ``tmp`` holds mails that are still being written."""
    folder = file.parent
    return folder.name == "tmp" and folder != root and (folder.parent / "cur").is_dir()


def _split(name: str, stream: BinaryIO) -> Iterator[Document]:
    """One document a line (JSON) or a mail (mbox) if the first line shows it; else the file is one.

    Standard input is one mail, even with the line of an mbox before it, as mail servers pipe it: what stands in the
    mail cannot make two of it.
    """
    first = stream.readline(MAX_DOCUMENT)
    if _MBOX.match(first) and name != "-" and not name.endswith(".eml"):
        yield from _mbox(name, first, stream)
        return
    if _loads(first) is None:
        whole = first + stream.read(MAX_DOCUMENT)
        if whole.strip():
            yield Document(name, whole, is_mail=True) if _is_mail(name, whole) else unwrap(name, whole)
        return
    yield unwrap(name, first.strip())
    for number, line in enumerate(iter(lambda: stream.readline(MAX_DOCUMENT), b""), start=2):
        if line.strip():
            yield unwrap(f"{name}:{number}", line.strip())


def _mbox(name: str, first: bytes, stream: BinaryIO) -> Iterator[Document]:
    """Each mail of an mbox: it begins with a line "From …" after an empty line."""
    lines, size, number, blank = [first], len(first), 1, False
    for line in iter(lambda: stream.readline(MAX_DOCUMENT), b""):
        if blank and _MBOX.match(line):
            yield Document(name if number == 1 else f"{name}:{number}", b"".join(lines), is_mail=True)
            lines, size, number = [], 0, number + 1
        if size < MAX_DOCUMENT:
            lines.append(line)
            size += len(line)
        blank = not line.strip()
    yield Document(name if number == 1 else f"{name}:{number}", b"".join(lines), is_mail=True)


def _is_mail(name: str, raw: bytes) -> bool:
    """By its name, by its place in a Maildir, or by its first lines."""
    file = Path(name)
    if file.suffix == ".eml" or (
        file.parent.name in ("cur", "new") and (file.parent.parent / "tmp").is_dir()
    ):
        return True
    start = raw[:8192].lstrip(b"\xef\xbb\xbf")
    return _HEADER.match(start) is not None and _MAIL_HEADER.search(start) is not None


def unwrap(name: str, raw: bytes) -> Document:
    """The SES document inside an SNS envelope or an SQS message, or ``raw`` itself."""
    found = _loads(raw)
    if isinstance(found, dict) and isinstance(found.get("Body"), str) and "ReceiptHandle" in found:
        return unwrap(name, found["Body"].encode(errors="replace"))
    if (
        isinstance(found, dict)
        and found.get("Type") == "Notification"
        and isinstance(found.get("Message"), str)
    ):
        return Document(
            name,
            found["Message"].encode(errors="replace"),
            sns_message_id=str(found.get("MessageId") or ""),
            topic_arn=str(found.get("TopicArn") or ""),
        )
    return Document(name, raw)


def _loads(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
