"""PURE. CSV files as people have them: bytes in, numbered rows out, a damaged row told and stepped over.

Called by imports.py; exports.py uses ``guarded``. Guarantees bounded memory whatever the file: no row is held
beyond ``max_row`` characters, and a row that cannot be read costs only itself. After a quote that is never
closed reading goes on with the next line, so that it swallows nobody.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

MAX_ROW = 65_536
MAX_COLUMNS = 200
SHOWN = 100
DELIMITERS = ",;\t"
HEAD = 65_536
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), also behind spaces and our own
# mark.
_FORMULA = re.compile(r"[\s']*[=+\-@\t\r\n＝＋－＠]")


class UnreadableFile(ValueError):
    """Nothing of the file can be used; the message says why and what to do."""


class Row(NamedTuple):
    """``line`` is the line of the file on which the row begins."""

    line: int
    cells: list[str]


class BadRow(NamedTuple):
    """What was wrong with a row. ``column`` is empty where all of it is meant; ``value`` can be printed."""

    line: int
    column: str
    value: str
    reason: str


class CsvFile:
    """A CSV file: ``header`` at once, then iterate once over its rows, blank ones left out.

    The delimiter (comma, semicolon or tab) and the line ends (LF, CRLF, CR) are found out. Bytes that are not
    of ``encoding`` come out as lone surrogates, see ``first_bad_byte``. Raises UnreadableFile for an empty
    file, one in another encoding, and a header with more than ``max_columns`` columns.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        encoding: str = "utf-8",
        max_row: int = MAX_ROW,
        max_columns: int = MAX_COLUMNS,
    ) -> None:
        self._max_row = max_row
        self._number = 0
        self._record: list[tuple[int, str]] = []
        self._again: deque[tuple[int, str]] = deque()
        source = io.BufferedReader(_Source(file), HEAD)
        head = source.peek(HEAD)[:HEAD]
        _refuse_other_encoding(head, encoding)
        self.encoding = _codec(encoding)
        self._end = _line_end(head.decode(self.encoding, "replace"))
        self._text = io.TextIOWrapper(source, self.encoding, errors=_MARK, newline=self._end)
        self.delimiter, self.header = self._read_header(max_columns)

    def __iter__(self) -> Iterator[Row | BadRow]:
        while True:
            rows = csv.reader(self._lines(), delimiter=self.delimiter, strict=True, skipinitialspace=True)
            try:
                for cells in rows:
                    line = self._record[0][0]
                    self._record.clear()
                    if any(cells):
                        yield Row(line, cells)
                return
            except (csv.Error, _TooLong) as error:
                yield self._give_up(error)

    def _read_header(self, max_columns: int) -> tuple[str, list[str]]:
        try:
            first = next((text for text in self._lines() if text.strip(" ,;\t\r\n")), "")
            delimiter = max(DELIMITERS, key=re.sub('"[^"]*"', "", first).count)
            self._again.extend(self._record[-1:])
            self._record.clear()
            rows = csv.reader(self._lines(), delimiter=delimiter, strict=True, skipinitialspace=True)
            header = [cell.strip() for cell in next(rows, [])]
        except (csv.Error, _TooLong) as error:
            reason = self._give_up(error).reason
            raise UnreadableFile(f"The first line does not name columns. {reason}") from error
        self._record.clear()
        if not first:
            raise UnreadableFile(
                "The file is empty. Its first line must name the columns, one of them email."
            )
        if len(header) > max_columns:
            raise UnreadableFile(f"The file has {len(header):,} columns; only {max_columns} are read.")
        return delimiter, header

    def _lines(self) -> Iterator[str]:
        """The lines of the next rows; ``_record`` keeps those of the row that is being read."""
        size = 0
        while True:
            number, text = self._again.popleft() if self._again else self._read_line()
            if not text:
                return
            size = size + len(text) if self._record else len(text)
            self._record.append((number, text))
            if size > self._max_row:
                raise _TooLong
            yield text

    def _read_line(self) -> tuple[int, str]:
        """The next line and its number, cut off when it is longer than a row may be; empty at the end."""
        rest = text = self._text.readline(self._max_row + 1)
        self._number += 1
        while len(rest) > self._max_row and not rest.endswith(self._end):
            rest = self._text.readline(self._max_row + 1)
        return self._number, text

    def _give_up(self, error: Exception) -> BadRow:
        """Report the row that was being read, and have everything after its first line read again."""
        (line, text), *following = self._record
        self._again.extendleft(reversed(following))
        self._record.clear()
        reason = _sentence(error, spans_lines=bool(following), max_row=self._max_row)
        return BadRow(line, "", shown(text), reason)


