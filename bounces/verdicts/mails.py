"""PURE. Verdicts on what a mail reports. Where the server's own words say nothing, the words around them
are asked.
"""

from dataclasses import replace

from bounces.mail.report import Finding
from bounces.verdicts.facts import Verdict
from bounces.verdicts.judge import has_telling_words, is_full, judge
from bounces.verdicts.reasons import REASONS, verdict
from bounces.verdicts.text import code_in

_UNCLEAR = frozenset({"unclear", "temporary"})
#: What the words for people are believed about, where only a code says that the address does not exist. No other
#: reasons: they also stand in what is written below every report.
_SPARING = frozenset(
    {code for code, reason in REASONS.items() if reason.verdict == "block"}
    | {
        "mailbox-full",
        "mailbox-disabled",
        "mailbox-restricted",
        "over-rate",
        "greylisting",
        "message-too-large",
    }
)


def judge_findings(findings: tuple[Finding, ...]) -> list[Verdict]:
    """The verdicts on the recipients of a mailed report, in their order."""
    return [_judge(finding, alone=len(findings) == 1) for finding in findings]


def _judge(finding: Finding, *, alone: bool) -> Verdict:
    first = judge(finding.facts)
    if not finding.context or finding.facts.kind not in ("bounce", "delay"):
        return first
    if first.kind == "hard":
        return _spared(finding, alone=alone) or first
    if first.reason not in _UNCLEAR:
        return first
    second = _judge_context(finding)
    return first if second.reason == "unclear" else second


def _spared(finding: Finding, *, alone: bool) -> Verdict | None:
    """Two voices in one report: the one that spares the person is believed. A server's words about an unknown address
    outweigh those written for people, unless these speak of a full mailbox; its mere code outweighs neither.
    """
    if alone and is_full(finding.context):
        return verdict("mailbox-full")
    if has_telling_words(finding.facts):
        return None
    second = _judge_context(finding)
    return second if second.reason in _SPARING else None


def _judge_context(finding: Finding) -> Verdict:
    context = " ".join(finding.context.split())
    return judge(replace(finding.facts, diagnostic=context, code=finding.facts.code or code_in(context)))
