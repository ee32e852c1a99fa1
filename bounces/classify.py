"""PURE. The verdict on one event: what the pipeline asks. The rules are in ``bounces.verdicts``."""

from typing import TYPE_CHECKING

from bounces.verdicts.facts import BounceFacts, Verdict
from bounces.verdicts.judge import judge

if TYPE_CHECKING:
    from bounces.events import EventFacts

__all__ = ["Verdict", "classify", "facts_of"]


def classify(event: "EventFacts") -> Verdict:
    """What an event means. ``kind`` has at most 14 characters, ``reason`` at most 60. Never raises."""
    return judge(facts_of(event))


def facts_of(event: "EventFacts") -> BounceFacts:
    """The part of an event that a verdict depends on."""
    return BounceFacts(
        kind=event.kind,
        type=event.type,
        subtype=event.subtype,
        action=event.action,
        status=event.status,
        diagnostic=event.diagnostic,
        domain=event.recipient.rpartition("@")[2],
    )
