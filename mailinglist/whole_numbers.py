"""PURE. Numbers that come in an address or a form, where anybody can write anything. Called by the staff pages.

``str.isdigit`` and ``int`` disagree about them ("²"), ``int`` refuses more than 4300 digits, and PostgreSQL
has no place for more than 63 bits.
"""

import re

#: The largest number of a row in PostgreSQL (bigint).
LARGEST = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,19}")


def whole_number(text: str | None) -> int:
    """The number that ``text`` writes in plain digits, up to LARGEST; 0, which no row has, for all else."""
    if text is None or not _DIGITS.fullmatch(text):
        return 0
    number = int(text)
    return number if number <= LARGEST else 0
