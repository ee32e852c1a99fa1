"""The loop: who is posted what, and how a run ends."""

import time
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from mailinglist import aws, lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Delivery, SendBudget, Subscription, Suppression
from mailinglist.sending import engine, messages, pacing, queue, writing_down
from mailinglist.sending.outcomes import Outcome, Refused, Scope, Unknown
from mailinglist.sending.sender import Call, Sender
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list, make_readers
from tests.mailinglist.sending.helpers import FakeSES, claim, reparsed, started, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung", "unlimited_pace")]


def test_everybody_gets_one_mail_of_their_own() -> None:
    campaign = started(20, body="Hello {{ email }}!")
    ses = FakeSES()
    assert engine.run(campaign.pk, transport=Raw(ses)) == engine.Drained()
    assert ses.to == sorted(f"p{i}@post.example" for i in range(20))
    assert {state for state, _ in states(campaign)} == {"sent"}
    for mail in ses.mails:
        words = reparsed(mail).get_body(("plain",)).get_content().split()
        assert [word for word in words if word.startswith("p") and "@post" in word] == [f"{mail.to[0]}!"]


def test_a_second_run_posts_nothing() -> None:
    campaign = started(3)
    engine.run(campaign.pk, transport=Raw(FakeSES()))
    ses = FakeSES()
    assert engine.run(campaign.pk, transport=Raw(ses)) == engine.Drained()
    assert ses.mails == []


def test_of_a_thousand_who_leave_between_the_start_and_their_turn_none_is_mailed() -> None:
    """Half of them by their own click, the others by a complaint of which another list learnt."""
    news = make_list()
    people = make_readers(news, 1003)
    campaign = make_campaign(news)
    lifecycle.start(campaign.pk, by=SYSTEM)
    leave, complain, stay = people[:500], people[500:1000], people[1000:]
    Subscription.objects.filter(subscriber__in=leave).update(
        status="unsubscribed", unsubscribe_reason="one-click", unsubscribed_at=timezone.now()
    )
    Suppression.objects.bulk_create(
        Suppression(key=person.suppression_key, reason="complaint", since=timezone.now())
        for person in complain
    )
    ses = FakeSES()
    assert engine.run(campaign.pk, transport=Raw(ses)) == engine.Drained()
    assert ses.to == sorted(person.email for person in stay)
    counted = Counter(campaign.deliveries.values_list("state", "reason"))
    assert counted == {("skipped", "unsubscribed"): 500, ("skipped", "suppressed"): 500, ("sent", ""): 3}
    assert Attempt.objects.count() == 3


def test_a_refused_recipient_fails_alone() -> None:
    campaign = started(5)
    refuse = Refused(Scope.RECIPIENT, "message-rejected", "no")
    assert (
        engine.run(campaign.pk, transport=Raw(FakeSES(lambda to: refuse if to.startswith("p2") else None)))
        == engine.Drained()
    )
    assert [state for state, _ in states(campaign)] == ["sent", "sent", "failed", "sent", "sent"]


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.CAMPAIGN])
def test_when_ses_says_stop_the_run_stops_and_nothing_fails(scope: Scope) -> None:
    campaign = started(50)
    ses = FakeSES(lambda to: Refused(scope, "ses-paused", "Sending is paused."))
    result = engine.run(campaign.pk, transport=Raw(ses), concurrency=4)
    assert isinstance(result, engine.Stopped) and result.reason == "ses-paused"
    assert result.text == "Amazon SES has paused sending for the account. SES says: Sending is paused."
    assert len(ses.mails) <= 8
    assert {state for state, _ in states(campaign)} == {"queued"}


def test_the_used_up_quota_ends_the_run_and_holds_all_processes() -> None:
    campaign = started(50)
    ses = FakeSES(lambda to: Refused(Scope.QUOTA, "daily-quota", "Daily message quota exceeded.", 60))
    result = engine.run(campaign.pk, transport=Raw(ses), concurrency=4)
    assert result == engine.More(pacing.QUOTA_SECONDS, "quota")
    assert len(ses.mails) <= 8
    again = engine.run(campaign.pk, transport=Raw(ses), concurrency=4)
    assert isinstance(again, engine.More) and again.why == "quota"
    assert len(ses.mails) <= 8


def test_throttling_slows_down_and_everybody_is_sent_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = started(6)
    monkeypatch.setattr(aws, "get_account", lambda: aws.Account(1000, -1, 0, True, True, "HEALTHY"))
    SendBudget.objects.update(max_send_rate=1000)
    seen: set[str] = set()

    def rule(to: str) -> Outcome | None:
        if to in seen:
            return None
        seen.add(to)
        return Refused(Scope.THROTTLE, "throttled", "Maximum sending rate exceeded.", 0.1)

    assert engine.run(campaign.pk, transport=Raw(FakeSES(rule))) == engine.Drained()
    assert {state for state, _ in states(campaign)} == {"sent"}
    assert SendBudget.objects.get().factor < 1


