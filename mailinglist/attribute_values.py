"""PURE. A value of a typed attribute: how it is read, checked and written, the same for files and forms.

All kinds are stored as texts in one spelling, so that mails and exports show what was typed: numbers with a point,
dates as YYYY-MM-DD, yes or no, a choice as its definition spells it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

TEXT, NUMBER, DATE, YES_NO, CHOICE = "text", "number", "date", "yes-no", "choice"
#: A number as it is stored; sql.py asks PostgreSQL for the same before it calculates.
NUMBER_PATTERN = r"-?[0-9]{1,30}(\.[0-9]{1,30})?"
DATE_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
#: What counts as yes and as no, in small letters.
YES = ("yes", "true", "1", "y", "on", "ja")
NO = ("no", "false", "0", "n", "off", "nein")
_DATES = (
    (re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"), "2026-11-24"),
    (re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})"), "24.11.2026"),
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an attribute is: its kind, and its choices where it has some."""

    kind: str
    choices: Sequence[str] = ()


def stored(text: str, meaning: Meaning) -> str:
    """What was typed, as it is stored; "" stays "". Raises ValueError with a sentence for people."""
    text = text.strip()
    if not text or meaning.kind == TEXT:
        return text
    return {NUMBER: number, DATE: day, YES_NO: yes_no}.get(
        meaning.kind, lambda typed: choice(typed, meaning.choices)
    )(text)


def number(text: str) -> str:
    """A number with an optional point; a comma is refused, because it means thousands to some."""
    if not re.fullmatch(NUMBER_PATTERN, text):
        raise ValueError(f"“{_short(text)}” is not a number such as 42 or 3.5.")
    return text


def day(text: str) -> str:
    """A date as YYYY-MM-DD. Also reads 24.11.2026; 11/24/2026 and 24/11/2026 are refused, nobody can tell them apart."""
    for pattern, _ in _DATES:
        if found := pattern.fullmatch(text):
            try:
                return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
            except ValueError as bad:
                raise ValueError(f"There is no day “{_short(text)}”.") from bad
    raise ValueError(
        f"“{_short(text)}” is not a date such as {' or '.join(example for _, example in _DATES)}."
    )


def yes_no(text: str) -> str:
    word = text.lower()
    if word in YES:
        return "yes"
    if word in NO:
        return "no"
    raise ValueError(f"“{_short(text)}” is neither yes nor no.")


def choice(text: str, choices: Sequence[str]) -> str:
    """The choice with this name, whatever its capital letters."""
    for found in choices:
        if found.lower() == text.lower():
            return found
    raise ValueError(f"“{_short(text)}” is not one of {', '.join(choices)}.")


def shown(value: object) -> str:
    """A stored value as its field shows it; of old values that are no texts, what PostgreSQL's ->> makes of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
