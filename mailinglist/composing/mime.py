"""PURE. Mails as bytes: everything that all recipients share is encoded once, the rest is put into the gaps.

Called by sending/messages.py: ``Skeleton`` once per campaign version, ``fill`` once per recipient. A body that is mostly
ASCII is quoted-printable, so that its fixed pieces are encoded beforehand and soft line breaks (RFC 2045 §6.7) join
them with the values; any other is base64 of the filled text. Lines end with CRLF and are at most 76 bytes long in
bodies, 998 in headers. Headers of any script become encoded words (RFC 2047); a line end in one is an error, not a
second header.
"""

import base64
import re
from binascii import b2a_qp
from collections.abc import Mapping
from email.header import Header
from functools import lru_cache

from mailinglist import merge
from mailinglist.merge import Slot, Template

#: RFC 5322 §2.1.1, without the CRLF.
MAX_LINE = 998
#: Above this share of non-ASCII characters base64 is the shorter encoding.
_MOSTLY_ASCII = 0.7
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_LINE_END = re.compile(r"[\r\n\x00]")
# No encoded body can hold it: after "=" quoted-printable has two hex digits or a line end, and base64 ends.
_BOUNDARY = b"=_mailinglist_alternative"
_SOFT_BREAK = b"=\r\n"


class Unencodable(ValueError):
    """A header that no mail can carry; the message names it."""


def header(name: str, value: str) -> bytes:
    """One header field with its CRLF. ASCII stays as it is, unfolded; anything else becomes encoded words.

    Raises Unencodable for a line end or NUL in it, for a bad name, and for ASCII that is too long for a line.
    """
    if not _is_name(name):
        raise Unencodable(f"{name!r} is no name of a header.")
    if not value.isprintable() and _LINE_END.search(value):
        raise Unencodable(f"The header {name} holds a line end.")
    if value.isascii():
        if len(name) + 2 + len(value) > MAX_LINE:
            raise Unencodable(f"The header {name} is longer than {MAX_LINE} characters.")
        return f"{name}: {value}\r\n".encode("ascii")
    return f"{name}: {_encoded_words(value, len(name) + 2)}\r\n".encode("ascii")


def text_header(name: str, value: str) -> bytes:
    """A header of free text, such as Subject: what looks like an encoded word is encoded, and long text is folded."""
    if value.isascii() and "=?" not in value and len(name) + 2 + len(value) <= MAX_LINE:
        return header(name, value)
    if _LINE_END.search(value):
        raise Unencodable(f"The header {name} holds a line end.")
    return f"{name}: {_encoded_words(value, len(name) + 2)}\r\n".encode("ascii")


class Part:
    """One body: its fixed pieces encoded beforehand where the encoding allows it."""

    def __init__(self, template: Template, subtype: str) -> None:
        text = "".join(piece for piece in template.parts if isinstance(piece, str))
        self._template = template
        self._quoted = not text or sum(map(str.isascii, text)) / len(text) >= _MOSTLY_ASCII
        encoding = "quoted-printable" if self._quoted else "base64"
        self._head = (
            f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
        ).encode()
        pieces = template.parts or ("",)
        self._pieces: list[bytes | Slot] = [
            _quoted_printable(piece, final=piece is pieces[-1]) if isinstance(piece, str) else piece
            for piece in pieces
        ]

    def fill(self, values: Mapping[str, str]) -> bytes:
        """Head and encoded body for one recipient."""
        if not self._quoted:
            text = _crlf(self._template.fill(values))
            # A surrogate from a broken import must spoil one character, not the mail.
            return self._head + base64.encodebytes(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
        last = len(self._pieces) - 1
        pieces = [
            piece
            if isinstance(piece, bytes)
            else _quoted_printable(merge.value(piece, values), final=position == last)
            for position, piece in enumerate(self._pieces)
        ]
        return self._head + _SOFT_BREAK.join(pieces)


class Skeleton:
    """A multipart/alternative mail of text and HTML."""

    def __init__(self, text: Template, html: Template) -> None:
        self._text, self._html = Part(text, "plain"), Part(html, "html")

    def fill(self, headers: bytes, values: Mapping[str, str]) -> bytes:
        """The whole mail. ``headers``: fields made by ``header``, without MIME-Version and Content-Type."""
        return b"".join(
            (
                headers,
                b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="'
                + _BOUNDARY
                + b'"\r\n\r\n--',
                _BOUNDARY,
                b"\r\n",
                self._text.fill(values),
                b"\r\n--" + _BOUNDARY + b"\r\n",
                self._html.fill(values),
                b"\r\n--" + _BOUNDARY + b"--\r\n",
            )
        )


@lru_cache(maxsize=64)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _encoded_words(value: str, used: int) -> str:
    clean = value.encode("utf-8", "replace").decode()
    return Header(clean, "utf-8", maxlinelen=76, header_name="x" * max(used - 2, 0)).encode(linesep="\r\n")


def _quoted_printable(text: str, *, final: bool = False) -> bytes:
    """Encoded so that a soft break may follow; ``final``: so that the body may end there."""
    if not final and len(text) < 70 and "=" not in text and text.isascii() and text.isprintable():
        return text.encode()  # as most names and words are: a line that needs no encoding
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    if final:
        return b2a_qp(data, istext=True).replace(b"\n", b"\r\n")
    # The marker keeps the last line short of its limit, and a blank at the end as it is.
    return b2a_qp(data + b"x", istext=True)[:-1].replace(b"\n", b"\r\n")


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
