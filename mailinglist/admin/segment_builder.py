"""The rules of a segment as fields of a form, and back. Everything that is typed is in the form itself, so that it works
without a script: each button sends all of it, and the page comes back with one rule more, or one less.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailinglist.models import Attribute
from mailinglist.segments import kinds, rules
from mailinglist.segments.kinds import CHOICE, DATE, DAYS, NOTHING, NUMBER
from mailinglist.segments.questions import choices_of
from mailinglist.segments.rules import BadRules, Group, Rule
from mailinglist.whole_numbers import whole_number

#: Rules and groups that are read from a form: more than a segment may have, so that it can be said.
MAX_NODES = 120
_FIELD = re.compile(r"node-([0-9]{1,3})-(parent|match|about|ask|key|value)")
#: The kind of rule that an attribute is asked by.
_ASKED_AS = {"choice": "attribute-text"}
#: A value that nobody has defined; its name is typed.
OTHER = "attribute-text:"
INPUTS = {NUMBER: "text", DATE: "date", DAYS: "number"}


@dataclass(slots=True)
class Node:
    """A rule or group as it was typed. ``about``: "<kind>" or "<kind>:<key of the attribute>"."""

    number: int
    parent: int | None = None
    match: str = ""
    about: str = ""
    ask: str = ""
    key: str = ""
    value: str = ""
    error: str = ""
    depth: int = 1
    parts: "list[Node]" = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return bool(self.match)

    @property
    def may_nest(self) -> bool:
        return self.depth < rules.MAX_DEPTH

    @property
    def kind(self) -> kinds.Kind | None:
        return kinds.find(self.about.partition(":")[0])

    @property
    def names_its_key(self) -> bool:
        return self.about == OTHER

    @property
    def asks(self) -> list[tuple[str, str]]:
        return [(name, ask.label) for name, ask in self.kind.asks.items()] if self.kind else []

    @property
    def takes(self) -> str:
        """What the value can be, for the template; "" also where no question is chosen."""
        ask = self.kind.asks.get(self.ask) if self.kind else None
        return ask.takes if ask else NOTHING

    @property
    def input_type(self) -> str:
        return INPUTS.get(self.takes, "text")

    @property
    def choices(self) -> list[tuple[str, str]]:
        if self.kind is None or self.takes != CHOICE:
            return []
        return [(str(pk), name) for pk, name in choices_of(self.kind, whole_number(self.value) or None)]


class Builder:
    """The nodes of one form, the first of which is the outermost group."""

    def __init__(self, nodes: dict[int, Node]) -> None:
        self.nodes, self.subjects = nodes, subjects()
        if not nodes or not nodes[min(nodes)].is_group:
            self.nodes = {0: Node(0, match=rules.ALL)}
        self.root = self.nodes[min(self.nodes)]
        self.root.parent = None
        self._attach()

    @classmethod
    def of(cls, tree: Group) -> "Builder":
        """A stored segment, to be edited."""
        nodes: dict[int, Node] = {}

        def add(part: Rule | Group, parent: int | None) -> None:
            number = len(nodes)
            if isinstance(part, Group):
                nodes[number] = Node(number, parent, match=part.match)
                for inner in part.parts:
                    add(inner, number)
                return
            kind = kinds.find(part.kind)
            about = f"{part.kind}:{part.key}" if kind and kind.keyed else part.kind
            nodes[number] = Node(number, parent, about=about, ask=part.ask, value=str(part.value))

        add(tree, None)
        found = cls(nodes)
        found._name_keys()
        return found

    @classmethod
    def new(cls) -> "Builder":
        return cls({0: Node(0, match=rules.ALL), 1: Node(1, 0)})

    @classmethod
    def typed(cls, data: Mapping[str, Any]) -> "Builder":
        """What a form sent, whatever it was."""
        values: dict[int, dict[str, str]] = {}
        for name in data:
            if found := _FIELD.fullmatch(name):
                values.setdefault(int(found[1]), {})[found[2]] = str(data[name])[:500]
        nodes = {}
        for number in sorted(values)[:MAX_NODES]:
            typed = values[number]
            parent, match = typed.get("parent", ""), typed.get("match", "")
            nodes[number] = Node(
                number,
                int(parent) if re.fullmatch("[0-9]{1,3}", parent) else None,
                match=match if match in ("", rules.ALL, rules.ANY) else rules.ALL,
                about=typed.get("about", ""),
                ask=typed.get("ask", ""),
                key=typed.get("key", ""),
                value=typed.get("value", ""),
            )
        return cls(nodes)

    def add(self, group: int, *, nested: bool) -> None:
        """A rule that is empty, alone or in a new group, at the end of the group with this number."""
        if group not in self.nodes or not self.nodes[group].is_group or len(self.nodes) + 2 > MAX_NODES:
            return
        if nested:
            number = self._free()
            self.nodes[number] = Node(number, group, match=rules.ANY)
            group = number
        number = self._free()
        self.nodes[number] = Node(number, group)
        self._attach()

    def remove(self, number: int) -> None:
        """A rule, or a group with all that is in it."""
        if number != self.root.number:
            self.nodes.pop(number, None)
            self._attach()

    def read(self) -> Group:
        """The tree. Raises BadRules; what is wrong with a rule stands beside it then."""
        data = self._data(self.root)
        wrong = [node for node in self.nodes.values() if node.error]
        if wrong:
            raise BadRules(
                "One of the rules is not complete." if len(wrong) == 1 else "Some rules are not complete."
            )
        return rules.read(data)

    def _data(self, node: Node) -> dict[str, Any]:
        node.error = ""
        if node.is_group:
            if not node.parts:
                node.error = "This group has no rules. Add one, or remove the group."
            return {"match": node.match, "parts": [self._data(part) for part in node.parts]}
        kind, _, key = node.about.partition(":")
        key = node.key.strip() if node.names_its_key else key
        data = {"rule": kind, "ask": node.ask, "key": key, "value": node.value}
        try:
            rules.read_rule(data)
        except BadRules as bad:
            node.error = str(bad)
        return data

    def _attach(self) -> None:
        """Parts into their groups; what hangs nowhere, or too deep, is gone."""
        for node in self.nodes.values():
            node.parts = []
        kept = {self.root.number: self.root}
        for number in sorted(self.nodes):
            node = self.nodes[number]
            above = kept.get(node.parent) if node.parent is not None else None
            if node is self.root or above is None or not above.is_group:
                continue
            node.depth = above.depth + 1
            if node.is_group and node.depth > rules.MAX_DEPTH:
                continue
            above.parts.append(node)
            kept[number] = node
            kind = node.kind
            if kind and node.ask not in kind.asks and not node.is_group:
                node.ask = next(iter(kind.asks))
        self.nodes = kept

    def _free(self) -> int:
        return max(self.nodes) + 1

    def _name_keys(self) -> None:
        """Values that are not defined (any more) are asked for by a typed name."""
        known = {value for _, options in self.subjects for value, _ in options}
        for node in self.nodes.values():
            if node.about.startswith(OTHER) and node.about not in known:
                node.key, node.about = node.about.removeprefix(OTHER), OTHER


def subjects() -> list[tuple[str, list[tuple[str, str]]]]:
    """What a rule can be about, by group: attributes by their labels, then everything else."""
    values = [
        (f"{_ASKED_AS.get(row.kind, f'attribute-{row.kind}')}:{row.key}", row.label)
        for row in Attribute.objects.all()
    ]
    others = [(kind.name, kind.label) for kind in kinds.every() if not kind.keyed]
    return [("About the person", others), ("Values", [*values, (OTHER, "Another value …")])]
