"""PURE. A stored notification → what it says, with the verdict on each event, whether it is JSON of SES or a mail.

Called by the pipeline. Mail is unauthenticated: only bounces, complaints and delays that return our signed header can
belong to a delivery, and never by SES's message id, which anybody may have read. Everything else that comes by mail
is kept with its verdict and concerns nobody.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bounces import dsn, events, sources
from bounces.classify import classify
from bounces.events import ACTION, MTA, RECIPIENT, STATUS, TEXT, TYPE, EventFacts, counted, dedupe_key
from bounces.mail.report import UNSUBSCRIBE, Finding, MailReport
from bounces.ses_json import clean
from bounces.verdicts.facts import BounceFacts, Verdict
from bounces.verdicts.judge import judge
from bounces.verdicts.mails import judge_findings

#: Mailed reports that may belong to a delivery. A delay is shown with it; it acts on nobody, whoever reports it.
_OURS = frozenset({"bounce", "complaint", "delay"})
#: The tag of a fact that holds the token of a mail that asks to leave a list. Tags are not stored.
LEAVING_TAG = "unsubscribe"
#: A Date before this is no date of a mail.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judged:
    """One event and what it means."""

    fact: EventFacts
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reading:
    """What a notification says; or ``unparsed``, the sentence for the quarantine."""

    judged: Sequence[Judged] = ()
    unparsed: str = ""


def of_json(raw: bytes) -> Reading:
    """What a notification of SES says."""
    parsed = events.parse(raw)
    return Reading([Judged(fact, classify(fact)) for fact in parsed.events], parsed.unparsed)


def of_mail(raw: bytes, *, received_at: datetime, unsubscribe_mailbox: str = "") -> Reading:
    """What a mail says. Its events are as old as its Date, which is not believed where it lies in the future."""
    report = dsn.read(raw, unsubscribe_mailbox=unsubscribe_mailbox)
    if report.problem:
        return Reading(unparsed=report.problem)
    if report.document:
        return _of_document(report.document)
    sent_at = report.sent_at or received_at
    at = sent_at if _EARLIEST <= sent_at < received_at else received_at
    identity = f"{report.message_id or _digest(raw)} {report.our_header} {at.isoformat()}"
    judged = _of_findings(report, at, identity) if report.findings else [_of_answer(report, at, identity)]
    facts = counted([each.fact for each in judged])
    return Reading([replace(each, fact=fact) for each, fact in zip(judged, facts, strict=True)])


def _of_document(document: bytes) -> Reading:
    """SNS by e-mail, which nobody proved: without SES's message id, and with keys of its own, so that a made-up mail
    cannot take the place of the real event.
    """
    found = of_json(sources.unwrap("", document).raw)
    return Reading([replace(each, fact=_unproven(each.fact)) for each in found.judged], found.unparsed)


def _unproven(fact: EventFacts) -> EventFacts:
    named = fact.tags.get("delivery", ""), fact.our_header
    key = dedupe_key(fact.kind, f"mail {fact.dedupe_key} {named}", fact.recipient)
    if fact.kind in _OURS:
        return replace(fact, message_id="", dedupe_key=key)
    return replace(fact, message_id="", dedupe_key=key, our_header="", tags={})


def _of_findings(report: MailReport, at: datetime, identity: str) -> list[Judged]:
    return [
        Judged(_fact(finding.recipient, finding.facts, report, at, identity, context=finding), verdict)
        for finding, verdict in zip(report.findings, judge_findings(report.findings), strict=True)
    ]


def _of_answer(report: MailReport, at: datetime, identity: str) -> Judged:
    """An automatic reply, a challenge, a receipt, a wish to leave, an ordinary mail: by its sender."""
    facts = BounceFacts(report.kind)
    return Judged(_fact(report.sender, facts, report, at, identity), judge(facts))


def _fact(
    recipient: str,
    facts: BounceFacts,
    report: MailReport,
    at: datetime,
    identity: str,
    *,
    context: Finding | None = None,
) -> EventFacts:
    return EventFacts(
        kind=facts.kind,
        occurred_at=at,
        recipient=clean(recipient, RECIPIENT),
        type=clean(facts.type, TYPE),
        action=clean(facts.action, ACTION),
        status=clean(facts.status, STATUS),
        diagnostic=clean(facts.diagnostic or (context.context if context else ""), TEXT),
        mta=clean(facts.provider, MTA),
        dedupe_key=dedupe_key(facts.kind, identity, recipient),
        our_header=report.our_header if facts.kind in _OURS else "",
        tags={LEAVING_TAG: report.token} if facts.kind == UNSUBSCRIBE else {},
    )


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
