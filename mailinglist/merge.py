"""PURE. Merge tags: ``{{ name }}`` and ``{{ name|default:"friend" }}``, and nothing else.

Managers write them, composing/body.py checks them, sending/messages.py fills them per recipient. A text is
parsed once and filled by one pass, each value escaped for the place where it stands; a value that looks like
a tag is not expanded again. There are no attributes, filters, conditions or template code: what does not have
the two forms above is reported by ``unknown_tags`` and otherwise stays as it was written.
"""

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

_TAG = re.compile(
    r"\{\{[ \t]*([a-z_][a-z0-9_]*)[ \t]*"
    r'(?:\|[ \t]*default:[ \t]*(?:"([^"{}<>\n]*)"|&quot;((?:(?!&quot;)[^"{}<>\n])*)&quot;)[ \t]*)?\}\}'
)
# One that begins before the last has ended has no end; of such a one its beginning is shown.
_TAG_LIKE = re.compile(
    r"\{\{(?:(?!\{\{|\{%).)*?\}\}|\{%(?:(?!\{\{|\{%).)*?%\}|\{\{[^{}\n]{0,30}|\{%[^{}\n]{0,30}", re.DOTALL
)
_LONGEST = 80
# The values of these attributes are addresses. The texts parsed as HTML are serialised: quoted with ".
_ADDRESS = re.compile(r'\s(?:href|src|background|action|cite)\s*=\s*"([^"]*)"', re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROLS_BUT_NEWLINE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]+")
# What every escaping of an address leaves as it is, as our own links are.
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/-]+")
# They reorder what is shown after them: a name could make a sender or a sentence read as something else.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Context(Enum):
    """Where a value stands, and so how it is escaped."""

    #: Text or a quoted attribute of HTML.
    HTML = "html"
    #: A part of an address in an attribute: percent-encoded.
    URL_PART = "url part"
    #: The beginning of an address in an attribute: only http, https and mailto addresses are let through.
    URL = "url"
    #: Plain text.
    TEXT = "text"
    #: A header: one line, nothing that reorders it.
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    default: str
    context: Context


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text: literal pieces and slots in turn."""

    parts: tuple[str | Slot, ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with each slot's value, escaped; the slot's default where the value is missing or empty."""
        return "".join([part if isinstance(part, str) else value(part, values) for part in self.parts])

    def with_known(self, values: Mapping[str, str]) -> "Template":
        """The same with the slots of these names filled; what they hold is not parsed again."""
        parts: list[str | Slot] = []
        for part in self.parts:
            if isinstance(part, Slot) and part.name in values:
                part = value(part, values)
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
        return Template(tuple(parts))


def parse(text: str, context: Context) -> Template:
    """Split ``text`` at its tags. In HTML, tags inside addresses (href, src) get an address's escaping."""
    addresses = [m.span(1) for m in _ADDRESS.finditer(text)] if context is Context.HTML else []
    parts: list[str | Slot] = []
    position = 0
    for found in _TAG.finditer(text):
        parts.append(text[position : found.start()])
        default = found[2] if found[2] is not None else found[3] or ""
        if context is Context.HTML:
            default = html.unescape(default)
        parts.append(Slot(found[1], default, _context(found.start(), context, addresses)))
        position = found.end()
    parts.append(text[position:])
    return Template(tuple(part for part in parts if part != ""))


def render(text: str, values: Mapping[str, str], context: Context) -> str:
    """``parse`` and ``fill`` at once, for texts that are used once."""
    return parse(text, context).fill(values)


def tags(text: str) -> set[str]:
    """The names of all well-formed tags."""
    return {found[1] for found in _TAG.finditer(text)}


def unknown_tags(text: str, known: Collection[str]) -> list[str]:
    """What looks like a tag and is none, or names nothing ``known``: as written, once each, in order; the long cut."""
    found: dict[str, None] = {}
    for like in _TAG_LIKE.finditer(text):
        tag = _TAG.fullmatch(like[0])
        if tag is None or tag[1] not in known:
            written = like[0]
            cut = (
                f"{written[: _LONGEST - 5]} … {written[-2:]}" if len(written) > _LONGEST else written.rstrip()
            )
            found[cut] = None
    return list(found)


def complaint(written: str) -> str:
    """What is wrong with one of ``unknown_tags``, as a sentence."""
    end = "%}" if written.startswith("{%") else "}}"
    if written.endswith(end):
        return f"{written} is no merge tag."
    return f"The {end} at the end of “{written}” is missing."


def find(text: str) -> list[re.Match[str]]:
    """The well-formed tags of a text, for the compiler that carries them through Markdown and sanitising."""
    return list(_TAG.finditer(text))


def canonical(tag: re.Match[str], *, in_html: bool) -> str:
    """A tag written so that it survives in HTML text and attributes alike (or in plain text)."""
    default = tag[2] if tag[2] is not None else tag[3]
    if default is None:
        return f"{{{{ {tag[1]} }}}}"
    quoted = f"&quot;{html.escape(html.unescape(default))}&quot;" if in_html else f'"{default}"'
    return f"{{{{ {tag[1]}|default:{quoted} }}}}"


def one_line(value: str) -> str:
    """A value that is safe in a header: no line ends, no other controls, nothing that reorders text."""
    if value.isprintable():  # then it holds none of them
        return value.strip()
    return _CONTROLS.sub(" ", _BIDI.sub("", value)).strip()


def _context(position: int, context: Context, addresses: list[tuple[int, int]]) -> Context:
    for start, end in addresses:
        if start <= position < end:
            return Context.URL if position == start else Context.URL_PART
    return context


def value(slot: Slot, values: Mapping[str, str]) -> str:
    """What stands in a slot: the value, or the default where it is missing or empty, escaped for its place."""
    return _ESCAPES[slot.context](values.get(slot.name, "") or slot.default)


def _text(value: str) -> str:
    if value.isprintable():  # then it holds none of them
        return value
    return _CONTROLS_BUT_NEWLINE.sub(" ", _BIDI.sub("", value))


def _html(value: str) -> str:
    return html.escape(_text(value), quote=True)


def _url_part(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _url(value: str) -> str:
    if _PLAIN_ADDRESS.fullmatch(value):
        return value
    if re.match(r"(https?://|mailto:)[^\s]", value, re.IGNORECASE):
        return html.escape(quote(value, safe=":/?#[]@!$&'()*+,;=%-._~", errors="replace"), quote=True)
    return _url_part(value)


_ESCAPES = {
    Context.HTML: _html,
    Context.URL_PART: _url_part,
    Context.URL: _url,
    Context.TEXT: _text,
    Context.HEADER: one_line,
}
