"""What a rule can ask. Each kind has a few questions (Ask); each is a condition in SQL about the person ``s``.

``bounces`` registers its own kinds when it starts, so that this app need not know it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailinglist.segments.rules import Rule

#: A condition with %s for each of its parameters; never NULL is not asked of it (sql.py sees to that).
Condition = tuple[str, list[Any]]
#: What a rule's value can be: nothing, a text, a number or date as attribute_values stores it, a number of days, an id.
NOTHING, TEXT, NUMBER, DATE, DAYS, CHOICE = "", "text", "number", "date", "days", "choice"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. ``sql`` gets the rule and the time that counts as now."""

    label: str
    takes: str
    sql: "Callable[[Rule, datetime], Condition]"


@dataclass(frozen=True, slots=True)
class Kind:
    """What it is about, for example a tag. ``keyed``: about one of the attributes, named by the rule's key."""

    name: str
    label: str
    asks: Mapping[str, Ask]
    keyed: bool = False
    #: id → name of what the value can be, newest or first in the alphabet first.
    choices: Callable[[], Sequence[tuple[int, str]]] | None = None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind. Called while an app starts; the name is what stored rules hold, so it is for ever."""
    _kinds[kind.name] = kind


def find(name: str) -> Kind | None:
    return _kinds.get(name)


def every() -> list[Kind]:
    """In the order of registration."""
    return list(_kinds.values())
