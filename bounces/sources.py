"""Files of notifications: SES JSON, SNS envelopes, SQS messages, JSON lines, anything else as it is.

Used by the commands ``ingest_bounces`` and ``classify_bounces``. Never raises for content: what cannot be read as
JSON is passed on whole, so that it ends in the quarantine and not on the floor.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

#: Bytes of one document that are read; SNS carries 256 KB at most.
MAX_DOCUMENT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """One notification: where it was found, its SES JSON (or text), and SNS's id where it has one."""

    name: str
    raw: bytes
    sns_message_id: str = ""
    topic_arn: str = ""


class UnreadableSource(Exception):
    """A path that cannot be read; the message names it."""


def documents(paths: list[str]) -> Iterator[Document]:
    """All notifications under the given files and directories; ``-`` is standard input. Raises UnreadableSource."""
    for path in paths:
        if path == "-":
            yield from _split("-", sys.stdin.buffer)
            continue
        found = Path(path)
        if not found.exists():
            raise UnreadableSource(f"{path}: there is no such file or directory.")
        for file in sorted(found.rglob("*")) if found.is_dir() else [found]:
            if file.is_file():
                with _open(file) as stream:
                    yield from _split(str(file), stream)


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise UnreadableSource(f"{file}: {error.strerror}.") from error


def _split(name: str, stream: BinaryIO) -> Iterator[Document]:
    """One document a line when the first line is one by itself; else the file is one document."""
    first = stream.readline(MAX_DOCUMENT)
    if _loads(first) is None:
        whole = first + stream.read(MAX_DOCUMENT)
        if whole.strip():
            yield _unwrap(name, whole)
        return
    yield _unwrap(name, first.strip())
    for number, line in enumerate(iter(lambda: stream.readline(MAX_DOCUMENT), b""), start=2):
        if line.strip():
            yield _unwrap(f"{name}:{number}", line.strip())


def _unwrap(name: str, raw: bytes) -> Document:
    """The SES document inside an SNS envelope or an SQS message, or ``raw`` itself."""
    found = _loads(raw)
    if isinstance(found, dict) and isinstance(found.get("Body"), str) and "ReceiptHandle" in found:
        return _unwrap(name, found["Body"].encode())
    if isinstance(found, dict) and found.get("Type") == "Notification" and isinstance(found.get("Message"), str):
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
