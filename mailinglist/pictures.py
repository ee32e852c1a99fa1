"""PURE. What kind of picture some bytes are, and how large it is, from its first bytes alone.

Called by looks.py for logos and by images.py for pictures in mails. The name and the type that a browser claims are
never asked. Nothing is decoded: what cannot be drawn is a broken picture in the browser, and no danger, because it is
served with its type and nosniff.
"""

import struct
from dataclasses import dataclass

#: Bytes.
MOST_BYTES = 200_000
#: Pixels along a side: more is no logo, and costs the phone its memory.
MOST_PIXELS = 2000

_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


class BadPicture(ValueError):
    """It is none that we take; the message is a sentence for the person who chose it."""


@dataclass(frozen=True, slots=True)
class Picture:
    content_type: str
    width: int
    height: int


def read(data: bytes, *, most_bytes: int = MOST_BYTES, most_pixels: int = MOST_PIXELS) -> Picture:
    """Kind and size. Raises BadPicture, also for more bytes, or more pixels along a side, than are taken."""
    if len(data) > most_bytes:
        raise BadPicture(
            f"The file has {len(data) // 1000} kB; {most_bytes // 1000} kB is the most. Save it smaller."
        )
    try:
        found = _read(data)
    except (struct.error, IndexError):
        found = None
    if found is None:
        raise BadPicture("This is no PNG, JPEG, WebP or GIF picture.")
    if not (0 < found.width <= most_pixels and 0 < found.height <= most_pixels):
        raise BadPicture(
            f"The picture has {found.width} × {found.height} pixels; {most_pixels} a side is the most."
        )
    return found


def _read(data: bytes) -> Picture | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return Picture("image/png", *struct.unpack(">II", data[16:24]))
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return Picture("image/gif", *struct.unpack("<HH", data[6:10]))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    return None


def _webp(data: bytes) -> Picture | None:
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return Picture("image/webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack("<I", data[21:25])[0]
        return Picture("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        if len(data) < 30:
            return None
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return Picture("image/webp", width, height)
    return None


def _jpeg(data: bytes) -> Picture | None:
    """The size stands in the frame header, after any number of other segments."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Picture("image/jpeg", width, height)
        if marker == 0xDA:
            return None
        at += 2 + max(2, struct.unpack(">H", data[at + 2 : at + 4])[0])
    return None
