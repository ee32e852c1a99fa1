"""The tree of a segment: groups of rules and groups, of which all or any must hold. JSON in, checked tree out.

Nothing of a rule is ever part of a statement: kinds and questions are looked up, and values are parameters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mailinglist import attribute_values, signs
from mailinglist.segments import kinds
from mailinglist.segments.kinds import CHOICE, DATE, DAYS, NOTHING, NUMBER, Ask, Kind

ALL, ANY = "all", "any"
#: Groups within groups, rules in all, characters of a value, days.
MAX_DEPTH, MAX_RULES, MAX_VALUE, MAX_DAYS = 4, 40, 200, 3650
_LARGEST_ID = 2**63 - 1


class BadRules(ValueError):
    """These are no rules of a segment; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One question about a person. ``value`` is of the type that the question takes: "" for none."""

    kind: str
    ask: str
    key: str = ""
    value: str | int = ""


@dataclass(frozen=True, slots=True)
class Group:
    """``match`` of its parts must hold: all or any."""

    match: str
    parts: "tuple[Rule | Group, ...]"


def read(data: Any) -> Group:
    """The tree in ``data``. Raises BadRules."""
    tree = _group(data, depth=1)
    if sum(1 for _ in walk(tree)) > MAX_RULES:
        raise BadRules(f"A segment has {MAX_RULES} rules at most. Make two segments of it.")
    return tree


def as_json(part: Rule | Group) -> dict[str, Any]:
    """What ``read`` reads."""
    if isinstance(part, Group):
        return {"match": part.match, "parts": [as_json(inner) for inner in part.parts]}
    found: dict[str, Any] = {"rule": part.kind, "ask": part.ask}
    if part.key:
        found["key"] = part.key
    if part.value != "":
        found["value"] = part.value
    return found


def walk(part: Rule | Group) -> Iterator[Rule]:
    """All rules of the tree."""
    if isinstance(part, Rule):
        yield part
    else:
        for inner in part.parts:
            yield from walk(inner)


def read_rule(data: Any) -> Rule:
    """One rule. Raises BadRules."""
    if not isinstance(data, dict):
        raise BadRules("A rule is missing.")
    kind, ask = asked(data.get("rule"), data.get("ask"))
    key = data.get("key", "")
    if kind.keyed:
        _check_text(key, "The name of the value")
        if not key or len(key) > 100:
            raise BadRules("Name the value that is asked about, in 100 characters at most.")
    return Rule(kind.name, data["ask"], key if kind.keyed else "", _value(data.get("value", ""), ask))


def asked(kind_name: Any, ask_name: Any) -> tuple[Kind, Ask]:
    """The kind and the question of these names. Raises BadRules for what is not registered."""
    kind = kinds.find(kind_name) if isinstance(kind_name, str) else None
    if kind is None:
        raise BadRules("Choose what the rule is about.")
    ask = kind.asks.get(ask_name) if isinstance(ask_name, str) else None
    if ask is None:
        raise BadRules(f"Choose what to ask about: {kind.label}.")
    return kind, ask


def _group(data: Any, depth: int) -> Group:
    if not isinstance(data, dict) or data.get("match") not in (ALL, ANY):
        raise BadRules("Say whether all or any of the rules must hold.")
    parts = data.get("parts")
    if not isinstance(parts, list) or not parts:
        raise BadRules("A group has no rules. Add one, or remove the group.")
    if depth > MAX_DEPTH:
        raise BadRules(f"Groups can stand in each other {MAX_DEPTH} deep at most.")
    if len(parts) > MAX_RULES:
        raise BadRules(f"A segment has {MAX_RULES} rules at most. Make two segments of it.")
    return Group(
        data["match"],
        tuple(
            _group(part, depth + 1) if isinstance(part, dict) and "match" in part else read_rule(part)
            for part in parts
        ),
    )


def _value(value: Any, ask: Ask) -> str | int:
    if ask.takes == NOTHING:
        return ""
    if ask.takes in (DAYS, CHOICE):
        return _whole(value, ask)
    if not isinstance(value, str) or not value.strip():
        raise BadRules("Write a value.")
    _check_text(value, "The value")
    if len(value) > MAX_VALUE:
        raise BadRules(f"A value has {MAX_VALUE} characters at most.")
    try:
        if ask.takes == NUMBER:
            return attribute_values.number(value.strip())
        return attribute_values.day(value.strip()) if ask.takes == DATE else value.strip()
    except ValueError as bad:
        raise BadRules(str(bad)) from bad


def _whole(value: Any, ask: Ask) -> int:
    most, sentence = (
        (MAX_DAYS, f"Write a number of days from 1 to {MAX_DAYS}.")
        if ask.takes == DAYS
        else (_LARGEST_ID, "Choose one.")
    )
    # A bool is an int to Python, and digits of other scripts are digits to int().
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise BadRules(sentence)
    return int(text)


def _check_text(value: Any, what: str) -> None:
    if (
        not isinstance(value, str)
        or not signs.is_text(value)
        or signs.first_control(value, one_line=True) is not None
    ):
        raise BadRules(f"{what} has signs that are no text.")
