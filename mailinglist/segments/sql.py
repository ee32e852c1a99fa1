"""A tree of rules as one condition about the person ``s``, with parameters: the only way a segment is ever asked."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from mailinglist.models import Segment
from mailinglist.segments import rules
from mailinglist.segments.kinds import Condition
from mailinglist.segments.rules import Group, Rule


def condition(part: Rule | Group, now: datetime) -> Condition:
    """True or false for every person, never NULL. ``now`` is what days are counted from."""
    if isinstance(part, Rule):
        _, ask = rules.asked(part.kind, part.ask)
        sql, values = ask.sql(part, now)
        return f"coalesce({sql}, false)", values
    return joined(" AND " if part.match == rules.ALL else " OR ", part.parts, lambda one: condition(one, now))


def of_segment(segment: Segment, now: datetime | None = None) -> Condition:
    """Who is in a stored segment. Raises BadRules where a rule is not known any more."""
    try:
        return condition(rules.read(segment.rules), now or timezone.now())
    except rules.BadRules as bad:
        raise rules.BadRules(f"The segment “{segment}” cannot be used: {bad}") from bad


def joined(sign: str, parts: Any, each: Callable[[Any], Condition]) -> Condition:
    """The conditions of all parts, of which there is at least one, with AND or OR between them."""
    found = [each(part) for part in parts]
    return f"({sign.join(sql for sql, _ in found)})", [value for _, values in found for value in values]
