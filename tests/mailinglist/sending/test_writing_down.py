"""A run always ends, and a row that cannot be written down, or no database at all, spoils nothing else."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError

from mailinglist.models import Attempt
from mailinglist.sending import engine, hub, messages, pacing, queue, writing_down
from mailinglist.sending.messages import Mail
from mailinglist.sending.outcomes import Accepted, Outcome, Refused, Scope
from mailinglist.sending.transport import Raw
from tests.mailinglist.sending.helpers import FakeSES, started, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung", "unlimited_pace")]


@pytest.fixture
def asked_to_end() -> Iterator[Any]:
    yield engine.stopping.set
    engine.stopping.clear()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """PostgreSQL takes no outcome any more; how many it was asked to take, by try."""
    tries: list[int] = []

    def finish(results: list[object]) -> None:
        tries.append(len(results))
        raise OperationalError("gone")

    monkeypatch.setattr(queue, "finish", finish)
    monkeypatch.setattr(writing_down.connection, "close", lambda: None)
    return tries


@pytest.mark.parametrize("odd", ["x" * 130, "a\0b", "half \ud83d", "same"])
def test_an_answer_that_cannot_be_stored_spoils_only_its_own_row(odd: str) -> None:
    campaign = started(6)
    ses = FakeSES(lambda to: Accepted(odd) if to[:2] in ("p2", "p4") else None)
    assert engine.run(campaign.pk, transport=Raw(ses), seconds=3) == engine.Drained()
    found = states(campaign)
    assert [found[i] for i in (0, 1, 3, 5)] == [("sent", "")] * 4
    aside = ("unknown", "not-stored")
    assert [found[2], found[4]] == ([("sent", ""), aside] if odd == "same" else [aside, aside])
    attempt = Attempt.objects.get(delivery=campaign.deliveries.order_by("pk")[4])
    assert attempt.error_text.startswith("SES answered, but the answer cannot be stored: Accepted(")
    assert len(ses.mails) == 6


def test_while_the_database_is_away_nothing_more_is_posted_and_the_run_ends_with_the_lease(
    settings: Any, away: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    settings.LEASE_SECONDS = 1
    campaign = started(30)
    ses, began = FakeSES(), time.monotonic()
    with pytest.raises(OperationalError, match="gone"):
        engine.run(campaign.pk, transport=Raw(ses), concurrency=4)
    assert time.monotonic() - began < 5
    assert len(ses.mails) <= 4 and len(away) > 2
    assert {state for state, _ in states(campaign)} == {"queued", "sending"}
    assert f"deliveries [{campaign.deliveries.order_by('pk')[0].pk}" in caplog.text


def test_a_process_that_is_asked_to_end_does_not_wait_for_the_database(
    away: list[int], asked_to_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing_down, "STOP_SECONDS", 0.5)
    campaign = started(3)
    ses, began = FakeSES(lambda to: asked_to_end()), time.monotonic()
    with pytest.raises(OperationalError, match="gone"):
        engine.run(campaign.pk, transport=Raw(ses))
    assert time.monotonic() - began < 5


def test_after_the_database_was_away_for_longer_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = started(12)
    finish, tries = queue.finish, []

    def away_for_a_while(results: Any) -> None:
        tries.append(len(results))
        if len(tries) < 4:
            raise OperationalError("gone")
        finish(results)

    monkeypatch.setattr(writing_down, "PAUSES", (0.02,))
    monkeypatch.setattr(queue, "finish", away_for_a_while)
    monkeypatch.setattr(writing_down.connection, "close", lambda: None)
    ses = FakeSES()
    assert engine.run(campaign.pk, transport=Raw(ses), concurrency=4) == engine.More(0, "")
    assert engine.run(campaign.pk, transport=Raw(ses), concurrency=4) == engine.Drained()
    assert {state for state, _ in states(campaign)} == {"sent"} and len(ses.mails) == 12


def test_answers_are_written_down_though_what_follows_from_them_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(pacing, "throttled", broken)
    campaign = started(8)
    slow_down = Refused(Scope.THROTTLE, "throttled", "Maximum sending rate exceeded.", 60)
    with pytest.raises(OperationalError):
        engine.run(campaign.pk, transport=Raw(Far(answer=slow_down)))
    assert {state for state, _ in states(campaign)} == {"queued"}


def test_rows_whose_mails_could_not_be_built_for_want_of_the_database_go_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(messages.Builder, "build", gone)
    campaign = started(3)
    with pytest.raises(OperationalError):
        engine.run(campaign.pk, transport=Raw(FakeSES()))
    assert set(states(campaign)) == {("queued", "not-posted")}


def test_a_post_that_never_ends_does_not_keep_the_run(settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    campaign = started(1)
    began = time.monotonic()
    engine.run(campaign.pk, transport=Raw(Far(seconds=60)), seconds=0.1)
    assert time.monotonic() - began < 5
    assert states(campaign) == [("sending", "")]


class Far:
    """An SES that answers each mail after so many seconds; the further the mail, the later."""

    def __init__(self, seconds: float = 0.01, answer: Outcome | None = None) -> None:
        self.seconds, self.answer, self.posts = seconds, answer, 0

    def __call__(self, mail: Mail) -> Outcome:
        self.posts += 1
        parking: hub.Parking[None] = hub.Parking()
        hub.asyncio.get_running_loop().call_later(self.seconds * self.posts, parking.give, None)
        parking.wait()
        return self.answer or Accepted(f"m-{mail.to[0]}")
