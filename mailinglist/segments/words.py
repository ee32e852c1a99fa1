"""A segment in words, for lists and for the history."""

from mailinglist.models import Attribute
from mailinglist.segments import rules
from mailinglist.segments.questions import choices_of
from mailinglist.segments.rules import Group, Rule


def sentence(tree: Group) -> str:
    """For example: City is exactly “Rome” and (has the tag “vip” or never opened a mail)."""
    labels = dict(Attribute.objects.values_list("key", "label"))
    return f"{_part(tree, labels, outermost=True)}."


def _part(part: Rule | Group, labels: dict[str, str], *, outermost: bool = False) -> str:
    if isinstance(part, Rule):
        return _rule(part, labels)
    sign = " and " if part.match == rules.ALL else " or "
    text = sign.join(_part(inner, labels) for inner in part.parts)
    return text if outermost or len(part.parts) == 1 else f"({text})"


def _rule(rule: Rule, labels: dict[str, str]) -> str:
    kind, ask = rules.asked(rule.kind, rule.ask)
    value: object = rule.value
    if kind.choices:
        value = dict(choices_of(kind, rule.value)).get(int(rule.value), rule.value)
    subject = labels.get(rule.key, rule.key) if kind.keyed else ""
    if kind.name == "joined":
        subject = kind.label.lower()
    text = f"{subject} {ask.label}".strip()
    if "…" in text:
        return text.replace("…", str(value))
    return f"{text} “{value}”" if value != "" else text