def test_ses_that_does_not_answer_is_left_alone_for_a_while() -> None:
    campaign = started(60)
    ses = FakeSES(lambda to: Unknown("timeout", "no answer"))
    assert engine.run(campaign.pk, transport=Raw(ses), concurrency=4) == engine.More(
        engine.BREAKER_SECONDS, "ses-unavailable"
    )
    assert len(ses.mails) <= 20
    assert isinstance(engine.run(campaign.pk, transport=Raw(ses), seconds=1), engine.More)
    assert len(ses.mails) <= 20
    assert [state for state, _ in states(campaign)].count("unknown") == len(ses.mails)


def test_many_refusals_in_a_row_stop_the_campaign() -> None:
    campaign = started(60)
    ses = FakeSES(lambda to: Refused(Scope.RECIPIENT, "bad-request", "odd"))
    result = engine.run(campaign.pk, transport=Raw(ses), concurrency=4)
    assert isinstance(result, engine.Stopped) and result.reason == "refusals"
    assert len(ses.mails) <= engine.REFUSED_IN_A_ROW + 4


def test_an_unforeseen_error_leaves_the_outcome_unknown() -> None:
    campaign = started(1)

    def broken(message: messages.Mail) -> Outcome:
        raise RuntimeError("surprise")

    engine.run(campaign.pk, transport=Raw(broken))
    assert states(campaign) == [("unknown", "error")]
    assert "surprise" in Attempt.objects.get().error_text


def test_a_mail_that_cannot_be_built_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = started(3)
    values = messages._values

    def poisoned(person: messages.Person, *rest: Any) -> dict[str, str]:
        if person.email.startswith("p1"):
            raise ValueError("odd attribute")
        return values(person, *rest)

    monkeypatch.setattr(messages, "_values", poisoned)
    assert engine.run(campaign.pk, transport=Raw(FakeSES())) == engine.Drained()
    assert states(campaign) == [("sent", ""), ("failed", "render-error"), ("sent", "")]


@pytest.fixture
def in_hand(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many deliveries are being sent, after each claim."""
    claim, found = queue.claim, []

    def counting(*args: Any, **kwargs: Any) -> list[queue.Claimed]:
        rows = claim(*args, **kwargs)
        found.append(Delivery.objects.filter(state="sending").count())
        return rows

    monkeypatch.setattr(queue, "claim", counting)
    return found


def test_no_more_is_claimed_than_is_posted_at_once(in_hand: list[int]) -> None:
    campaign = started(30)
    engine.run(campaign.pk, transport=Raw(FakeSES()), concurrency=4)
    assert max(in_hand) <= 4


def test_a_slow_ses_leaves_few_rows_in_doubt_if_the_process_is_killed(in_hand: list[int]) -> None:
    campaign = started(300)

    def slow(message: messages.Mail) -> Outcome:
        time.sleep(0.1)
        return FakeSES()(message)

    SendBudget.objects.update(max_send_rate=100)
    engine.run(campaign.pk, transport=Raw(slow), seconds=1.5)
    assert 16 <= max(in_hand) <= 100


def test_the_time_of_a_run_is_limited_and_nothing_stays_in_flight() -> None:
    campaign = started(30)

    def slow(message: messages.Mail) -> Outcome:
        time.sleep(0.05)
        return FakeSES()(message)

    assert engine.run(campaign.pk, transport=Raw(slow), seconds=0.1, concurrency=2) == engine.More(0, "")
    found = [state for state, _ in states(campaign)]
    assert set(found) == {"sent", "queued"}


def test_a_process_that_is_asked_to_end_claims_no_more() -> None:
    campaign = started(5)
    engine.stopping.set()
    try:
        assert engine.run(campaign.pk, transport=Raw(FakeSES())) == engine.More(0, "")
    finally:
        engine.stopping.clear()
    assert {state for state, _ in states(campaign)} == {"queued"}


def test_a_post_whose_lease_is_nearly_over_does_not_happen() -> None:
    campaign = started(1)
    [row] = claim(campaign)
    ses = FakeSES()
    [(_, mail)] = messages.Builder().build([row])
    past = time.monotonic() - 1
    with Sender(Raw(ses), most_open=1) as sender:
        sender.submit([Call([row], [mail], past, past)])
        [(_, outcome)] = sender.results(5)
    assert isinstance(outcome, Refused) and outcome.code == "not-posted"
    assert ses.mails == []


def test_outcomes_are_written_down_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = started(1)
    finish, tries = queue.finish, []

    def away_once(results: list[object]) -> None:
        tries.append(len(results))
        if len(tries) == 1:
            raise OperationalError("gone")
        finish(results)  # type: ignore[arg-type]

    monkeypatch.setattr(queue, "finish", away_once)
    monkeypatch.setattr(writing_down.connection, "close", lambda: None)
    assert engine.run(campaign.pk, transport=Raw(FakeSES())) == engine.Drained()
    assert states(campaign) == [("sent", "")] and tries == [1, 1]


def test_a_paused_campaign_is_nothing_to_do() -> None:
    campaign = started(2)
    type(campaign).objects.update(status="paused", status_reason="manager")
    assert engine.run(campaign.pk, transport=Raw(FakeSES())) == engine.Drained()
