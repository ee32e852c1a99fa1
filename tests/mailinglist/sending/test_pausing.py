"""A pause, a cancellation or the end of the process reaches the mails that wait for a slow SES."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.sending import engine, hub, sender
from mailinglist.sending.bulk import Bulk
from mailinglist.sending.messages import Mail
from mailinglist.sending.outcomes import Accepted, Outcome
from mailinglist.sending.transport import Raw, Transport
from tests.mailinglist.sending.helpers import started, states
from tests.mailinglist.sending.test_bulk import client_error

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rung", "unlimited_pace")]


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sender, "_learnt", {})
    monkeypatch.setattr(engine, "LOOK_SECONDS", 0.2)
    yield
    engine.stopping.clear()


class SlowSES:
    """Answers after so many seconds; keeps when each post began."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun: list[float] = []
        self.first = threading.Event()

    def __call__(self, mail: Mail) -> Outcome:
        self.begun.append(time.monotonic())
        self.first.set()
        parking: hub.Parking[None] = hub.Parking()
        hub.asyncio.get_running_loop().call_later(self.seconds, parking.give, None)
        parking.wait()
        return Accepted(f"m-{mail.to[0]}")

    def late(self, since: float, seconds: float) -> int:
        """How many posts began more than so many seconds after ``since``."""
        return sum(begun > since + seconds for begun in self.begun)


def run(campaign_id: int, transport: Transport, ses: SlowSES, then: Callable[[], Any]) -> float:
    """Run until ``then``, which comes soon after the first post, has its effect; when it was over."""
    over: list[float] = []

    def act() -> None:
        ses.first.wait(10)
        try:
            then()
        finally:
            over.append(time.monotonic())
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    engine.run(campaign_id, transport=transport)
    thread.join()
    return over[0]


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_rows_that_wait_for_a_slow_ses_learn_of_a_pause_and_of_a_cancellation(act: str) -> None:
    campaign, ses = started(60), SlowSES(2.0)

    def pause() -> None:
        lifecycle.pause(campaign.pk, reason="manager", text="A manager paused it.", by=SYSTEM)

    def cancel() -> None:
        lifecycle.cancel(campaign.pk, by=SYSTEM)

    over = run(campaign.pk, Raw(ses), ses, pause if act == "pause" else cancel)
    assert ses.late(over, 1.5) == 0
    left = "queued" if act == "pause" else "cancelled"
    found = [state for state, _ in states(campaign)]
    assert set(found) == {"sent", left} and found.count("sent") == len(ses.begun)


def refuse(body: bytes) -> dict[str, Any]:
    """SES does not like the call."""
    raise client_error("BadRequestException", 400, "Something about one entry.")


@pytest.mark.parametrize("act", ["pause", "end"])
def test_single_mails_of_a_bulk_call_that_was_refused_stop_too(act: str) -> None:
    campaign, ses = started(30), SlowSES(0.3)
    stop = (
        engine.stopping.set
        if act == "end"
        else lambda: lifecycle.pause(campaign.pk, reason="manager", text="x", by=SYSTEM)
    )
    over = run(campaign.pk, Bulk(refuse, ses), ses, stop)
    assert ses.late(over, 2) == 0
    found = [state for state, _ in states(campaign)]
    assert set(found) == {"sent", "queued"} and found.count("sent") == len(ses.begun)


def test_single_mails_of_a_bulk_call_stop_with_the_lease(settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    campaign, ses = started(10), SlowSES(0.3)
    engine.run(campaign.pk, transport=Bulk(refuse, ses), seconds=0.2)
    found = [state for state, _ in states(campaign)]
    assert found.count("sent") == len(ses.begun) <= 3 and found.count("queued") == 10 - len(ses.begun)
