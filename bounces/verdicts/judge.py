"""PURE. The order in which the evidence is asked. Called by ``bounces.classify`` and by ``classify_bounces``.

1. Reports that need no judgement, and mails that SES itself did not send.
2. What the receiving server wrote: the provider's own table, then the general wordings.
3. SES's type and subtype.
4. The enhanced status. A bare 5.0.0 decides nothing.
A refusal that the server calls temporary (4xx) is never hard.
"""

from bounces.verdicts import ses_types
from bounces.verdicts.facts import BounceFacts, Verdict
from bounces.verdicts.reasons import REASONS, verdict
from bounces.verdicts.rules import GENERAL, PROVIDERS
from bounces.verdicts.rules.capacity import FULL
from bounces.verdicts.rules.names import NAMES
from bounces.verdicts.rules.providers import provider_of
from bounces.verdicts.rules.rule import first
from bounces.verdicts.rules.transport import FULL_DISK
from bounces.verdicts.statuses import reason_of
from bounces.verdicts.text import Prepared, code_in, phase_in, prepare, status_in


def judge(facts: BounceFacts) -> Verdict:
    """What one report about one recipient means. Never raises, whatever the texts are."""
    settled = ses_types.SETTLED.get(facts.kind)
    if settled:
        return verdict(settled)
    if facts.subtype in ses_types.NOT_SENT:
        return verdict(ses_types.NOT_SENT[facts.subtype])
    if facts.kind == "complaint":
        return verdict(ses_types.COMPLAINTS.get(_feedback_type(facts.type), "other-report"))
    if facts.kind == "delay":
        return _delay(facts)
    if facts.kind == "bounce":
        return verdict(_bounce(facts))
    return verdict("unheard-of")


def _feedback_type(text: str) -> str:
    """Without the comments and parameters that some programs write behind it."""
    return text.lower().partition("(")[0].partition(";")[0].strip()


def _delay(facts: BounceFacts) -> Verdict:
    """A delay never acts: whatever its reason would mean for a bounce, the verdict is ``delayed``."""
    reason = ses_types.DELAYS.get(facts.type) or _from_text(facts, prepare(facts.diagnostic)) or "temporary"
    return Verdict(
        "delayed", reason, "The receiving server keeps the mail waiting. It is tried again by itself."
    )


def _bounce(facts: BounceFacts) -> str:
    text = prepare(facts.diagnostic)
    if _is_out_of_office(facts, text):
        return "auto-reply"
    return _from_text(facts, text) or _from_type(facts, text) or _from_status(facts, text)


def _is_out_of_office(facts: BounceFacts, text: Prepared) -> bool:
    # SES reports out-of-office notes as a bounce of this type without anything that a bounce would have.
    return (facts.type, facts.subtype) == ("Transient", "General") and not (facts.action or text.raw)


def _from_text(facts: BounceFacts, text: Prepared) -> str:
    if not text.raw:
        return ""
    if text.raw in NAMES:
        return NAMES[text.raw]
    status, code = status_of(facts, text), facts.code or code_in(text.raw)
    provider = provider_of(facts.provider, facts.domain, text.raw)
    rule = first(PROVIDERS.get(provider, ()), text, status, code) or first(GENERAL, text, status, code)
    if rule is None:
        return ""
    if rule.reason in _ABOUT_RECIPIENT and (status in _ABOUT_SENDER or _phase(facts, text) == "mail"):
        return "sender-refused"
    if rule.reason in _ABOUT_RECIPIENT and not rule.final and (status or code).startswith("4"):
        return "connection" if rule.reason == "domain-not-found" else "temporary"
    if rule.reason == "user-unknown" and status == "5.2.1":
        # RFC 3463: the mailbox is there, but switched off. Two voices; the one that spares the person is
        # believed.
        return "mailbox-disabled"
    if rule.reason == "temporary" and not rule.final:
        return reason_of(status) or rule.reason
    return rule.reason


#: Reasons that end with the person being unsubscribed.
_ABOUT_RECIPIENT = frozenset(
    {code for code, reason in REASONS.items() if reason.verdict == "hard"} | {"domain-not-found"}
)
#: RFC 3463: the sender's address or system is meant, whatever "address" the text speaks of.
_ABOUT_SENDER = frozenset({"5.1.7", "5.1.8", "4.1.7", "4.1.8"})


def _from_type(facts: BounceFacts, text: Prepared) -> str:
    reason = ses_types.BOUNCE_TYPES.get((facts.type, facts.subtype)) or ses_types.BOUNCE_TYPES.get(
        (facts.type, ""), ""
    )
    if reason and REASONS[reason].verdict == "hard":
        # SES calls every 5xx permanent: a status that speaks of a block or a full mailbox knows better.
        doubt = reason_of(status_of(facts, text))
        return doubt or reason
    return reason


def _from_status(facts: BounceFacts, text: Prepared) -> str:
    status = status_of(facts, text)
    reason = reason_of(status)
    if facts.type and reason and REASONS[reason].verdict == "hard":
        # SES itself did not dare to call it permanent.
        return "unclear"
    if reason:
        return reason
    if by_phase := _PHASES.get(_phase(facts, text)):
        return by_phase
    code = facts.code or code_in(text.raw)
    return "temporary" if code.startswith("4") or status.startswith("4") else "unclear"


#: What a refusal in unknown words most likely is about, by the command that was refused. RCPT says nothing.
_PHASES = {"connect": "blocklist", "helo": "protocol", "mail": "sender-refused", "data": "policy"}


def _phase(facts: BounceFacts, text: Prepared) -> str:
    return facts.phase or phase_in(text.raw)


def status_of(facts: BounceFacts, text: Prepared) -> str:
    """The enhanced status inside the text, because the report's own is often a placeholder; else the
    report's.
    """
    inner = status_in(text.raw)
    if inner and not inner.endswith(".0.0"):
        return inner
    return facts.status or inner


def has_telling_words(facts: BounceFacts) -> bool:
    """Whether the receiving server's own words decide, and not a mere code or SES's label."""
    return bool(_from_text(facts, prepare(facts.diagnostic)))


def is_full(text: str) -> bool:
    """Whether a text speaks of a full mailbox or disk."""
    return first((*FULL, *FULL_DISK), prepare(text), "", "") is not None
