"""Mails by substitution, read again by two parsers that know nothing of each other: Python's and a Rust one."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import fast_mail_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailinglist import merge
from mailinglist.composing import mime
from mailinglist.merge import Context

#: What people are called, in many scripts, and what breaks encoders: "=", long runs, trailing blanks, dots, NUL-like.
NAMES = [
    "Ada",
    "Jürgen Müller-Lüdenscheidt",
    "Чайковский",
    "王小明",
    "محمد",
    "अमित",
    "👩‍👩‍👧‍👦 family",
    "a=b=c==",
    "x" * 300,
    "ends with a blank ",
    ".\n.",
    "=?utf-8?q?not_an_encoded_word?=",
]
text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=200)


def filled(html: str, plain: str, values: dict[str, str], subject: str = "Hi") -> bytes:
    skeleton = mime.Skeleton(merge.parse(plain, Context.TEXT), merge.parse(html, Context.HTML))
    headers = mime.text_header("Subject", subject) + mime.header("To", "ada@post.example")
    return skeleton.fill(headers, values)


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage) and not found.defects
    return found


def bodies(raw: bytes) -> dict[str, list[str]]:
    """The text and HTML parts as each parser reads them."""
    message, other = parsed(raw), fast_mail_parser.parse_email(raw)
    found: dict[str, list[str]] = {}
    for kind, theirs in (("plain", other.text_plain), ("html", other.text_html)):
        mine: Any = message.get_body((kind,))
        assert len(theirs) == 1
        found[kind] = [said.replace("\r\n", "\n").rstrip("\n") for said in (mine.get_content(), theirs[0])]
    return found


def check_lines(raw: bytes) -> None:
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "around", ["Hello {{ name }}, how are you?", "{{ name }}", "größe {{ name }}=" + "ö" * 200]
)
def test_any_name_arrives_as_it_was_in_both_parts(name: str, around: str) -> None:
    raw = filled(f"<p>{around}</p>", around, {"name": name})
    check_lines(raw)
    said = around.replace("{{ name }}", merge.render("{{ name }}", {"name": name}, Context.TEXT))
    in_html = around.replace("{{ name }}", merge.render("{{ name }}", {"name": name}, Context.HTML))
    found = bodies(raw)
    assert found["plain"] == [said.rstrip("\n")] * 2
    assert found["html"] == [f"<p>{in_html}</p>"] * 2


@given(text, text, text)
def test_whatever_stands_around_a_value_both_parsers_read_the_same(
    before: str, value: str, after: str
) -> None:
    literal = f"{before.replace('{', '(')}{{{{ x }}}}{after.replace('{', '(')}".strip() + "."
    raw = filled("<p>x</p>", literal, {"x": value})
    check_lines(raw)
    expected = merge.parse(literal, Context.TEXT).fill({"x": value}).rstrip("\n")
    assert bodies(raw)["plain"] == [expected] * 2


@given(st.text(max_size=120))
def test_any_subject_is_one_header_that_both_parsers_read(subject: str) -> None:
    line = merge.one_line(subject.encode("utf-8", "replace").decode())
    raw = filled("<p>x</p>", "x", {}, subject=line)
    check_lines(raw)
    assert " ".join(str(parsed(raw)["Subject"]).split()) == " ".join(line.split())
    theirs = fast_mail_parser.parse_email(raw)
    assert sorted(theirs.headers) == ["Content-Type", "MIME-Version", "Subject", "To"]


def test_mostly_foreign_text_is_base64_and_mostly_ascii_is_quoted_printable() -> None:
    raw = filled("<p>" + "王" * 500 + "{{ name }}</p>", "plain {{ name }}", {"name": "小明"})
    check_lines(raw)
    parts = list(parsed(raw).iter_parts())
    assert [part["Content-Transfer-Encoding"] for part in parts] == ["quoted-printable", "base64"]
    assert bodies(raw)["html"][1].endswith("小明</p>")


@pytest.mark.parametrize("value", ["a\r\nBcc: evil@x.example", "a\nb", "a\x00b"])
def test_a_line_end_in_a_header_is_an_error_that_names_it(value: str) -> None:
    for make in (mime.header, mime.text_header):
        with pytest.raises(mime.Unencodable, match="Subject"):
            make("Subject", value)


def test_a_bad_name_and_an_endless_value_are_errors() -> None:
    with pytest.raises(mime.Unencodable, match="no name of a header"):
        mime.header("X: y\r\nBcc", "z")
    with pytest.raises(mime.Unencodable, match="longer than 998"):
        mime.header("List-Unsubscribe", "<https://x.example/" + "a" * 1000 + ">")


def test_a_value_that_holds_the_boundary_or_a_tag_stays_a_value() -> None:
    value = "--=_mailinglist_alternative-- {{ name }}"
    raw = filled("<p>{{ name }}</p>", "{{ name }}", {"name": value})
    assert bodies(raw)["plain"] == [value] * 2
