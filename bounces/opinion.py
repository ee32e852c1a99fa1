"""PURE. What one document means, whatever it is: a notification of SES, a mail, or a row of a CSV of
diagnostics.

Called by ``classify_bounces``. Nothing here acts and nothing here raises: a document that cannot be read
gets an opinion that says so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bounces import dsn, events, sources
from bounces.classify import classify
from bounces.mail.report import MailReport
from bounces.verdicts.facts import BounceFacts, Verdict
from bounces.verdicts.judge import judge
from bounces.verdicts.mails import judge_findings
from bounces.verdicts.reasons import DOMAIN_GONE, verdict


@dataclass(frozen=True, slots=True)
class Opinion:
    """One line of the answer: about one recipient, or about none (None)."""

    file: str
    recipient: str | None
    kind: str
    verdict: str
    reason: str
    status: str
    diagnostic: str
    explanation: str

    def as_dict(self) -> dict[str, str | None]:
        """In the order of the fields."""
        return asdict(self)


def of_document(name: str, raw: bytes) -> list[Opinion]:
    """At least one opinion about every document."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[", b"Successfully validated SNS topic")):
        return _of_notification(name, raw)
    report = dsn.read(raw)
    if report.document:
        return _of_notification(name, report.document)
    return _of_mail(name, report)


def of_row(name: str, row: Mapping[str, str]) -> Opinion:
    """An opinion about a CSV row with the keys ``code``, ``enhanced``, ``text`` and ``provider``; any may
    be missing.
    """
    status = row.get("enhanced", "").strip()
    facts = BounceFacts(
        kind="bounce",
        status=status if status[:2] in ("2.", "4.", "5.") else "",
        code=row.get("code", "").strip(),
        diagnostic=row.get("text", ""),
        provider=row.get("provider", ""),
    )
    return _opinion(name, None, facts, _alone(judge(facts)))


def _of_notification(name: str, raw: bytes) -> list[Opinion]:
    parsed = events.parse(sources.unwrap(name, raw).raw)
    if parsed.unparsed:
        answer = verdict("unreadable")
        return [Opinion(name, None, "unreadable", answer.kind, answer.reason, "", "", parsed.unparsed)]
    found = [
        Opinion(
            file=name,
            recipient=event.recipient or None,
            kind=event.kind,
            verdict=_as_told(event.kind, answer := classify(event)),
            reason=answer.reason,
            status=event.status,
            diagnostic=event.diagnostic,
            explanation=answer.explanation,
        )
        for event in parsed.events
    ]
    return found or [_opinion(name, None, BounceFacts("report"), verdict("report"))]


def _as_told(kind: str, answer: Verdict) -> str:
    """What SES refused to send has failed, but nothing bounced."""
    return "not-a-bounce" if kind == "reject" else answer.kind


def _of_mail(name: str, report: MailReport) -> list[Opinion]:
    if not report.findings:
        facts = BounceFacts(report.kind)
        answer = judge(facts)
        if report.problem:
            answer = Verdict(answer.kind, answer.reason, report.problem)
        return [_opinion(name, None, facts, answer)]
    return [
        _opinion(name, finding.recipient or None, finding.facts, _alone(answer))
        for finding, answer in zip(report.findings, judge_findings(report.findings), strict=True)
    ]


def _alone(answer: Verdict) -> Verdict:
    """A mail or a row is judged by itself: there is no second attempt to wait for, as the pipeline does."""
    return DOMAIN_GONE if (answer.kind, answer.reason) == ("soft", DOMAIN_GONE.reason) else answer


def _opinion(name: str, recipient: str | None, facts: BounceFacts, answer: Verdict) -> Opinion:
    return Opinion(
        file=name,
        recipient=recipient,
        kind=facts.kind,
        verdict=answer.kind,
        reason=answer.reason,
        status=facts.status,
        diagnostic=facts.diagnostic[:1000],
        explanation=answer.explanation,
    )
