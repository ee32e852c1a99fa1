"""The whole loop, proven: mails to SES's simulator, and whether their deliveries, bounces and complaints come back.

Called by ``bounce_doctor --self-test``. The mails go through the same queue and workers as all others. Every run uses
addresses of its own, because the bounce suppresses its address here; afterwards these people are removed again.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from bounces import pipeline
from bounces.doctor import Finding, Level
from bounces.models import Event
from mailinglist import lifecycle
from mailinglist.changes import Actor, Kind
from mailinglist.models import Campaign, Delivery, Subscriber

#: Local part → the verdict that must come back.
EXPECTED = {"success": "delivered", "bounce": "hard", "complaint": "complaint"}
DOMAIN = "simulator.amazonses.com"
BY = Actor(Kind.COMMAND, evidence={"command": "bounce_doctor --self-test"})
PART = "self-test"


class CannotTest(ValueError):
    """The self-test cannot begin; the message says what to do first."""


@dataclass(slots=True)
class _Sent:
    name: str
    delivery: Delivery
    verdict: str = ""


def run(
    *, timeout: float, work: Callable[[], object] = pipeline.process_everything, pause: float = 0.5
) -> list[Finding]:
    """Send and wait, at most ``timeout`` seconds. ``work`` is done while waiting. Raises CannotTest."""
    campaign = Campaign.objects.exclude(lists=None).order_by("-pk").first()
    if campaign is None:
        raise CannotTest("Write a campaign with a list first: the self-test sends its text to the simulator.")
    label = secrets.token_hex(4)
    try:
        ids = lifecycle.send_test(campaign.pk, [f"{name}+{label}@{DOMAIN}" for name in EXPECTED], by=BY)
    except lifecycle.CampaignNotReady as error:
        raise CannotTest(f"The newest campaign cannot be sent as it is: {error}") from error
    sent = [_Sent(name, Delivery.objects.get(pk=pk)) for name, pk in zip(EXPECTED, ids, strict=True)]
    end = time.monotonic() + timeout
    try:
        while True:
            work()
            _look(sent)
            if all(EXPECTED[one.name] == one.verdict for one in sent) or time.monotonic() > end:
                return [_finding(one, timeout) for one in sent]
            time.sleep(pause)
    finally:
        Delivery.objects.filter(pk__in=ids).delete()
        Subscriber.objects.filter(email_key__endswith=f"+{label}@{DOMAIN}").delete()


def _look(sent: list[_Sent]) -> None:
    for one in sent:
        one.delivery.refresh_from_db()
        found = Event.objects.filter(delivery=one.delivery).values_list("verdict", flat=True)
        one.verdict = EXPECTED[one.name] if EXPECTED[one.name] in found else ""


def _finding(one: _Sent, timeout: float) -> Finding:
    if one.verdict:
        return Finding(PART, Level.GREEN, f"{one.name}@{DOMAIN}: {one.verdict} came back.")
    state = one.delivery.state
    if state in (Delivery.State.QUEUED, Delivery.State.SENDING):
        return Finding(
            PART,
            Level.RED,
            f"{one.name}@{DOMAIN}: not sent within {timeout:g} seconds.",
            "Is a worker running, and is the pace not used up?",
        )
    return Finding(
        PART,
        Level.RED,
        f"{one.name}@{DOMAIN}: {one.delivery.get_state_display()}, and no {EXPECTED[one.name]} came back within "
        f"{timeout:g} seconds.",
        "Is the topic's subscription to /hooks/ses/ confirmed? See the other findings.",
    )
