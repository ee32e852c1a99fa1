"""Uploaded files of people: kept in the database in pieces, looked into, their columns guessed.

Called by import_runs.py and the staff pages. Whatever machine the worker is on, it finds the file; memory holds one piece
at a time.
"""

import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from mailinglist import addresses
from mailinglist.csv_columns import ATTRIBUTE, MAX_KEY, NOT_IMPORTED, Columns, meaning
from mailinglist.csv_rows import BadRow, CsvFile, UnreadableFile, shown
from mailinglist.models import Import, ImportPart

PART = 1 << 20
SAMPLE = 5
#: How files begin that hold no rows of text, and what they are.
_OTHER_FILES = {
    b"PK\x03\x04": "a spreadsheet (xlsx, ods) or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (xls)",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF",
}
_NO_TEXT = (
    "This is no text, or its text encoding is another one. Choose it under “Text encoding” (files of Windows are mostly "
    "cp1252), or save the file as “CSV UTF-8” and upload that."
)
#: Letters that no accent can be taken off.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_NO_ADDRESSES = "Choose the column that holds the addresses."


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file: its columns, and the first rows as they can be shown."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str


def store(owner: Import, pieces: Iterable[bytes]) -> int:
    """Keep the file of an import. Returns its bytes. Call it in the transaction that makes the import."""
    size, number, rest = 0, 0, bytearray()
    for piece in pieces:
        size += len(piece)
        rest += piece
        while len(rest) >= PART:
            ImportPart.objects.create(owner=owner, number=number, data=bytes(rest[:PART]))
            del rest[:PART]
            number += 1
    if rest:
        ImportPart.objects.create(owner=owner, number=number, data=bytes(rest))
    return size


def opened(import_id: int) -> BinaryIO:
    """The stored file, to be read once from its beginning."""
    return cast(BinaryIO, io.BufferedReader(_Stored(import_id), PART))


def refuse_other_kinds(head: bytes) -> None:
    """Raise UnreadableFile for the beginning of what is no CSV file but is often taken for one."""
    for begin, kind in _OTHER_FILES.items():
        if head.startswith(begin):
            raise UnreadableFile(f"This is {kind}. Open it, save it as “CSV UTF-8” and upload that.")


def sample(file: BinaryIO, encoding: str) -> Sample:
    """The beginning of a file. Raises UnreadableFile."""
    source = CsvFile(file, encoding=encoding)
    if not all(name.replace("\t", "").replace("\n", "").isprintable() for name in source.header):
        raise UnreadableFile(_NO_TEXT)
    rows: list[list[str]] = []
    for row in source:
        if not isinstance(row, BadRow):
            cells = [shown(cell) for cell in row.cells[: len(source.header)]]
            rows.append(cells + [""] * (len(source.header) - len(cells)))
        if len(rows) == SAMPLE:
            break
    return Sample([shown(name) for name in source.header], rows, source.delimiter)


def guess(found: Sample) -> list[str]:
    """What each column probably is: the name of a field, "attribute:…", or "" for what an import leaves out."""
    guessed: list[str] = []
    for number, name in enumerate(found.header, start=1):
        what = meaning(name) or (attribute(name, number) if name else "")
        guessed.append("" if what in NOT_IMPORTED or what in guessed else what)
    if "email" not in guessed:
        holds = [place for place in range(len(guessed)) if _holds_addresses(found.rows, place)]
        if holds:
            guessed[holds[0]] = "email"
    return guessed


def attribute(name: str, number: int) -> str:
    """The value that a merge tag can name: "Größe des Hauses" → attribute:grosse_des_hauses.

    ``number`` of the column, from 1: the name of what has none in Latin letters is value_3.
    """
    if name.startswith(ATTRIBUTE):
        return name
    latin = unicodedata.normalize("NFKD", name.lower().translate(_LATIN)).encode("ascii", "ignore").decode()
    tag = re.sub(r"[^a-z0-9]+", "_", latin).strip("_") or f"value_{number}"
    return ATTRIBUTE + (tag if not tag[0].isdigit() else f"_{tag}")[: MAX_KEY - len(ATTRIBUTE)]


def refuse_columns(columns: Sequence[str], *, encoding: str) -> None:
    """Raise UnreadableFile where these columns cannot be imported."""
    if "email" not in columns:
        raise UnreadableFile(_NO_ADDRESSES)
    for name in columns:
        if name and columns.count(name) > 1:
            raise UnreadableFile(
                f"Two columns become “{name.removeprefix(ATTRIBUTE)}”. Leave one of them out."
            )
    Columns(columns, encoding=encoding)


def _holds_addresses(rows: list[list[str]], place: int) -> bool:
    """Most of what stands there; there may be bad rows at the beginning."""
    cells = [row[place] for row in rows if row[place]]
    return sum(map(_is_address, cells)) * 2 > len(cells)


def _is_address(text: str) -> bool:
    try:
        addresses.normalise(text)
    except addresses.BadAddress:
        return False
    return True


class _Stored(io.RawIOBase):
    """The pieces of a file, one query each."""

    def __init__(self, import_id: int) -> None:
        self._import_id = import_id
        self._number = 0
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            parts = ImportPart.objects.filter(owner=self._import_id, number=self._number)
            self._rest = memoryview(bytes(parts.values_list("data", flat=True).first() or b""))
            self._number += 1
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
