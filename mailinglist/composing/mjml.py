"""PURE. MJML → the HTML that mail programs lay out in columns, with every mistake named by its line.

Called by markup.py. The compiler (mrml) takes unknown tags silently and says little about the rest, so the source is
read here first: its tags, where they may stand, and that each is closed. Nothing is included or fetched. The result is
not trusted: markup.py sanitises it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import mrml

#: Deeper than any mail; the compiler calls itself for every level.
MOST_DEEP = 50
#: More mistakes at once help nobody.
MOST_MISTAKES = 10

_CONTENT = frozenset({"mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table"})
#: Tags that hold HTML.
_HTML_INSIDE = frozenset({"mj-text", "mj-button", "mj-table", "mj-raw"})
#: Tag → what it may stand in.
_PLACES: dict[str, frozenset[str]] = {
    "mjml": frozenset({""}),
    "mj-head": frozenset({"mjml"}),
    "mj-body": frozenset({"mjml"}),
    "mj-attributes": frozenset({"mj-head"}),
    "mj-style": frozenset({"mj-head"}),
    "mj-breakpoint": frozenset({"mj-head"}),
    "mj-all": frozenset({"mj-attributes"}),
    "mj-class": frozenset({"mj-attributes"}),
    "mj-wrapper": frozenset({"mj-body"}),
    "mj-section": frozenset({"mj-body", "mj-wrapper"}),
    "mj-hero": frozenset({"mj-body", "mj-wrapper"}),
    "mj-group": frozenset({"mj-section"}),
    "mj-column": frozenset({"mj-section", "mj-group"}),
    "mj-raw": frozenset({"mj-body", "mj-column"}),
    **{name: frozenset({"mj-column", "mj-hero"}) for name in sorted(_CONTENT)},
}
#: Tags of MJML that make no good mail here → why, and what instead.
_REFUSED = {
    "mj-include": "it would read another file. Paste its text here",
    "mj-font": "fonts would be loaded from another company. Name fonts that everybody has",
    "mj-social": "its pictures come from another company. Use mj-image with a link",
    "mj-social-element": "its pictures come from another company. Use mj-image with a link",
    "mj-title": "the subject is the title",
    "mj-preview": "write the preview line into the field above",
    "mj-carousel": "most mail programs do not show it. Use mj-image",
    "mj-accordion": "most mail programs do not show it. Use mj-text",
    "mj-navbar": "most mail programs do not show it. Use mj-text with links",
    "mj-html-attributes": "write attributes where they belong",
}
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_TOKEN = re.compile(
    r"<!--.*?-->"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)"
    r"(?P<attributes>(?:\s+[A-Za-z_:][\w:.-]*(?:\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))?)*)\s*(?P<closed>/?)>",
    re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE_END = re.compile(r"</mj-style\s*>")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and in which line (from 1)."""

    line: int
    says: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.says}"


