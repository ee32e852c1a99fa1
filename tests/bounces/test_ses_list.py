"""What SES puts on its suppression list by itself although nobody is to blame: taken off again, and it hurts nobody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bounces import policy, suppression_sync, timeline
from bounces.models import Event
from bounces.policy import LEFT_AT_SES, ON_ACCOUNT_LIST, Decision, Effect, History, Report, Rules
from mailinglist import aws, suppression
from mailinglist.models import Delivery, Suppression
from mailinglist.sending import queue
from sandbox.testing import RunningSandbox, sandbox
from tests import ses_events as ses
from tests.bounces.helpers import DAY, send_to, state_of, subscription, take
from tests.ses_events import T0

HOUR = timedelta(hours=1)


class TestPolicy:
    def judge(self, verdict: str, reason: str = "x", *, listed: bool = False, **known: Any) -> Decision:
        history = History(**{"delivery_id": 7, "attempt": 1, "mail_at": T0 - HOUR, **known})
        return policy.decide(Report(verdict, reason, T0, listed), history, Rules())

    @pytest.mark.parametrize("verdict", ["soft", "block", "unknown", "message"])
    def test_what_is_not_the_persons_fault_is_taken_off_again(self, verdict: str) -> None:
        plain, listed = self.judge(verdict), self.judge(verdict, listed=True)
        assert (plain.effect, listed.effect) == (Effect.NONE, Effect.UNLIST)
        assert listed.retry_at == plain.retry_at
        assert "taken off again" in listed.sentence
        old = {"mail_at": T0 - 2 * DAY, "reset_at": T0 - DAY}
        assert self.judge(verdict, listed=True, **old).effect == Effect.UNLIST

    @pytest.mark.parametrize("verdict", ["hard", "complaint"])
    def test_what_is_listed_with_reason_stays_there(self, verdict: str) -> None:
        assert self.judge(verdict, listed=True) == self.judge(verdict)

    @pytest.mark.parametrize(
        ("reason", "known", "effect", "state"),
        [
            (ON_ACCOUNT_LIST, {"listed_without_fault": True}, Effect.UNLIST, "waiting"),
            (ON_ACCOUNT_LIST, {"listed_without_fault": True, "attempt": 2}, Effect.UNLIST, "bounced"),
            (ON_ACCOUNT_LIST, {"listed_without_fault": True, "retryable": False}, Effect.UNLIST, "bounced"),
            (ON_ACCOUNT_LIST, {}, Effect.SUPPRESS, "bounced"),
            # SES's list for everybody, and a contact list, say something else.
            ("suppressed", {"listed_without_fault": True}, Effect.SUPPRESS, "bounced"),
            (LEFT_AT_SES, {"listed_without_fault": True}, Effect.UNSUBSCRIBE_ALL, "bounced"),
        ],
    )
    def test_a_mail_that_was_swallowed_after_a_block_hurts_nobody(
        self, reason: str, known: dict[str, Any], effect: Effect, state: str
    ) -> None:
        decision = self.judge("suppressed", reason, **known)
        assert (decision.effect, decision.delivery_state) == (effect, state)
        assert ("not the person's fault" in decision.sentence) == (effect == Effect.UNLIST)


def swallowed(delivery: Delivery, *, attempt: int = 1, at: datetime = T0 + DAY) -> dict[str, Any]:
    return ses.bounced(
        delivery,
        "Permanent",
        "OnAccountSuppressionList",
        "5.1.1",
        "SES did not send.",
        attempt=attempt,
        at=at,
    )


def untold() -> list[str]:
    return [email for _, email in suppression_sync._with_emails(suppression_sync.to_delete())]


@pytest.mark.django_db
class TestJudgement:
    def test_a_block_and_its_swallowed_retry_leave_the_person_alone(self) -> None:
        delivery = send_to("ada@post.example")
        take(ses.blocked(delivery))
        assert (state_of(delivery), untold()) == ("waiting", ["ada@post.example"])
        suppression.told_ses(Suppression.objects.get().pk, released=True)
        send_again(delivery)
        take(swallowed(delivery, attempt=2))
        assert (state_of(delivery), untold()) == ("bounced", ["ada@post.example"])
        assert not suppression.is_suppressed(delivery.subscriber)
        assert subscription(delivery).status == "confirmed"
        told = [detail for entry in timeline.page(delivery.subscriber_id).entries for detail in entry.details]
        assert any("nothing changes for the person" in detail for detail in told)
        assert any("it is taken off again" in detail for detail in told)

    def test_the_order_of_the_two_reports_does_not_matter(self) -> None:
        first = send_to("ada@post.example")
        second = send_to("ada@post.example", at=T0 + DAY)
        take(swallowed(second))
        assert suppression.is_suppressed(first.subscriber)
        take(ses.blocked(first))
        assert not suppression.is_suppressed(first.subscriber)

    @pytest.mark.parametrize("later", [ses.bounced, ses.complained])
    def test_what_was_listed_with_reason_since_stays_suppressed(self, later: Any) -> None:
        first, second, third = (send_to("ada@post.example", at=T0 + hours * HOUR) for hours in range(3))
        take(ses.blocked(first))
        take(later(second, at=T0 + HOUR))
        assert Suppression.objects.get().active
        take(swallowed(third))
        assert Suppression.objects.get().active
        assert not Event.objects.filter(delivery=third, effect=Effect.UNLIST).exists()

    def test_a_soft_bounce_that_ses_lists_nowhere_explains_nothing(self) -> None:
        take(ses.full(send_to("ada@post.example")))
        second = send_to("ada@post.example", at=T0 + HOUR)
        take(swallowed(second))
        assert suppression.is_suppressed(second.subscriber)


def send_again(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=T0)
    queue.requeue_due(10)
    ses.accept(delivery, at=T0 + DAY)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox(bare=False) as local:
        yield local


@pytest.mark.django_db
class TestReading:
    @pytest.fixture(autouse=True)
    def empty(self, running: RunningSandbox, settings: Any) -> None:
        settings.SES_ENDPOINT_URL = running.url
        settings.SUPPRESSION_SYNC_PAUSE = 0
        for row in aws.list_suppressed()[0]:
            aws.delete_suppressed(row.email)

    def listed(self, email: str) -> datetime:
        """Put it on SES's list. Returns since when it is there."""
        aws.put_suppressed(email, "BOUNCE")
        return next(row.since for row in aws.list_suppressed()[0] if row.email == email)

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_what_ses_listed_for_a_block_is_taken_off_and_not_read_in(self, dry_run: bool) -> None:
        delivery = send_to("ada@post.example")
        since = self.listed("ada@post.example")
        take(ses.blocked(delivery, at=since - timedelta(seconds=2)))
        done = suppression_sync.sync(dry_run=dry_run)
        assert (done.suppressed_here, done.deleted) == (0, 1)
        assert len(aws.list_suppressed()[0]) == dry_run
        assert not suppression.is_suppressed(delivery.subscriber)

    def test_what_was_read_in_before_the_block_was_known_is_released(self) -> None:
        delivery = send_to("ada@post.example")
        since = self.listed("ada@post.example")
        assert suppression_sync.sync().suppressed_here == 1
        take(ses.blocked(delivery, at=since - timedelta(seconds=2)))
        assert not suppression.is_suppressed(delivery.subscriber)
        assert suppression_sync.sync().deleted == 1
        assert aws.list_suppressed()[0] == []

    @pytest.mark.parametrize(("verdict", "before"), [("hard", 0), ("block", 2)])
    def test_another_cause_is_believed(self, verdict: str, before: int) -> None:
        """A hard bounce, or a block that is too long ago to be it."""
        delivery = send_to("ada@post.example")
        since = self.listed("ada@post.example")
        story = ses.bounced if verdict == "hard" else ses.blocked
        take(story(delivery, at=since - before * HOUR))
        suppression_sync.sync()
        assert suppression.is_suppressed(delivery.subscriber)
        assert len(aws.list_suppressed()[0]) == 1