class _TooLong(Exception):
    """The row has more characters than a row may have."""


class _Source(io.RawIOBase):
    """Any object with read() as a raw stream, so that BufferedReader can look ahead in pipes too."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def guarded(value: str) -> str:
    """The value as a cell that no spreadsheet runs as a formula: a leading ``'`` where it could be one."""
    return "'" + value if _FORMULA.match(value) else value


def unguarded(cell: str) -> str:
    """What was guarded, as it was."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def shown(value: str) -> str:
    """At most SHOWN characters, safe on a terminal and in a page."""
    value = value.strip()
    text = "".join(sign if sign.isprintable() else _escaped(sign) for sign in value[:SHOWN])
    return text + ("…" if len(value) > SHOWN else "")


def likely_encoding(head: bytes) -> str:
    """The encoding that a file with this beginning (up to 64 kB) seems to have; utf-8 where nothing speaks against."""
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    if head[:2000].count(0) * 3 > len(head[:2000]):
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    return "cp1252" if _looks_like_cp1252(_foreign_lines(head)) else "utf-8"


def first_bad_byte(value: str) -> int | None:
    """The first byte in the value that is not of the file's encoding; None when there is none."""
    found = re.search("[\udc00-\udcff]", value)
    return ord(found.group()) - 0xDC00 if found else None


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code - 0xDC00:02x}" if 0xDC00 <= code <= 0xDCFF else repr(sign)[1:-1]


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(0xDC00 + error.object[error.start]), error.end


_MARK = "mailinglist-mark"
codecs.register_error(_MARK, _mark)


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b"--".decode(encoding, "replace")
    except (LookupError, ValueError) as error:
        raise UnreadableFile(
            f"There is no text encoding {encoding!r}. Usual ones are utf-8, utf-16 and cp1252."
        ) from error
    return "utf-8-sig" if name == "utf-8" else name


def _line_end(head: str) -> str:
    lone = head.count("\r") - head.count("\r\n")
    return "\r" if lone > head.count("\n") else "\n"


def _refuse_other_encoding(head: bytes, encoding: str) -> None:
    if _codec(encoding) != "utf-8-sig":
        return
    found = likely_encoding(head)
    if found == "cp1252" and not _is_most(_foreign_lines(head), _whole_lines(head)):
        return  # a few rows of another program: they are told one by one
    if found != "utf-8":
        raise UnreadableFile(
            f"The file is not UTF-8; it looks like {found}. Import it with that encoding "
            f"(--encoding {found}), or save it as “CSV UTF-8”."
        )


def _whole_lines(head: bytes) -> list[bytes]:
    return head.splitlines()[: -1 if len(head) == HEAD else None]


def _foreign_lines(head: bytes) -> list[bytes]:
    return [line for line in _whole_lines(head) if not line.isascii()]


def _looks_like_cp1252(foreign: list[bytes]) -> bool:
    """Of the lines with other than ASCII none is UTF-8, and all are text in cp1252."""
    return (
        bool(foreign)
        and not any(_is_in(line, "utf-8") for line in foreign)
        and _is_in(b"".join(foreign), "cp1252")
    )


def _is_most(foreign: list[bytes], lines: list[bytes]) -> bool:
    """At least half of the lines, and three."""
    return len(foreign) >= 3 and len(foreign) * 2 >= len(lines)


def _is_in(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _sentence(error: Exception, *, spans_lines: bool, max_row: int) -> str:
    if spans_lines:
        return "A quote that opens here is not closed properly; this line was left out."
    if isinstance(error, _TooLong) or "field limit" in str(error):
        return f"The row is longer than {max_row:,} characters."
    if "unexpected end" in str(error):
        return "A quote that opens here is not closed."
    if "new-line character" in str(error):
        return "There is a carriage return in the middle of the row."
    return 'Text follows after a closing quote. A quote inside a quoted value is written twice ("").'
