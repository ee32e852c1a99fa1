"""PURE. Which signs a text about a person may hold, the same for files, forms and the staff pages.

Called by csv_columns.py, forms.py, models/validators.py and admin/values_field.py. Refused are control
characters and what is no Unicode text at all; taken away are invisible signs.
"""

import re
import unicodedata

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_BREAKS = re.compile("[\t\n\r\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Invisible signs (category Cf) make two names look alike, or turn around what is written after them. Only the
# joiners stay, which Persian words need.
_JOINERS = "\u200c\u200d"


def first_control(text: str, *, one_line: bool = False) -> str | None:
    """The first control character, with ``one_line`` also tabs and line breaks; None: there is none."""
    if text.isprintable():  # then it holds none of them
        return None
    found = _CONTROLS.search(text) or (_LINE_BREAKS.search(text) if one_line else None)
    return found.group() if found else None


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: half of a surrogate pair, as JSON can name it, cannot."""
    return _SURROGATES.search(text) is None


def visible(text: str) -> str:
    """The text without invisible signs, except the joiners between letters."""
    if text.isprintable():  # then it holds none of them
        return text
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf" or sign in _JOINERS)


def person_name(text: str) -> str:
    """A name as it is stored: without invisible signs, composed (NFC), so that it has one spelling."""
    return unicodedata.normalize("NFC", visible(text)).strip()
