"""The reader of CSV files: it numbers lines rightly, loses no good row, and never holds a whole file."""

import contextlib
import gzip
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist.csv_rows import BadRow, CsvFile, UnreadableFile, guarded, shown, unguarded
from tests import memory


def read(data: bytes | str, **options):
    file = CsvFile(io.BytesIO(data.encode() if isinstance(data, str) else data), **options)
    return file, list(file)


def good(rows):
    return [(row.line, row.cells) for row in rows if not isinstance(row, BadRow)]


def bad(rows):
    return [(row.line, row.reason) for row in rows if isinstance(row, BadRow)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_out(delimiter):
    file, rows = read(
        delimiter.join(["email", "name"]) + "\n" + delimiter.join(["a@x.example", "Ada"]) + "\n"
    )
    assert (file.delimiter, file.header, good(rows)) == (
        delimiter,
        ["email", "name"],
        [(2, ["a@x.example", "Ada"])],
    )


def test_a_delimiter_inside_quotes_does_not_count():
    assert read('email;"a, b, c"\n')[0].header == ["email", "a, b, c"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_known(end):
    assert good(read(end.join(["email", "a@x.example", "", "b@x.example"]))[1]) == [
        (2, ["a@x.example"]),
        (4, ["b@x.example"]),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_can_be_named(encoding):
    file, rows = read("email,name\na@x.example,Jürgen\n".encode(encoding), encoding=encoding)
    assert file.header == ["email", "name"]
    assert good(rows) == [(2, ["a@x.example", "Jürgen"])]


def test_a_byte_order_mark_is_not_part_of_the_first_column():
    assert read(b"\xef\xbb\xbfemail\n")[0].header == ["email"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("email\na@x.example\n".encode("utf-16"), "utf-16"),
        ("email\na@x.example\n".encode("utf-16-le"), "utf-16-le"),
        ("email\na@x.example\n".encode("utf-16-be"), "utf-16-be"),
        ("email\na@x.example\n".encode("utf-32"), "utf-32"),
        ("email,name\n" + "a@x.example,Jörg\n" * 5, "cp1252"),
    ],
)
def test_a_file_in_another_encoding_is_refused_as_a_whole_with_its_name(data, found):
    data = data.encode("latin-1") if isinstance(data, str) else data
    with pytest.raises(UnreadableFile, match=f"--encoding {found}"):
        read(data)


def test_a_few_foreign_bytes_do_not_make_a_file_of_another_encoding():
    _, rows = read(b"email,name\n" + b"a@x.example,J\xf6rg\n" * 3 + b"b@x.example,Bo\n" * 10)
    assert len(good(rows)) == 13


@pytest.mark.parametrize("name", ["nonsense", "base64", "a\0b"])
def test_an_unknown_encoding_is_told(name):
    with pytest.raises(UnreadableFile, match="no text encoding"):
        read("email\n", encoding=name)


@pytest.mark.parametrize("data", ["", "\n\n\r\n", ",,,\n", "\ufeff"])
def test_an_empty_file_is_told(data):
    with pytest.raises(UnreadableFile, match="empty"):
        read(data)


def test_a_header_alone_has_no_rows():
    assert read("email")[1] == []


def test_a_value_with_line_breaks_keeps_the_line_numbers_right():
    _, rows = read('email,note\na@x.example,"one\ntwo\r\nthree"\nb@x.example,\n')
    assert good(rows) == [(2, ["a@x.example", "one\ntwo\r\nthree"]), (5, ["b@x.example", ""])]


@pytest.mark.parametrize(
    "data",
    [
        'email,name\na@x.example,"Ada\nb@x.example,Bo\nc@x.example,Cy\n',
        'email,name\na@x.example,"Ada\nb@x.example,Bo\nc@x.example,Cy',
        'email,name\na@x.example,"Ada\nb@x.example,"Bo"\nc@x.example,Cy\n',
    ],
)
def test_a_quote_that_is_never_closed_costs_one_row(data):
    _, rows = read(data)
    assert [line for line, _ in good(rows)] == [3, 4]
    assert [line for line, _ in bad(rows)] == [2]
    assert "quote" in bad(rows)[0][1].lower()


def test_a_quote_that_is_never_closed_in_a_long_file_costs_one_row():
    _, rows = read('email\n"a@x.example\n' + "b@x.example\n" * 20_000)
    assert len(good(rows)) == 20_000
    assert [line for line, _ in bad(rows)] == [2]


def test_text_after_a_closing_quote_costs_one_row():
    _, rows = read('email,name\na@x.example,"Ada" B\nb@x.example,Bo\n')
    assert good(rows) == [(3, ["b@x.example", "Bo"])]
    assert bad(rows) == [
        (2, 'Text follows after a closing quote. A quote inside a quoted value is written twice ("").')
    ]


def test_a_carriage_return_inside_a_row_costs_one_row():
    _, rows = read("email,name\na@x.example,A\rda\nb@x.example,Bo\n")
    assert good(rows) == [(3, ["b@x.example", "Bo"])]
    assert bad(rows) == [(2, "There is a carriage return in the middle of the row.")]


def test_a_row_that_is_too_long_costs_one_row():
    _, rows = read("email\n" + "x" * 101 + "\nb@x.example\n", max_row=100)
    assert good(rows) == [(3, ["b@x.example"])]
    assert bad(rows) == [(2, "The row is longer than 100 characters.")]


def test_too_many_columns_are_refused():
    with pytest.raises(UnreadableFile, match="10,000 columns"):
        read("email," + ",".join(f"c{n}" for n in range(9_999)) + "\n")


def test_a_header_that_never_ends_is_refused():
    with pytest.raises(UnreadableFile, match="first line"):
        read("email" * 100_000)


class Endless(io.RawIOBase):
    """A file of ``size`` bytes without a line end after its header."""

    def __init__(self, size):
        self._left, self._head = size, b"email\n"

    def readable(self):
        return True

    def read(self, size=-1):
        if self._head:
            head, self._head = self._head, b""
            return head
        size = min(size, self._left)
        self._left -= size
        return b"x" * size


def test_one_enormous_line_does_not_fill_the_memory():
    tracemalloc.start()
    rows = list(CsvFile(Endless(100_000_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.line for row in rows] == [2]
    assert peak < 3_000_000


def test_a_spreadsheet_or_an_archive_is_no_csv_file_whatever_it_would_unpack_to():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "email\na@x.example\n" * 1_000_000)
    for data in (packed.getvalue(), gzip.compress(b"email\na@x.example\n" * 1_000_000)):
        tracemalloc.start()
        with contextlib.suppress(UnreadableFile):
            file, rows = read(data)
            assert "email" not in file.header and not [row for row in good(rows) if "a@x.example" in row[1]]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3_000_000


@pytest.mark.parametrize(
    "piece",
    [b'"a@x.example\n', b"a@x.example,", b"a\x00\n", b"a\xff\n", b"\r"],
    ids=["quotes", "columns", "NUL", "no UTF-8", "carriage returns"],
)
def test_a_bomb_of_two_megabytes_needs_little_memory_and_hides_nobody_behind_it(piece):
    data = (
        b"email\n" + b"first@x.example\n" * 5000 + piece * (2_000_000 // len(piece)) + b"\nlast@x.example\n"
    )
    with memory.peak() as megabytes:
        first = 0
        for row in CsvFile(io.BytesIO(data)):
            first += row[1] == ["first@x.example"]
            last = row
        assert megabytes() < 10
    assert first == 5000
    assert piece == b"\r" or last[:2] == (data.count(b"\n"), ["last@x.example"])


class Long(io.RawIOBase):
    """A file of so many megabytes that is nowhere: a beginning, then one piece again and again."""

    def __init__(self, head, piece, megabytes):
        self._block = piece * (65_536 // len(piece))
        self._rest, self._left = head, megabytes * 1_000_000

    def readable(self):
        return True

    def read(self, size=-1):
        while self._left > 0 and len(self._rest) < size:
            self._rest += self._block
            self._left -= len(self._block)
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


@pytest.mark.parametrize(
    ("head", "piece", "megabytes"),
    [
        pytest.param(b"email\n", b"x", 400, id="one line without an end"),
        pytest.param(b"email\n", b"a@x.example,", 400, id="one row of columns"),
        pytest.param(b"", b"email,", 400, id="a header without an end"),
        pytest.param(b'email\n"', b"a@x.example", 400, id="a quote that is never closed"),
        pytest.param(b'email\n"', b"a@x.example\n", 4, id="such a quote over many lines"),
        pytest.param(b"email\n", b"\x00", 400, id="NUL"),
        pytest.param(b"email\n", b"\r", 2, id="lone carriage returns"),
        pytest.param(b"email\n", b"same@x.example\n", 4, id="a million times the same"),
        pytest.param(b"email\n", b"\xef\xbb\xbfa@x.example\n", 4, id="marks of the byte order"),
        pytest.param(b"email\n", b"J\xf6rg@x.example\nJ\xc3\xb6rg@x.example\n", 4, id="mixed encodings"),
        pytest.param(b"\xff\xfee\0m\0a\0i\0l\0\n\0", b"a\0@\0x\0\n\0", 100, id="UTF-16"),
    ],
)
def test_no_bomb_needs_more_memory_however_long_it_is(head, piece, megabytes):
    with memory.peak() as used:
        with contextlib.suppress(UnreadableFile):
            for _ in CsvFile(Long(head, piece, megabytes)):
                pass
        assert used() < 10


@pytest.mark.parametrize(
    "value", ["=1+1", "+49", "-1", "@a", "\t=1", "\rx", " =1", "＝1", "'=1", "''-", "\n=x"]
)
def test_a_formula_is_guarded(value):
    assert guarded(value) == "'" + value


@pytest.mark.parametrize("value", ["", "Ada", "o'brien", "'quoted'", "a=b", "'", "5-1"])
def test_what_is_no_formula_is_left_as_it_is(value):
    assert guarded(value) == unguarded(value) == value


@given(st.text(st.sampled_from("'=+-@\t\r\n ab＝")))
def test_unguarded_undoes_guarded(value):
    assert unguarded(guarded(value)) == value


def test_shown_values_are_safe_on_a_terminal():
    assert shown("a\x1b[31m\0\udce9" + "b" * 200) == "a\\x1b[31m\\x00\\xe9" + "b" * 92 + "…"
