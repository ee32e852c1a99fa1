"""Which segments ask about something, so that it is not taken away under them. There are few segments: all are read."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from mailinglist.models import Campaign, Segment


def segments_with(kind: str, value: int) -> list[str]:
    """Names of the segments with a rule of that kind about ``value``."""
    rows = Segment.objects.values_list("name", "rules")
    return [name for name, tree in rows if any(_is(rule, kind, value) for rule in _rules(tree))]


def campaigns_with(segment: Segment) -> list[str]:
    """Names of the campaigns that are not over and choose by the segment."""
    found = _choosing_by(segment, ["draft", "scheduled"])
    return list(found.values_list("name", flat=True)[:5])


def scheduled_with(segment: Segment) -> list[int]:
    """The scheduled campaigns that choose by the segment."""
    return list(_choosing_by(segment, ["scheduled"]).order_by("pk").values_list("pk", flat=True))


def _choosing_by(segment: Segment, statuses: list[str]) -> QuerySet[Campaign]:
    rows = Campaign.objects.filter(status__in=statuses)
    return (rows.filter(include_segments=segment) | rows.filter(exclude_segments=segment)).distinct()


def _is(rule: dict[str, Any], kind: str, value: int) -> bool:
    return rule.get("rule") == kind and rule.get("value") == value


def _rules(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for part in tree.get("parts", []):
            yield from _rules(part)
