"""What a run leaves to the next one of its process."""

import time
from typing import Any

import pytest

from mailinglist.sending import hub, sender
from mailinglist.sending.in_flight import START
from mailinglist.sending.outcomes import Accepted
from mailinglist.sending.sender import Call, Sender
from mailinglist.sending.transport import Raw


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "_learnt", {})


def far_away(_: Any) -> Accepted:
    """SES at 20 ms."""
    parking: hub.Parking[None] = hub.Parking()
    sender.asyncio.get_running_loop().call_later(0.02, parking.give, None)
    parking.wait()
    return Accepted("m")


def post(calls: int, most_open: int = 100) -> float:
    """Post so many mails in one run; the seconds it took."""
    began = time.monotonic()
    with Sender(Raw(far_away), most_open=most_open) as run:
        row: Any = object()
        mail: Any = type("Mail", (), {"to": ["ada@post.example"]})()
        run.submit([Call([row], [mail], not_before=0, not_after=began + 60) for _ in range(calls)])
        done = 0
        while done < calls:
            done += len(run.results(1))
    return time.monotonic() - began


def test_a_run_begins_with_as_many_open_calls_as_the_last_one_had_learnt() -> None:
    post(400)
    learnt = sender._learnt[1]
    assert learnt > 2 * START
    with Sender(Raw(far_away), most_open=100) as next_run:
        assert next_run._in_flight.limit == learnt


def test_a_run_with_fewer_rows_in_hand_is_not_given_more() -> None:
    sender._learnt[1] = 90.0
    with Sender(Raw(far_away), most_open=5) as run:
        assert run._in_flight.allowed == 5
