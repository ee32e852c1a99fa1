"""PURE. What servers wrote, prepared for the rules: folded, bounded, without what could mislead them.

Addresses, URLs and IP addresses are masked, so that a mailbox called "spam" or a help page called "blocked"
is not taken for a wording. All functions are linear in the length of the text, which is cut at MAX_TEXT.
"""

import re
import unicodedata
from typing import NamedTuple

MAX_TEXT = 3000

_CONTINUED = re.compile(r"(?<![\w.])([2457]\d\d)-(?:(\d\.\d{1,3}\.\d{1,3})[ -])?")
_REPEATED = re.compile(r"(?<![\w.])[45]\d\d[ -](?=[45]\.\d{1,3}\.\d{1,3}\b)")
_URL = re.compile(r"\bhttps?:/{0,2}[^\s<>\"]{1,500}|\bwww\.[^\s<>\"]{1,500}")
_ADDRESS = re.compile(r"<?[^\s<>@,;:()\"']{1,80}@[a-z0-9.*\[\]-]{1,120}>?")
_IPV4 = re.compile(r"(?<![\w.])\[?\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\]?(?![\w.]\d)")
_SPACE = re.compile(r"[\s\x00-\x1f]+")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"(?<![\w.+-])([245][0-5]\d|571)(?=$|[\s,;:.-])")
_PHASE = re.compile(
    r"(?:in reply to|server after) (?:the )?(end of data|data|mail from|rcpt to|helo|ehlo|bdat|initial)"
)
_FOLDED = str.maketrans("’‘`´“”–—\xa0", "''''\"\"-- ")


class Prepared(NamedTuple):
    """``raw``: folded and lower-case, for rules about addresses of help pages. ``plain``: masked, for
    wordings.
    """

    raw: str
    plain: str


def prepare(text: str) -> Prepared:
    """Fold ``text`` for the rules."""
    text = _SPACE.sub(" ", text[:MAX_TEXT].translate(_FOLDED).lower()).strip()
    if not text.isascii():
        text = _without_accents(text)
    raw = _CONTINUED.sub(" ", text, count=60) if text.count("-") else text
    raw = _SPACE.sub(" ", raw)
    plain = _URL.sub("<url>", raw)
    if "@" in plain:
        plain = _ADDRESS.sub("<addr>", plain)
    plain = _IPV4.sub("<ip>", plain)
    return Prepared(raw, _REPEATED.sub("", plain))


def _without_accents(text: str) -> str:
    """Latin letters without their accents; other scripts stay as they are."""
    return "".join(
        base if (base := unicodedata.normalize("NFD", letter)[0]) < "\u0250" else letter for letter in text
    )


def status_in(text: str) -> str:
    """The first telling enhanced status in what a server wrote; "" if there is none. x.0.0 only if nothing
    else.
    """
    found = [".".join(match.groups()) for match in _STATUS.finditer(_IPV4.sub(" ", text[:MAX_TEXT]))]
    telling = [status for status in found if not status.endswith(".0.0")]
    return (telling or found or [""])[0]


def code_in(text: str) -> str:
    """The first SMTP reply code in what a server wrote; "" if there is none."""
    match = _CODE.search(text[:MAX_TEXT])
    return match[1] if match else ""


def phase_in(text: str) -> str:
    """The command that was refused, from Postfix's "in reply to …" or Exim's "after …"; "" if it is not
    said.
    """
    match = _PHASE.search(text)
    return _PHASES[match[1]] if match else ""


_PHASES = {
    "end of data": "data",
    "data": "data",
    "bdat": "data",
    "mail from": "mail",
    "rcpt to": "rcpt",
    "helo": "helo",
    "ehlo": "helo",
    "initial": "connect",
}
