"""PURE. A template and its place for the content: whether it can be used, and the page with the content in it.

Called by body.py. The content is put in before the whole is sanitised, so wherever the place stands, what comes out is
safe; a place inside of a tag would only lose the content, and is refused.
"""

import re
from html.parser import HTMLParser
from typing import Protocol

from mailinglist import merge
from mailinglist.composing import markup, mjml

_PLACE = re.compile(r"\{\{[ \t]*content[ \t]*\}\}")
_NOT_READ = frozenset({"style", "title", "script"})


class Design(Protocol):
    """What is needed of a Template."""

    @property
    def format(self) -> str: ...
    @property
    def source(self) -> str: ...


def fill(design: Design, content: str, carrier: markup.TagCarrier) -> str:
    """Unsafe HTML: the design with ``content``, HTML with the carrier's words. Raises mjml.BadMjml."""
    return _page(design, carrier).replace(carrier.place, content)


def mistakes(design: Design) -> list[str]:
    """Why no campaign could use it, as sentences; empty: it is good."""
    places = len(_PLACE.findall(design.source))
    if places != 1:
        found = "none" if not places else f"{places} of them"
        return [f"Write {{{{ content }}}} once, where the text of a campaign is to stand. There is {found}."]
    carrier = markup.TagCarrier(design.source)
    try:
        page = markup.sanitise(_page(design, carrier))
    except mjml.BadMjml as bad:
        return [str(mistake) for mistake in bad.mistakes]
    if carrier.place not in _words(page):
        return [
            "{{ content }} must stand where text stands: in a cell or a block, not inside of a tag or a style."
        ]
    known = merge.tags(design.source)
    return [merge.complaint(tag) for tag in merge.unknown_tags(design.source, known)]


def own_tags(source: str) -> str:
    """The source without its place: what is left may hold merge tags."""
    return _PLACE.sub("", source)


def _page(design: Design, carrier: markup.TagCarrier) -> str:
    source = _PLACE.sub(carrier.place, design.source)
    return markup.to_html(carrier.carry(source), design.format, carrier)


def _words(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.words)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag not in _NOT_READ:
            self.words.append(data)
