"""PURE. What the columns of a subscriber file mean, and each row as a person or as the reason why not.

Called by imports.py; exports.py names its columns by the same table, so that a file goes out and in unchanged
(values without white space around them). Columns that are not known become attributes for merge tags.
"""

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from mailinglist import addresses, signs
from mailinglist.attribute_values import Meaning, stored
from mailinglist.csv_rows import BadRow, Row, UnreadableFile, first_bad_byte, shown, unguarded

#: What an export writes about a subscription and an import does not take back.
NOT_IMPORTED = ("source", "confirmed_at", "unsubscribed_at", "unsubscribe_reason")
#: Marks an attribute whose name is that of a column with a meaning.
ATTRIBUTE = "attribute:"
MAX_NAME = 200
MAX_KEY = 100
# From the least mail to the most: of what the file says and the manager asks for, the least counts.
STATUSES = ("unsubscribed", "pending", "confirmed")
_MEANINGS = {
    "email": "email",
    "e_mail": "email",
    "email_address": "email",
    "e_mail_address": "email",
    "name": "name",
    "language": "language",
    "time_zone": "time_zone",
    "timezone": "time_zone",
    "status": "status",
    "consent_at": "consent_at",
    "consent_ip": "consent_ip",
    **{name: name for name in NOT_IMPORTED},
}
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2,4}))?")
_Parsed = TypeVar("_Parsed")


class Person(NamedTuple):
    """One good row. ``attributes`` holds the cells that say something, under the names of their columns."""

    line: int
    address: addresses.Address
    attributes: dict[str, str]
    status: str
    name: str = ""
    language: str = ""
    time_zone: str = ""
    consent_at: datetime | None = None
    consent_ip: str | None = None


class Columns:
    """The columns of a file. Raises UnreadableFile when none is the address, or two have the same name."""

    def __init__(
        self,
        header: Sequence[str],
        *,
        encoding: str = "utf-8",
        typed: Mapping[str, Meaning] | None = None,
    ) -> None:
        """``typed``: attributes whose values are checked, and written in the one spelling of their kind."""
        self._header = [unguarded(name) for name in header]
        self._encoding = encoding
        for name in self._header:
            self._refuse_name(name)
        self._meanings = [meaning(name) for name in self._header]
        self._refuse_doubles()
        if "email" not in self._meanings:
            raise UnreadableFile(
                "No column is called email. The columns of the file are: "
                + (", ".join(shown(name) for name in self._header if name) or "none")
                + ". Give the one with the addresses that name in the first line."
            )
        self._email = self._meanings.index("email")
        places = {what: place for place, what in enumerate(self._meanings)}
        self._fields = [(what, places[what], parse) for what, parse in _FIELDS.items() if what in places]
        self._attributes = [
            (name.removeprefix(ATTRIBUTE), place)
            for place, name in enumerate(self._header)
            if name and not self._meanings[place]
        ]
        self._typed = [(key, place, typed[key]) for key, place in self._attributes if typed and key in typed]

    @property
    def not_imported(self) -> list[str]:
        """The columns that an import leaves out."""
        return [name for name in self._header if meaning(name) in NOT_IMPORTED]

    def person(self, row: Row, *, status: str, now: datetime) -> Person | BadRow:
        """The row as a person with at most ``status``, or what is wrong with it."""
        try:
            return self._person(row, status=status, now=now)
        except _BadValue as bad:
            return BadRow(row.line, bad.column, shown(bad.value), bad.reason)

    def _person(self, row: Row, *, status: str, now: datetime) -> Person:
        cells = self._cells(row.cells)
        said: dict[str, Any] = {
            what: _parsed(what, cells[place], parse) for what, place, parse in self._fields if cells[place]
        }
        if (consent_at := said.get("consent_at")) and consent_at > now:
            raise _BadValue("consent_at", str(consent_at), "The time of consent is in the future.")
        for key, place, what in self._typed:
            cells[place] = _parsed(key, cells[place], lambda text, what=what: stored(text, what))  # type: ignore[misc]
        return Person(
            line=row.line,
            address=_parsed("email", cells[self._email], addresses.normalise),
            attributes={key: cells[place] for key, place in self._attributes if cells[place]},
            **{**said, "status": min(status, said.get("status", status), key=STATUSES.index)},
        )

    def _cells(self, raw: list[str]) -> list[str]:
        width = len(self._header)
        cells = [cell.strip() for cell in raw[:width]]
        together = "".join(cells)
        if "'" in together:
            cells = [unguarded(cell) for cell in cells]
        if any(raw[width:]):
            reason = (
                f"The row has {len(raw)} values, but there are {width} columns. Is a quote or comma too many?"
            )
            raise _BadValue("", ",".join(raw[width:]), reason)
        if not together.isprintable():
            cells = [self._printable(place, cell) for place, cell in enumerate(cells)]
        return cells + [""] * (width - len(cells))

    def _printable(self, place: int, cell: str) -> str:
        column, what = self._header[place], self._meanings[place]
        byte = first_bad_byte(cell)
        if byte is not None:
            raise _BadValue(column, cell, f"The byte 0x{byte:02X} is not {self._encoding}.{_hint(byte)}")
        if control := signs.first_control(cell, one_line=bool(what)):
            raise _BadValue(column, cell, f"The value has a control character (U+{ord(control):04X}).")
        return cell if what == "email" else signs.visible(cell)

    def _refuse_name(self, name: str) -> None:
        if first_bad_byte(name) is not None or signs.first_control(name):
            raise UnreadableFile(
                f"The column name “{shown(name)}” has signs that are not {self._encoding} text."
            )
        if len(name) > MAX_KEY:
            raise UnreadableFile(f"The column name “{shown(name)}” is longer than {MAX_KEY} characters.")

    def _refuse_doubles(self) -> None:
        found: dict[str, str] = {}
        for name, what in zip(self._header, self._meanings, strict=True):
            key = what or ATTRIBUTE + name.removeprefix(ATTRIBUTE)
            if name and key in found:
                both = f"“{shown(found[key])}” and “{shown(name)}”"
                raise UnreadableFile(f"The columns {both} mean the same. Rename or remove one of them.")
            found[key] = name


