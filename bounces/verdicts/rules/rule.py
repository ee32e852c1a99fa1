"""PURE. What a rule is: a wording that means a reason, with an example of it and where it was seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bounces.verdicts.text import Prepared


@dataclass(frozen=True, slots=True)
class Rule:
    """``pattern``: a regular expression, searched in folded lower-case text. It must be linear: no
    quantifier inside a quantifier, and every ``.`` with a bound. ``example``: a text it is for; a test runs
    it. ``source``: who writes so. ``statuses``: prefixes of the enhanced status or SMTP code it is limited
    to. ``raw``: the pattern is about a help page's address, and is searched in the text before addresses
    are masked. ``final``: it holds whatever the code says: for good in spite of a temporary one, for now in
    spite of a permanent one.
    """

    pattern: str
    reason: str
    example: str
    source: str
    statuses: tuple[str, ...] = ()
    raw: bool = False
    final: bool = False

    @property
    def compiled(self) -> re.Pattern[str]:
        return _compiled(self.pattern)

    def matches(self, text: Prepared, status: str, code: str) -> bool:
        """Whether the rule is about this text."""
        if self.statuses and not (status.startswith(self.statuses) or code.startswith(self.statuses)):
            return False
        return self.compiled.search(text.raw if self.raw else text.plain) is not None


# Most processes judge no bounce, and all patterns together take as long as a whole request.
_compiled = cache(re.compile)


def first(rules: Sequence[Rule], text: Prepared, status: str, code: str) -> Rule | None:
    """The first rule that matches."""
    return next((rule for rule in rules if rule.matches(text, status, code)), None)