class BadMjml(ValueError):
    """It cannot be compiled; the message names the first mistakes, each with its line."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(" ".join(map(str, mistakes[:3])))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    line: int


def compile(source: str) -> str:
    """The whole HTML page. Raises BadMjml."""
    if mistakes := find_mistakes(source):
        raise BadMjml(mistakes)
    source = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source)  # they are for whoever edits it
    options = mrml.RenderOptions(disable_comments=True, social_icon_origin="", fonts={})
    try:
        html = str(
            mrml.to_html(source, mrml.ParserOptions(include_loader=mrml.noop_loader()), options).content
        )
        return html.replace(' lang="und" dir="auto"', "")  # the frame says the language of the list
    except OSError as error:
        raise BadMjml([Mistake(*_told(source, str(error)))]) from error


def find_mistakes(source: str) -> list[Mistake]:
    """What is wrong with the tags, in order of their lines; ten at most."""
    found: list[Mistake] = []
    for mistake in _mistakes(source):
        found.append(mistake)
        if len(found) == MOST_MISTAKES:
            break
    return found


def _mistakes(source: str) -> Iterator[Mistake]:
    opened: list[_Open] = []
    seen_root, position, line, counted = False, 0, 1, 0  # line: that of the character counted
    while True:
        at = source.find("<", position)
        if text := source[position : at if at >= 0 else len(source)].strip():
            start = source.index(text[:1], position)
            yield from _misplaced_text(opened, source.count("\n", 0, start) + 1)
        if at < 0:
            break
        line, counted = line + source.count("\n", counted, at), at
        token = _TOKEN.match(source, at)
        if token is None:
            yield Mistake(line, _unreadable(source[at : at + 40]))
            return
        position = token.end()
        name = token["name"]
        if name is None:
            continue
        name = name.lower()
        if token["end"]:
            wrong = _closing(name, opened, line)
            if wrong:
                yield wrong
                return
            continue
        yield from _misplaced(name, opened, line)
        seen_root = seen_root or (name == "mjml" and not opened)
        if token["closed"] or name in _EMPTY:
            continue
        opened.append(_Open(name, line))
        if len(opened) > MOST_DEEP:
            yield Mistake(line, f"Tags stand more than {MOST_DEEP} deep in each other.")
            return
        if name == "mj-style":
            end = _STYLE_END.search(source, position)
            if end is None:
                break
            position = end.start()
    if opened:
        yield Mistake(opened[-1].line, f"<{opened[-1].name}> is never closed. Write </{opened[-1].name}>.")
    elif not seen_root:
        yield Mistake(1, "MJML begins with <mjml> and holds <mj-body> with sections and columns.")


def _misplaced(name: str, opened: list[_Open], line: int) -> Iterator[Mistake]:
    parent = opened[-1].name if opened else ""
    if name in _REFUSED:
        yield Mistake(line, f"<{name}> is not taken: {_REFUSED[name]}.")
    elif name in _PLACES:
        attributes = parent == "mj-attributes" and name.startswith("mj-")
        if parent not in _PLACES[name] and not attributes:
            places = " or ".join(f"<{place}>" for place in sorted(_PLACES[name]) if place) or "the beginning"
            where = f"in <{parent}>" if parent else "outside of everything"
            yield Mistake(line, f"<{name}> stands {where}; it belongs into {places}.")
    elif name.startswith("mj"):
        yield Mistake(line, f"There is no <{name}>. There are {', '.join(sorted(_PLACES))}.")
    elif not any(tag.name in _HTML_INSIDE for tag in opened):
        yield Mistake(
            line, f"<{name}> is HTML; it belongs into <mj-text>, <mj-button>, <mj-table> or <mj-raw>."
        )


def _misplaced_text(opened: list[_Open], line: int) -> Iterator[Mistake]:
    in_html = opened and not opened[-1].name.startswith("mj")  # that was told where it begins
    if not in_html and not any(tag.name in _HTML_INSIDE or tag.name == "mj-style" for tag in opened):
        yield Mistake(line, "This text stands outside of <mj-text>, <mj-button>, <mj-table> and <mj-raw>.")


def _closing(name: str, opened: list[_Open], line: int) -> Mistake | None:
    if name in _EMPTY:
        return Mistake(line, f"</{name}> closes nothing: <{name}> has no end.")
    if not opened:
        return Mistake(line, f"</{name}> closes nothing.")
    last = opened.pop()
    if last.name != name:
        return Mistake(
            line, f"</{name}> closes nothing: <{last.name}> of line {last.line} is to be closed first."
        )
    return None


def _unreadable(text: str) -> str:
    begin = text.partition("\n")[0]
    if re.match(r"</?[A-Za-z]", begin):
        return f'The tag that begins with {begin} cannot be read. Attributes look like name="value".'
    return f"There is a < that begins no tag: {begin}. Write &lt; instead."


def _told(source: str, says: str) -> tuple[int, str]:
    """Line and sentence of the compiler's own message, which names characters or nothing."""
    place = re.search(r"at position (\d+):\d+", says)
    line = source.count("\n", 0, int(place[1])) + 1 if place else 1
    return line, f"MJML cannot be read here: {says.partition(' in root template')[0]}."
