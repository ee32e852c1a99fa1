"""PURE. Verdicts on what a mail reports. Where the server's own words say nothing, the words around them
are asked.
"""

from dataclasses import replace

from bounces.mail.report import Finding
from bounces.verdicts.facts import Verdict
from bounces.verdicts.judge import is_full, judge
from bounces.verdicts.reasons import verdict
from bounces.verdicts.text import code_in

_UNCLEAR = frozenset({"unclear", "temporary"})


def judge_findings(findings: tuple[Finding, ...]) -> list[Verdict]:
    """The verdicts on the recipients of a mailed report, in their order."""
    return [_judge(finding, alone=len(findings) == 1) for finding in findings]


def _judge(finding: Finding, *, alone: bool) -> Verdict:
    first = judge(finding.facts)
    if not finding.context or finding.facts.kind not in ("bounce", "delay"):
        return first
    if first.kind == "hard" and alone and is_full(finding.context):
        # Two voices in one report: the one that spares the person is believed.
        return verdict("mailbox-full")
    if first.reason not in _UNCLEAR:
        return first
    context = " ".join(finding.context.split())
    second = judge(replace(finding.facts, diagnostic=context, code=finding.facts.code or code_in(context)))
    return first if second.reason == "unclear" else second
