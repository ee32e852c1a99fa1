"""The form field for a person's further values: JSON typed by hand, checked as the cells of an import are.

Used by admin/subscribers.py. What passes can be stored (PostgreSQL has no NUL, no half of a surrogate pair and
no NaN), written to a file, and put into a mail.
"""

import json
import math
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from mailinglist import signs
from mailinglist.csv_columns import MAX_KEY
from mailinglist.csv_rows import shown

#: Digits of a whole number; longer ones are identifiers, and belong in quotes.
MAX_DIGITS = 100
_EXAMPLE = '{"city": "London"}'


class ValuesField(forms.JSONField):
    """Cleans to a dict of plain values: texts without control or invisible signs, finite numbers."""

    def to_python(self, value: Any) -> Any:
        """A dict. Raises ValidationError with a sentence."""
        if value in self.empty_values:
            return {}
        try:
            return parse(value)
        except ValueError as bad:
            raise ValidationError(str(bad), code="invalid") from bad

    def bound_data(self, data: Any, initial: Any) -> Any:
        # Shown again as it was typed: what is wrong with it may be that it cannot be read.
        return None if data is None else InvalidJSONInput(data)


def parse(text: str) -> dict[str, Any]:
    """The names and values in ``text``, a JSON object. Raises ValueError with a sentence for who typed it."""
    try:
        values = json.loads(text, parse_int=_whole, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"This cannot be read from line {error.lineno}, character {error.colno} on: {error.msg}. "
            f"Write names and values like {_EXAMPLE}."
        ) from error
    except RecursionError as error:
        raise ValueError(f"There are too many brackets. Write names and values like {_EXAMPLE}.") from error
    if not isinstance(values, dict):
        raise ValueError(f"Write names and values in braces, like {_EXAMPLE}.")
    return {_name(name): _plain(name, value) for name, value in values.items()}


def _name(name: str) -> str:
    if not signs.is_text(name) or signs.first_control(name):
        raise ValueError(f"The name “{shown(name)}” has signs that are no text.")
    if len(name) > MAX_KEY:
        raise ValueError(f"The name “{shown(name)}” is longer than {MAX_KEY} characters.")
    return name


def _plain(name: str, value: Any) -> str | int | float:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"The value of “{shown(name)}” is too large for a number. Put it in quotes.")
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        raise ValueError(f"The value of “{shown(name)}” must be a text or a number.")
    if not signs.is_text(value):
        raise ValueError(f"The value of “{shown(name)}” has half of a character (a lone surrogate).")
    if control := signs.first_control(value):
        raise ValueError(f"The value of “{shown(name)}” has a control character (U+{ord(control):04X}).")
    return signs.visible(value)


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"A number has {len(digits):,} digits. Put it in quotes, so that it is a text.")
    return int(digits)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a number. Put it in quotes, so that it is a text.")
