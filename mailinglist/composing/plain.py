"""PURE. The text part of a mail, derived from its HTML: readable, with every link kept."""

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "thead",
        "tr",
        "ul",
    ]
)
_SPACED = frozenset(["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"])
_SKIPPED = frozenset(["head", "script", "style", "title"])


def from_html(html: str) -> str:
    """Paragraphs apart, lists with dashes or numbers, links as ``words (address)``, images by their alt text."""
    walker = _Walker()
    walker.feed(html)
    walker.close()
    return walker.text()


class _Walker(HTMLParser):
    """Collects text; line ends are owed until the next text comes, so that empty elements leave no gaps."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._owed = 0
        self._after_bullet = False
        self._skip = self._pre = 0
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._skip += tag in _SKIPPED
        self._pre += tag == "pre"
        self._block(tag)
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._emit(self._bullet())
            self._after_bullet = True
        elif tag == "br":
            self._owed = min(2, self._owed + 1)
        elif tag == "hr":
            self._owe(2)
            self._emit("-" * 40)
            self._owe(2)
        elif tag == "a":
            self._links.append((values.get("href") or "", len(self._out)))
        elif tag == "img":
            self._emit(values.get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in _SKIPPED and self._skip > 0
        self._pre -= tag == "pre" and self._pre > 0
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in ("td", "th"):
            self.handle_data(" ")
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        self._block(tag)

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        if not self._pre:
            data = re.sub(r"\s+", " ", data)
            if self._owed or not self._out or self._out[-1].endswith((" ", "\n")):
                data = data.lstrip()
        self._emit(data)

    def text(self) -> str:
        lines = "".join(self._out).strip().split("\n")
        return "\n".join(line.rstrip() for line in lines) + "\n" if lines != [""] else ""

    def _block(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._owe(2 if tag in _SPACED and not self._lists else 1)

    def _owe(self, lines: int) -> None:
        if not self._after_bullet:
            self._owed = max(self._owed, lines)

    def _emit(self, text: str) -> None:
        if not text:
            return
        if self._out:
            self._out.append("\n" * self._owed)
        self._owed, self._after_bullet = 0, False
        self._out.append(text)

    def _bullet(self) -> str:
        indent = "  " * (len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _end_link(self, href: str, start: int) -> None:
        words = "".join(self._out[start:]).strip()
        if href and not href.startswith("#") and href.removeprefix("mailto:") != words:
            self._emit(f" ({href})" if words else href)
