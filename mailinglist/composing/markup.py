"""PURE. Markdown, HTML or MJML that somebody wrote → HTML that is safe in a mail and in a preview.

Used by body.py only. Merge tags are carried through as plain words, because Markdown and sanitisers would
read their braces, bars and quotes as markup.
"""

import hashlib
import re
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING

import nh3

from mailinglist import merge
from mailinglist.composing import mjml

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAGS = (nh3.ALLOWED_TAGS | {"center", "font", "style", "u", "s", "section", "main", "footer"}) - {
    "area",
    "map",
}
_LOOK = {
    "style",
    "class",
    "align",
    "valign",
    "bgcolor",
    "width",
    "height",
    "dir",
    "lang",
    "title",
    "role",
    "id",
}
_ATTRIBUTES = deepcopy(nh3.ALLOWED_ATTRIBUTES)
_ATTRIBUTES["*"] = _ATTRIBUTES.get("*", set()) | _LOOK
for _tag, _more in {
    "a": {"name", "target", "ses:no-track", "ses:tags"},
    "img": {"border"},
    "table": {"border", "cellpadding", "cellspacing", "background"},
    "td": {"background", "nowrap"},
    "font": {"color", "face", "size"},
}.items():
    _ATTRIBUTES[_tag] = _ATTRIBUTES.get(_tag, set()) | _more


# Outlook, which lays out with Word, needs the tables that MJML writes into comments for it. Nothing but plain tables is
# kept of those.
_FOR_OUTLOOK = re.compile(
    r"<!--\[if mso \| IE\]>(?:\s|</?(?:table|tr|td)(?:\s+(?!on)[a-z-]+=\"[^\"<>]*\")*\s*>)*<!\[endif\]-->"
)


class TagCarrier:
    """Replaces merge tags by words that occur nowhere else, and puts them back. The same for Outlook's comments."""

    def __init__(self, *texts: str) -> None:
        digest = hashlib.sha256("\0".join(texts).encode(errors="replace")).hexdigest()[:12]
        self._prefix = f"mt{digest}x"
        #: Stands in a template for the content.
        self.place = f"{self._prefix}place"
        self._tags: list[re.Match[str]] = []
        self._comments: list[str] = []

    def carry(self, text: str) -> str:
        for tag in reversed(merge.find(text)):
            text = f"{text[: tag.start()]}{self._prefix}{len(self._tags)}q{text[tag.end() :]}"
            self._tags.append(tag)
        return text

    def restore(self, text: str, *, in_html: bool) -> str:
        def back(found: re.Match[str]) -> str:
            return merge.canonical(self._tags[int(found[1])], in_html=in_html)

        text = re.sub(rf"{self._prefix}c(\d+)q", lambda found: self._comments[int(found[1])], text)
        return re.sub(rf"{self._prefix}(\d+)q", back, text)

    def without_comments(self, html: str) -> str:
        """Carried HTML without the words that stand for comments: for the text part."""
        return re.sub(rf"{self._prefix}c\d+q", "", html)

    def carry_comments(self, html: str) -> str:
        """Compiled MJML with words in place of the comments for Outlook."""

        def away(found: re.Match[str]) -> str:
            self._comments.append(found[0])
            return f"{self._prefix}c{len(self._comments) - 1}q"

        return _FOR_OUTLOOK.sub(away, html)


def from_markdown(text: str) -> str:
    """HTML of CommonMark with tables; HTML in it is shown, not used."""
    return str(_markdown().render(text))


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # slow to import, and only who composes needs it

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def sanitise(html: str) -> str:
    """HTML without scripts, forms, frames, event handlers or odd address schemes; the looks of mails are
    kept.
    """
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "title", "iframe", "object", "svg", "math"},
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        strip_comments=True,
    )


def to_html(text: str, written_as: str, carrier: TagCarrier) -> str:
    """Unsafe HTML of a carried text in one of Campaign.Format. Raises mjml.BadMjml."""
    if written_as == "markdown":
        return from_markdown(text)
    if written_as == "mjml":
        return carrier.carry_comments(mjml.compile(text))
    return text
