"""From an accepted mail to its events with their times: delays, reordering and duplicates, all seeded. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sandbox.events import detail
from sandbox.faults import Config, Range
from sandbox.journal import PushEvent
from sandbox.outcomes import Bounce, Complaint, Delay, Delivery, Outcome, Reject, Send, Step, share

DELAY_OF_STEP: dict[type[Any], str] = {
    Send: "send",
    Delivery: "delivery",
    Delay: "delay",
    Bounce: "bounce",
    Complaint: "complaint",
    Reject: "reject",
}
#: A copy is made by SNS (the same MessageId again) or by SES (a new MessageId for the same event).
SNS_COPY = "#sns"


class Fate(NamedTuple):
    """One recipient of the mail: bare address, what happens, and the how-many-eth mail to it this is."""

    recipient: str
    outcome: Outcome
    nth: int


def plan(mail: dict[str, Any], fates: Sequence[Fate], *, sent_at: float, config: Config) -> list[PushEvent]:
    """The events of one mail; ``mail`` is the ``mail`` object they share, ``sent_at`` the time of acceptance.

    One Send event speaks for all recipients, as with SES; everything else is told per recipient.
    """
    events: list[PushEvent] = []
    send_done = False
    for number, fate in enumerate(fates):
        at = sent_at
        for position, step in enumerate(fate.outcome.steps):
            at += _delay(step, fate, position, config)
            if isinstance(step, Send):
                if send_done:
                    continue
                send_done = True
            told = detail(
                step,
                recipient=fate.recipient,
                message_id=mail["messageId"],
                sent_at=sent_at,
                at=at,
                feedback=f"{mail['messageId'][17:53]}-{number:02d}{position:02d}",
            )
            event_id = f"{mail['messageId']}:{number}:{position}"
            late = share(config.seed, "reorder", fate.recipient, fate.nth, position) * config.reorder / 1000
            events.append(PushEvent(event_id, at + late, told, mail))
            events += _copies(events[-1], fate, position, config)
    return events


def _delay(step: Step, fate: Fate, position: int, config: Config) -> float:
    span: Range = config.delays[DELAY_OF_STEP[type(step)]]
    drawn = share(config.seed, "delay", fate.recipient, fate.nth, position)
    return (span[0] + drawn * (span[1] - span[0])) / 1000


def _copies(event: PushEvent, fate: Fate, position: int, config: Config) -> list[PushEvent]:
    drawn = share(config.seed, "duplicates", fate.recipient, fate.nth, position)
    if drawn >= config.duplicates:
        return []
    kind = int(share(config.seed, "copies", fate.recipient, fate.nth, position) * 3)
    suffixes = (("#sns-1",), ("#ses-1",), ("#ses-1", "#ses-2"))[kind]
    return [
        PushEvent(event.event_id + suffix, event.due + 0.05 * number, event.detail, event.mail)
        for number, suffix in enumerate(suffixes, start=1)
    ]
