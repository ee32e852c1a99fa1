"""PURE. The links of a campaign's HTML that clicks can be reported for, and which of them a reported address is.

Called by body.py (the honeypot) and by engagement.py. Amazon SES rewrites the http and https links of a mail and tells
the address that a click led to; a link with a merge tag leads everybody elsewhere, so a click is kept as the number of
its link and never as an address, which could name a person.
"""

import html
import re
from urllib.parse import unquote

from mailinglist import merge

#: Where the link leads that people cannot see. Mails that were sent hold it: keep it.
HONEYPOT_PATH = "/links/nothing-here"
#: The number of the honeypot, and of an address that is no link of the mail (any more).
HONEYPOT, OTHER = -1, 0
#: Of a longer address only so much is kept with an event.
KEPT = 500
#: Encoded characters at the end of it, the last of which may have been cut.
_CUT = re.compile(r"(?:%[0-9A-Fa-f]{0,2})+$")

_ANCHOR = re.compile(r"<a\s([^>]*)>", re.IGNORECASE)
_HREF = re.compile(r'(?:^|\s)href="([^"]*)"', re.IGNORECASE)
_OWN = ("unsubscribe_url", "preferences_url")


class Links:
    """The links of one version, numbered from 1 in the order in which they stand, each address once."""

    def __init__(self, version_html: str) -> None:
        self.addresses = tuple(dict.fromkeys(_tracked(version_html)))
        self._numbers = {_plain(address): number for number, address in enumerate(self.addresses, start=1)}
        with_tags = [
            (number, address) for number, address in enumerate(self.addresses, start=1) if merge.tags(address)
        ]
        # The one that says most about the address first: a link that is a tag and nothing else fits everything.
        with_tags.sort(key=lambda found: len(_literal(found[1])), reverse=True)
        self._patterns = [(_pattern(address), number) for number, address in with_tags]

    def number(self, address: str) -> int:
        """The number of the link that led to ``address``; HONEYPOT or OTHER where it is none of them."""
        plain = _plain(address)
        if plain.endswith(HONEYPOT_PATH):
            return HONEYPOT
        if found := self._numbers.get(plain):
            return found
        if len(address) >= KEPT:
            begin = _plain(_CUT.sub("", address[:KEPT]))
            cut = [number for whole, number in self._numbers.items() if whole.startswith(begin)]
            if len(cut) == 1:
                return cut[0]
        whole = unquote(address.strip())
        return next((number for pattern, number in self._patterns if pattern.fullmatch(whole)), OTHER)

    def address(self, number: int) -> str:
        """The address of a link as it was written, with its tags; "" for OTHER."""
        return self.addresses[number - 1] if 0 < number <= len(self.addresses) else ""


def _tracked(version_html: str) -> list[str]:
    found = []
    for anchor in _ANCHOR.finditer(version_html):
        attributes = anchor[1]
        href = _HREF.search(attributes)
        if href is None or "ses:no-track" in attributes:
            continue
        address = html.unescape(href[1]).strip()
        tags = merge.tags(address)
        if address.endswith(HONEYPOT_PATH) or tags.intersection(_OWN):
            continue
        if address.lower().startswith(("http://", "https://", "{{")):
            found.append(address)
    return found


def _plain(address: str) -> str:
    """Two spellings of one address alike: SES may encode a character, or put a slash behind a host."""
    return unquote(address.strip()).rstrip("/")


def _literal(address: str) -> str:
    return _plain("".join(piece for piece in _pieces(address)))


def _pattern(address: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(unquote(piece)) for piece in _pieces(address)) + "/?", re.DOTALL)


def _pieces(address: str) -> list[str]:
    pieces, position = [], 0
    for tag in merge.find(address):
        pieces.append(address[position : tag.start()])
        position = tag.end()
    return [*pieces, address[position:]]