def meaning(column: str) -> str | None:
    """What a column of that name holds: a field; None: an attribute."""
    return _MEANINGS.get(re.sub(r"[\s_-]+", "_", column.strip().lower()))


def attribute_column(key: str) -> str:
    """The column name under which an attribute goes out, so that it comes in as the same attribute."""
    return key if key and meaning(key) is None and not key.startswith(ATTRIBUTE) else ATTRIBUTE + key


class _BadValue(ValueError):
    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def _parsed(column: str, text: str, parse: Callable[[str], _Parsed]) -> _Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise _BadValue(column, text, str(error)) from error


def _name(text: str) -> str:
    name = signs.person_name(text)
    if len(name) > MAX_NAME:
        raise ValueError(f"The name is longer than {MAX_NAME} characters.")
    return name


def _language(text: str) -> str:
    found = _LANGUAGE.fullmatch(text)
    if not found:
        raise ValueError(f"“{shown(text)}” is not a language code such as en or de-AT.")
    return "-".join([found[1].lower(), *([found[2]] if found[2] else [])])


def _time_zone(text: str) -> str:
    if text not in _time_zones():
        raise ValueError(f"“{shown(text)}” is not a time zone such as Europe/Berlin.")
    return text


@cache
def _time_zones() -> set[str]:
    return zoneinfo.available_timezones()


def _status(text: str) -> str:
    if text.lower() not in STATUSES:
        raise ValueError(f"The status “{shown(text)}” is not one of {', '.join(reversed(STATUSES))}.")
    return text.lower()


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"“{shown(text)}” is not a time such as 2026-11-24T09:30:00Z.") from error
    if not 1970 < found.year < 9999:
        raise ValueError(f"{found.year} cannot be the year of the consent.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _ip(text: str) -> str:
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise ValueError(f"“{shown(text)}” is not an IP address.") from error
    if isinstance(found, ipaddress.IPv6Address) and found.scope_id:
        raise ValueError(f"“{shown(text)}” is an address inside one network, not where a person came from.")
    return str(found)


def _hint(byte: int) -> str:
    """What the byte is in the encoding that files of Western European Windows programs have."""
    sign = bytes([byte]).decode("cp1252", "ignore")
    return f" In cp1252 it is {sign}; if that is the file's text encoding, choose cp1252." if sign else ""


#: The columns that are read beside the address, in the order of what is reported first.
_FIELDS: dict[str, Callable[[str], Any]] = {
    "name": _name,
    "language": _language,
    "time_zone": _time_zone,
    "status": _status,
    "consent_at": _time,
    "consent_ip": _ip,
}
