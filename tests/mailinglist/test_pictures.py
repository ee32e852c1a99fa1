"""What is a picture and how large it is, by its bytes, whatever it is called."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import pictures
from mailinglist.pictures import BadPicture, Picture
from tests.logos import GIF, JPEG, PNG, WEBP_LOSSLESS, WEBP_LOSSY, png

VP8X = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\x1f\x00\x00\x0f\x00\x00"
PICTURES = [
    (PNG, Picture("image/png", 32, 16)),
    (GIF, Picture("image/gif", 1, 1)),
    (JPEG, Picture("image/jpeg", 2, 1)),
    (WEBP_LOSSY, Picture("image/webp", 2, 1)),
    (WEBP_LOSSLESS, Picture("image/webp", 2, 1)),
    (VP8X, Picture("image/webp", 32, 16)),
]


@pytest.mark.parametrize(("data", "picture"), PICTURES)
def test_kind_and_size_are_read_from_the_bytes(data: bytes, picture: Picture) -> None:
    assert pictures.read(data) == picture


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xda\x00\x02",
        b"RIFF\x00\x00\x00\x00WAVE",
        VP8X[:27],
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(BadPicture, match="no PNG, JPEG, WebP or GIF"):
        pictures.read(data)


def test_large_files_and_large_pictures_are_refused() -> None:
    pictures.read(PNG.ljust(pictures.MOST_BYTES, b"\0"))
    with pytest.raises(BadPicture, match="200 kB is the most"):
        pictures.read(PNG.ljust(pictures.MOST_BYTES + 1, b"\0"))
    pictures.read(png(2000, 2000))
    for size in ((2001, 10), (10, 2001), (0, 10)):
        with pytest.raises(BadPicture, match="pixels"):
            pictures.read(png(*size))


@given(
    st.sampled_from([data for data, _ in PICTURES]), st.integers(0, 40), st.binary(max_size=12), st.booleans()
)
def test_damage_is_refused_or_read_and_never_a_fault(data: bytes, at: int, junk: bytes, cut: bool) -> None:
    damaged = data[:at] + junk + (b"" if cut else data[at + len(junk) :])
    try:
        found = pictures.read(damaged)
    except BadPicture:
        return
    assert 0 < found.width <= 2000 and 0 < found.height <= 2000


def test_a_jpeg_whose_segments_go_round_in_a_circle_ends() -> None:
    with pytest.raises(BadPicture):
        pictures.read(b"\xff\xd8" + b"\xff\xe0" + struct.pack(">H", 0) * 4)
