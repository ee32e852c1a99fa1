"""PURE. What a manager should look at again in a mail: subject, pictures, links. Nothing here ever forbids sending.

Called by problems.py.
"""

import html
import re

_MONEY = (
    "$$$", "€€€", "100% free", "act now", "buy now", "cash bonus", "cheap", "click here", "credit card", "double your",
    "earn money", "extra income", "free money", "get rich", "guaranteed", "limited time", "make money", "million dollars",
    "no risk", "prize", "risk-free", "urgent", "winner", "you have won",
)  # fmt: skip
_TAG = re.compile(r"<(img|a)(?=[\s>])((?:[^>\"]|\"[^\"]*\")*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?:^|\s)([a-z:-]+)(?:=\"([^\"]*)\")?", re.IGNORECASE)
_MERGE_TAG = re.compile(r"\{\{.*?\}\}")


def of_subject(subject: str) -> list[str]:
    """What makes filters and people take a subject for spam."""
    words = _MERGE_TAG.sub("", subject)
    letters = [letter for letter in words if letter.isalpha() and letter.lower() != letter.upper()]
    found = []
    if len(letters) >= 8 and sum(letter.isupper() for letter in letters) > 0.7 * len(letters):
        found.append("The subject SHOUTS: write it in small letters.")
    if "!!" in words or words.count("!") > 2:
        found.append("The subject has many exclamation marks. One is enough.")
    plain = words.lower()
    money = [word for word in _MONEY if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", plain)]
    if money:
        named = ", ".join(f"“{word}”" for word in money)
        found.append(f"Filters know {named} in subjects from spam. Say it in other words.")
    if re.match(r"\s*(re|fwd?|aw|wg)\s*:", plain):
        found.append("The subject looks like an answer to a mail that nobody wrote.")
    return found


def of_html(page: str, *, ours: str) -> list[str]:
    """Pictures without a description, and links that are not secure. ``page``: compiled HTML; ``ours``: where our own
    links begin, which nobody wrote."""
    without, insecure = 0, []
    for tag in _TAG.finditer(page):
        values = {found[1].lower(): html.unescape(found[2] or "") for found in _ATTRIBUTE.finditer(tag[2])}
        if tag[1].lower() == "img":
            without += not values.get("alt", "").strip() and values.get("role") != "presentation"
            address = values.get("src", "")
        else:
            address = values.get("href", "")
        if address.lower().startswith("http://") and not address.startswith(ours):
            insecure.append(address)
    found = []
    if without:
        begin = "A picture has" if without == 1 else f"{without} pictures have"
        found.append(f"{begin} no description. Write what is to be seen: ![a green bean](https://…).")
    for address in dict.fromkeys(insecure):
        found.append(f"{address[:120]} is not secure: write https:// if it has that.")
    return found
