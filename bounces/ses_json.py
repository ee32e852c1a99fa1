"""Reading JSON that others wrote: what is missing is empty, what is of a wrong type is named. Pure.

Used by ``events`` for the documents of SES and by ``sns`` for envelopes. Every text that ``Fields`` gives can
be stored in PostgreSQL: no NUL, no half surrogate pair, no longer than asked for.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

#: SNS carries 256 KB at most; a file may hold a larger document, but no event is as large as this.
MAX_BYTES = 1024 * 1024
#: SES takes 50 recipients a mail; a longer list than this is not from SES.
MAX_ITEMS = 1000
#: Event times outside of these are no times of mails, and later arithmetic with them would overflow.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_TYPES = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
}


class Wrong(ValueError):
    """The document cannot be used; the message is the sentence for the quarantine."""


def loads(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw`` (UTF-8, with or without a byte order mark). Raises Wrong."""
    if len(raw) > MAX_BYTES:
        raise Wrong(f"It has {len(raw)} bytes; {MAX_BYTES} are the most that are read.")
    try:
        found = json.loads(
            raw.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_without_duplicates
        )
    except Wrong:
        raise
    except UnicodeDecodeError as error:
        raise Wrong(f"It is not UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError as error:
        raise Wrong("Its JSON is nested too deeply.") from error
    except ValueError as error:
        raise Wrong(f"It is not JSON: {str(error)[:200]}.") from error
    if not isinstance(found, dict):
        raise Wrong(f"It is {_type_name(found)}, not a JSON object.")
    return found


def clean(value: str, limit: int) -> str:
    """At most ``limit`` characters of ``value``, all of which PostgreSQL takes."""
    return value[:limit].replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


class Fields:
    """One object of a document. ``path`` is what sentences call it, empty for the document itself."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values, self._path = values, path

    def text(self, name: str, limit: int) -> str:
        """The text, cut to ``limit`` characters; "" when missing or null. Raises Wrong for another type."""
        value = self._values.get(name)
        if value is None:
            return ""
        return clean(value, limit) if isinstance(value, str) else self._wrong(name, value, "text")

    def needed(self, name: str, limit: int) -> str:
        """Like ``text``, but raises Wrong when there is none."""
        return self.text(name, limit) or self._missing(name)

    def time(self, name: str) -> datetime | None:
        """The ISO 8601 time in UTC; None when missing or null. Raises Wrong for what is no time of a mail."""
        value = self.text(name, 100)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            raise Wrong(f"{self._name(name)} is not a time: {value!r}.") from error
        if not _EARLIEST <= found < _LATEST:
            raise Wrong(f"{self._name(name)} is no time of a mail: {value!r}.")
        return found

    def object(self, name: str) -> "Fields":
        """The object inside. Raises Wrong when it is missing or not an object."""
        value = self._values.get(name)
        if value is None:
            self._missing(name)
        return (
            Fields(value, self._name(name))
            if isinstance(value, dict)
            else self._wrong(name, value, "an object")
        )

    def objects(self, name: str) -> "list[Fields]":
        """The objects of a list; [] when missing. Raises Wrong for anything else in it."""
        return [self._as_object(f"{name}[{index}]", value) for index, value in enumerate(self._list(name))]

    def texts(self, name: str, limit: int) -> list[str]:
        """The texts of a list, each once, in order; [] when missing. Raises Wrong for anything else in it."""
        found = dict.fromkeys(
            clean(value, limit) if isinstance(value, str) else self._wrong(f"{name}[{index}]", value, "text")
            for index, value in enumerate(self._list(name))
        )
        return [value for value in found if value]

    def firsts(self, name: str, limit: int) -> dict[str, str]:
        """``{"tag": ["value", …]}`` as tag → first value; what has another shape is left out."""
        values = self._values.get(name)
        if not isinstance(values, dict):
            return {}
        firsts = ((key, value[0]) for key, value in values.items() if isinstance(value, list) and value)
        return {clean(key, limit): clean(value, limit) for key, value in firsts if isinstance(value, str)}

    def header(self, name: str, limit: int) -> str:
        """The first header of this name in ``headers``; "" when there is none that can be read."""
        headers = self._values.get("headers")
        for header in headers if isinstance(headers, list) else []:
            if isinstance(header, dict) and str(header.get("name")).lower() == name.lower():
                value = header.get("value")
                return clean(value, limit) if isinstance(value, str) else ""
        return ""

    def notes(self, *names: str) -> dict[str, str | int]:
        """Texts and whole numbers that are only shown to people; anything else is left out."""
        found: dict[str, str | int] = {}
        for name in names:
            value = self._values.get(name)
            if isinstance(value, str) and (text := clean(value, 500)):
                found[name] = text
            elif type(value) is int and abs(value) < 2**53:
                found[name] = value
        return found

    def _as_object(self, name: str, value: Any) -> "Fields":
        if not isinstance(value, dict):
            self._wrong(name, value, "an object")
        return Fields(value, self._name(name))

    def _list(self, name: str) -> list[Any]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong(name, value, "a list")
        if len(value) > MAX_ITEMS:
            raise Wrong(f"{self._name(name)} has {len(value)} entries; the most are {MAX_ITEMS}.")
        return value

    def _name(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _missing(self, name: str) -> NoReturn:
        raise Wrong(f"{self._name(name)} is missing.")

    def _wrong(self, name: str, value: Any, wanted: str) -> NoReturn:
        raise Wrong(f"{self._name(name)} is {_type_name(value)}, not {wanted}.")


def _type_name(value: object) -> str:
    return "null" if value is None else _TYPES[type(value)]


def _no_constant(name: str) -> NoReturn:
    raise Wrong(f"It has the number {name}, which is not JSON.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may each take another one of two values: such a document is not believed."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Wrong(f"The name {clean(twice, 60)!r} is there twice in one object.")
    return found
