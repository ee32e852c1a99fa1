"""PURE. A picture without what cameras and programs write beside it: places, times, names, thumbnails.

Called by images.py, because pictures in mails are seen by everybody. Nothing is decoded: whole segments are left out.
Which way up a photo is to be shown stays. GIF has nothing of the kind and is returned as it is.
"""

import struct
from collections.abc import Iterator

#: Of JPEG: JFIF, colour profile, and Adobe's word on how colours are kept.
_JPEG_KEPT = frozenset({0xE0, 0xE2, 0xEE})
_PNG_DROPPED = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"})
_WEBP_DROPPED = frozenset({b"EXIF", b"XMP "})


def bare(data: bytes) -> bytes:
    """The same picture with the words beside it left out; for bytes that pictures.read took. Broken: b""."""
    try:
        if data.startswith(b"\x89PNG"):
            return b"".join((data[:8], *_png(data)))
        if data.startswith(b"\xff\xd8"):
            return b"".join((b"\xff\xd8", *_jpeg(data)))
        if data.startswith(b"RIFF"):
            body = b"WEBP" + b"".join(_webp(data))
            return b"RIFF" + struct.pack("<I", len(body)) + body
    except (struct.error, IndexError):
        return b""
    return data


def is_turned(data: bytes) -> bool:
    """Whether a JPEG is shown with width and height exchanged."""
    if not data.startswith(b"\xff\xd8"):
        return False
    return any(_orientation(part) >= 5 for kind, part in _segments(data) if kind == 0xE1)


def _png(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 12 <= len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        kind = data[at + 4 : at + 8]
        if kind not in _PNG_DROPPED:
            yield data[at : at + 12 + length]
        if kind == b"IEND":
            return
        at += 12 + length


def _webp(data: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        end = at + 8 + length + length % 2
        if kind == b"VP8X":  # says that it has no such parts any more
            yield data[at : at + 8] + bytes([data[at + 8] & ~0x0C]) + data[at + 9 : end]
        elif kind not in _WEBP_DROPPED:
            yield data[at:end]
        at = end


def _jpeg(data: bytes) -> Iterator[bytes]:
    for kind, part in _segments(data):
        if kind == 0xE1 and (turned := _orientation(part)) > 1:
            yield _only_orientation(turned)
        elif kind in _JPEG_KEPT or not (0xE0 <= kind <= 0xEF or kind == 0xFE):
            yield part


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, bytes with the marker); the scan and all that follows up to the last end of image is one."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        kind = data[at + 1]
        if kind == 0xFF:
            at += 1
            continue
        if kind == 0xDA:
            end = data.rfind(b"\xff\xd9")
            yield kind, data[at : end + 2 if end > at else len(data)]
            return
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        yield kind, data[at:end]
        at = end


def _orientation(part: bytes) -> int:
    """1 to 8 as EXIF counts them; 1 where it says nothing that can be read."""
    tiff = part[10:]
    if part[4:10] != b"Exif\0\0" or len(tiff) < 14:
        return 1
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        start = struct.unpack(f"{order}I", tiff[4:8])[0]
        entries = struct.unpack(f"{order}H", tiff[start : start + 2])[0]
        for entry in range(min(entries, 100)):
            at = start + 2 + 12 * entry
            tag, _, _, value = struct.unpack(f"{order}HHIH", tiff[at : at + 10])
            if tag == 0x0112:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _only_orientation(value: int) -> bytes:
    tiff = b"MM\x00\x2a" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, value, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
