"""Claim, write-back, recovery and what events do to deliveries, on a real PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from mailinglist import lifecycle, subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Campaign, Change, Delivery, Subscription, Suppression
from mailinglist.sending import claims, queue
from mailinglist.sending.hot import hot_cursor
from mailinglist.sending.outcomes import Accepted, Outcome, Refused, Scope, Unknown
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import State, age, claim, expire_leases, started, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]

NOW = timezone.now()


def delivery_of(campaign: Campaign, i: int = 0) -> Delivery:
    return campaign.deliveries.order_by("pk")[i]


def wait_for_retry(delivery: Delivery, *, due: bool = True) -> None:
    queue.judge_attempt(delivery.pk, delivery.attempts, verdict="soft", reason="mailbox-full")
    offset = timedelta(seconds=-1 if due else 3600)
    assert queue.settle(
        delivery.pk,
        state=State.WAITING,
        reason="soft:mailbox-full",
        from_states=list(State),
        next_attempt_at=timezone.now() + offset,
    )


class TestClaim:
    def test_a_claim_takes_rows_under_a_lease_and_inserts_their_attempts(self) -> None:
        campaign = started(3)
        rows = claim(campaign, 2)
        assert [(row.attempt, row.fence, row.campaign_id) for row in rows] == [(1, 1, campaign.pk)] * 2
        assert states(campaign) == [("sending", ""), ("sending", ""), ("queued", "")]
        assert delivery_of(campaign).lease_until > timezone.now() + timedelta(seconds=100)
        assert list(Attempt.objects.values_list("result", "possible_duplicate")) == [("", False)] * 2

    def test_no_size_of_a_claim_makes_postgresql_read_everybodys_subscriptions(self) -> None:
        """For EXISTS the planner has the choice of a hash table of the whole list, and takes it from some dozens on."""
        ids = [delivery.pk for delivery in started(3).deliveries.all()]
        with transaction.atomic(), hot_cursor() as cursor:
            many = claims._array([*ids, *range(max(ids) + 1, max(ids) + 1000)])
            cursor.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {claims._CLAIM}", [many, 60])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "SubPlan" in plan and "hashed" not in plan

    def test_a_second_claim_takes_other_rows(self) -> None:
        campaign = started(3)
        first, second = claim(campaign, 2), claim(campaign, 2)
        assert len(first) == 2 and len(second) == 1
        assert not {row.delivery_id for row in first} & {row.delivery_id for row in second}

    def test_somebody_who_unsubscribed_after_the_start_is_skipped(self) -> None:
        campaign = started(2)
        subscriptions.unsubscribe(
            delivery_of(campaign).subscriber_id, reason=Subscription.Reason.PAGE, by=SYSTEM, why="left"
        )
        assert len(claim(campaign)) == 1
        assert states(campaign) == [("skipped", "unsubscribed"), ("sending", "")]
        assert Attempt.objects.count() == 1

    def test_somebody_who_was_suppressed_after_the_start_is_skipped(self) -> None:
        campaign = started(2)
        suppression.suppress(
            delivery_of(campaign).subscriber_id, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="spam"
        )
        assert len(claim(campaign)) == 1
        assert states(campaign)[0] == ("skipped", "suppressed")

    def test_leaving_another_list_changes_nothing(self) -> None:
        campaign = started(1)
        other = make_list("other")
        subscriber = delivery_of(campaign).subscriber
        make_subscriber(subscriber.email, other)
        subscriptions.unsubscribe(
            subscriber.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="left", list_ids=[other.pk]
        )
        assert len(claim(campaign)) == 1

    def test_a_paused_campaign_gives_nothing(self) -> None:
        campaign = started(2)
        lifecycle.pause(campaign.pk, reason="manager", text="Wait.", by=SYSTEM)
        assert claim(campaign) == []
        assert queue.next_due_in(campaign.pk) is None

    def test_a_finished_campaign_still_gives_its_retries(self) -> None:
        campaign = started(1)
        Campaign.objects.update(status="finished")
        assert len(claim(campaign)) == 1

    def test_a_row_that_is_not_due_stays(self) -> None:
        campaign = started(1)
        Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=1))
        assert claim(campaign) == []
        assert 50 < queue.next_due_in(campaign.pk) <= 60

    def test_a_confirmation_needs_a_pending_subscription(self) -> None:
        news = make_list()
        pending, done = make_subscriber("a@post.example"), make_subscriber("b@post.example", news)
        Subscription.objects.create(list=news, subscriber=pending, status="pending", source="test")
        for person in (pending, done):
            queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
        assert [row.subscriber_id for row in queue.claim(5, campaign_id=None, lease_seconds=60)] == [
            pending.pk
        ]
        assert Delivery.objects.get(subscriber=done).reason == "not-pending"


class TestFinish:
    @pytest.mark.parametrize(
        ("outcome", "state", "reason", "result"),
        [
            (Accepted("m-1"), "sent", "", "accepted"),
            (Refused(Scope.RECIPIENT, "message-rejected", "no"), "failed", "message-rejected", "refused"),
            (Refused(Scope.THROTTLE, "throttled", "slow", 5), "queued", "throttled", "refused"),
            (Refused(Scope.QUOTA, "daily-quota", "full", 60), "queued", "daily-quota", "refused"),
            (Refused(Scope.ACCOUNT, "ses-paused", "paused"), "queued", "ses-paused", "refused"),
            (Refused(Scope.CAMPAIGN, "not-verified", "who"), "queued", "not-verified", "refused"),
            (Unknown("timeout", "…"), "unknown", "timeout", "unknown"),
        ],
    )
    def test_each_outcome_has_its_state(self, outcome: object, state: str, reason: str, result: str) -> None:
        campaign = started(1)
        queue.finish([(claim(campaign)[0], outcome)])
        delivery, attempt = delivery_of(campaign), Attempt.objects.get()
        assert (delivery.state, delivery.reason, delivery.lease_until) == (state, reason, None)
        assert attempt.result == result and attempt.finished_at
        waits = isinstance(outcome, Refused) and outcome.retry_after > 0
        assert (delivery.next_attempt_at is not None) == waits

    def test_finishing_twice_changes_nothing(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        queue.finish([(row, Accepted("m-1"))])
        queue.finish([(row, Unknown("timeout", ""))])
        assert delivery_of(campaign).state == "sent"
        assert Attempt.objects.get().message_id == "m-1"

    def test_a_batch_of_mixed_outcomes_is_written_at_once(self) -> None:
        campaign = started(3)
        outcomes = [
            Accepted("m-1"),
            Unknown("timeout", "a\x00b"),
            Refused(Scope.RECIPIENT, "x" * 99, "y" * 9999),
        ]
        queue.finish(list(zip(claim(campaign), outcomes, strict=True)))
        assert [state for state, _ in states(campaign)] == ["sent", "unknown", "failed"]

    def test_a_zombie_with_an_old_fence_completes_its_attempt_and_not_the_delivery(self) -> None:
        campaign = started(1)
        zombie = claim(campaign)[0]
        expire_leases()
        queue.recover_expired()
        queue.resend(zombie.delivery_id, by=SYSTEM)
        heir = claim(campaign)[0]
        assert (heir.fence, heir.attempt) == (2, 2)
        queue.finish([(zombie, Accepted("m-1"))])
        assert states(campaign) == [("sending", "")]
        queue.finish([(heir, Refused(Scope.RECIPIENT, "message-rejected", ""))])
        assert states(campaign) == [("sent", "")], "the zombie's copy is on its way"
        assert list(Attempt.objects.order_by("number").values_list("result", "possible_duplicate")) == [
            ("accepted", False),
            ("refused", True),
        ]

    def test_a_late_answer_settles_a_row_that_nobody_has_claimed_since(self) -> None:
        campaign = started(1)
        late = claim(campaign)[0]
        expire_leases()
        queue.recover_expired()
        queue.finish([(late, Accepted("m-1"))])
        assert states(campaign) == [("sent", "")]

    def test_a_late_answer_stops_a_resend_that_has_not_begun(self) -> None:
        campaign = started(1)
        late = claim(campaign)[0]
        expire_leases()
        queue.recover_expired()
        queue.resend(late.delivery_id, by=SYSTEM)
        queue.finish([(late, Accepted("m-1"))])
        assert states(campaign) == [("sent", "")]

    def test_a_row_put_back_into_a_cancelled_campaign_is_cancelled(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        lifecycle.cancel(campaign.pk, by=SYSTEM)
        queue.finish([(row, Refused(Scope.THROTTLE, "throttled", ""))])
        assert states(campaign)[0][0] == "cancelled"

    def test_mail_without_a_campaign_waits_after_an_account_refusal(self) -> None:
        news = make_list()
        person = make_subscriber("a@post.example")
        Subscription.objects.create(list=news, subscriber=person, status="pending", source="test")
        queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
        row = queue.claim(1, campaign_id=None, lease_seconds=60)[0]
        queue.finish([(row, Refused(Scope.ACCOUNT, "ses-paused", ""))])
        assert queue.next_due_in(None) > 30


class TestRecovery:
    def test_a_dead_workers_rows_become_unknown_with_their_attempts(self) -> None:
        campaign = started(2)
        claim(campaign, 1)
        assert queue.recover_expired() == 0
        expire_leases()
        assert queue.recover_expired() == 1
        assert states(campaign) == [("unknown", "crash"), ("queued", "")]
        assert list(Attempt.objects.values_list("result", "error_code")) == [("unknown", "crash")]

    def test_a_row_that_killed_three_workers_is_set_aside(self, settings: object) -> None:
        settings.UNKNOWN_POLICY = "resend"  # type: ignore[attr-defined]
        campaign = started(1)
        for _ in range(3):
            assert len(claim(campaign)) == 1
            expire_leases()
            queue.recover_expired()
            age(10_000)
            queue.resolve_unknown()
        assert states(campaign) == [("unknown", "poison")]
        assert not queue.has_open_first_attempts(campaign.pk)

    def test_hold_keeps_it_unknown_until_a_manager_decides(self) -> None:
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
        assert queue.resolve_unknown() == queue.Resolved()
        assert queue.has_open_first_attempts(campaign.pk)
        age(10_000)
        assert queue.resolve_unknown() == queue.Resolved(held=1)
        assert states(campaign) == [("unknown", "held")]
        assert not queue.has_open_first_attempts(campaign.pk)

    def test_resend_queues_it_and_marks_the_next_attempt(self, settings: object) -> None:
        settings.UNKNOWN_POLICY = "resend"  # type: ignore[attr-defined]
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
        age(10_000)
        assert queue.resolve_unknown() == queue.Resolved(resent=1)
        row = claim(campaign)[0]
        assert Attempt.objects.get(number=row.attempt).possible_duplicate

    def test_what_grows_old_while_others_are_queued_again_waits_for_the_next_look(
        self, settings: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.UNKNOWN_POLICY = "resend"  # type: ignore[attr-defined]
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
        execute = queue._execute

        def slow(*statement: Any) -> int:
            found = execute(*statement)
            age(10_000)
            return found

        monkeypatch.setattr(queue, "_execute", slow)
        assert queue.resolve_unknown() == queue.Resolved()
        assert queue.resolve_unknown() == queue.Resolved(resent=1)

    def test_with_resend_those_of_a_cancelled_campaign_are_held(self, settings: object) -> None:
        settings.UNKNOWN_POLICY = "resend"  # type: ignore[attr-defined]
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
        lifecycle.cancel(campaign.pk, by=SYSTEM)
        age(10_000)
        assert queue.resolve_unknown() == queue.Resolved(held=1)

    def test_the_mark_survives_a_throttled_attempt(self, settings: object) -> None:
        settings.UNKNOWN_POLICY = "resend"  # type: ignore[attr-defined]
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
        age(10_000)
        queue.resolve_unknown()
        queue.finish([(claim(campaign)[0], Refused(Scope.THROTTLE, "throttled", ""))])
        assert Attempt.objects.get(number=claim(campaign)[0].attempt).possible_duplicate

    def test_a_manager_resends_what_is_unknown_and_it_is_recorded(self) -> None:
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
        queue.resend(delivery_of(campaign).pk, by=SYSTEM)
        assert states(campaign) == [("queued", "resend")]
        assert Change.objects.filter(noun="delivery", before="unknown", after="queued").count() == 1

    def test_what_was_sent_cannot_be_resent(self) -> None:
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Accepted("m-1"))])
        with pytest.raises(queue.CannotResend, match="accepted by SES"):
            queue.resend(delivery_of(campaign).pk, by=SYSTEM)


class TestProof:
    def test_an_event_resolves_an_unknown_delivery(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        queue.finish([(row, Unknown("timeout", ""))])
        assert queue.prove(row.delivery_id, 1, "m-1", NOW)
        assert states(campaign) == [("sent", "")]
        assert Attempt.objects.get().message_id == "m-1"

    def test_an_event_before_the_write_back_wins_and_the_write_back_does_no_harm(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        assert queue.prove(row.delivery_id, 1, "m-1", NOW)
        assert queue.settle(row.delivery_id, state=State.DELIVERED, reason="", from_states=[State.SENT])
        queue.finish([(row, Accepted("m-1"))])
        assert states(campaign) == [("delivered", "")]

    def test_an_event_stops_a_resend_that_has_not_begun(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        queue.finish([(row, Unknown("timeout", ""))])
        queue.resend(row.delivery_id, by=SYSTEM)
        assert queue.prove(row.delivery_id, 1, "m-1", NOW)
        assert claim(campaign) == []

    def test_another_message_id_for_a_known_attempt_is_refused(self) -> None:
        campaign = started(2)
        first, second = claim(campaign)
        queue.finish([(first, Accepted("m-1"))])
        assert queue.prove(first.delivery_id, 1, "m-1", NOW)
        assert not queue.prove(first.delivery_id, 1, "m-2", NOW)
        assert not queue.prove(second.delivery_id, 1, "m-1", NOW)
        assert not queue.prove(first.delivery_id, 7, "m-3", NOW)
        assert not queue.prove(10**9, 1, "m-3", NOW)

    def test_proof_of_an_older_attempt_leaves_a_newer_one_alone(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        queue.finish([(row, Unknown("timeout", ""))])
        queue.resend(row.delivery_id, by=SYSTEM)
        claim(campaign)
        assert queue.prove(row.delivery_id, 1, "m-1", NOW)
        assert states(campaign) == [("sending", "")]

    def test_a_proof_does_not_bring_a_retry_that_is_due_back_to_sent(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        queue.finish([(row, Accepted("m-1"))])
        wait_for_retry(delivery_of(campaign))
        queue.requeue_due(10)
        assert queue.prove(row.delivery_id, 1, "m-1", NOW)
        assert states(campaign)[0][0] == "queued"


THROTTLED = Refused(Scope.THROTTLE, "throttled", "slow")


class TestProvedMeanwhile:
    """An earlier attempt turns out to have been accepted: no other copy leaves, and the row says what happened."""

    def sent_again(self) -> tuple[Campaign, queue.Claimed]:
        """The first attempt is in doubt, a second one under way."""
        campaign = started(1)
        [row] = claim(campaign)
        queue.finish([(row, Unknown("timeout", ""))])
        queue.resend(row.delivery_id, by=SYSTEM)
        return campaign, claim(campaign)[0]

    @pytest.mark.parametrize(
        "outcome", [THROTTLED, Unknown("timeout", ""), Refused(Scope.RECIPIENT, "message-rejected", "no")]
    )
    def test_whatever_becomes_of_the_second_there_is_no_third(self, outcome: Outcome) -> None:
        campaign, second = self.sent_again()
        queue.prove(second.delivery_id, 1, "m-1", NOW)
        queue.finish([(second, outcome)])
        assert states(campaign) == [("sent", "")]
        assert queue.next_due_in(campaign.pk) is None

    @pytest.mark.parametrize("outcome", [THROTTLED, Unknown("timeout", "")])
    def test_a_proof_after_the_second_was_written_down(self, outcome: Outcome) -> None:
        campaign, second = self.sent_again()
        queue.finish([(second, outcome)])
        queue.prove(second.delivery_id, 1, "m-1", NOW)
        assert states(campaign) == [("sent", "")]

    def test_a_worker_that_died_with_the_second(self) -> None:
        campaign, second = self.sent_again()
        queue.prove(second.delivery_id, 1, "m-1", NOW)
        expire_leases()
        assert queue.recover_expired() == 1
        assert states(campaign) == [("sent", "")]

    @pytest.mark.parametrize(
        ("verdict", "state", "reason"),
        [
            ("delivered", "delivered", ""),
            ("hard", "bounced", "hard:why"),
            ("complaint", "complained", "complaint:why"),
            ("soft", "queued", "throttled"),
            ("message", "queued", "throttled"),
        ],
    )
    def test_its_events_say_what_it_becomes(self, verdict: str, state: str, reason: str) -> None:
        campaign, second = self.sent_again()
        queue.prove(second.delivery_id, 1, "m-1", NOW)
        queue.judge_attempt(second.delivery_id, 1, verdict=verdict, reason="why")
        queue.finish([(second, THROTTLED)])
        assert states(campaign) == [(state, reason)]

    def test_a_retry_of_a_soft_bounce_that_is_throttled_goes_on(self) -> None:
        campaign = started(1)
        queue.finish([(claim(campaign)[0], Accepted("m-1"))])
        wait_for_retry(delivery_of(campaign))
        queue.requeue_due(10)
        queue.finish([(claim(campaign)[0], THROTTLED)])
        assert states(campaign) == [("queued", "throttled")]
        assert not Attempt.objects.get(number=claim(campaign)[0].attempt).possible_duplicate

    def test_the_mark_survives_a_throttle_also_when_the_first_is_known_by_now(self) -> None:
        campaign, second = self.sent_again()
        queue.finish([(second, THROTTLED)])
        Attempt.objects.filter(number=1).update(result="accepted", message_id="m-1")
        assert Attempt.objects.get(number=claim(campaign)[0].attempt).possible_duplicate

    @pytest.mark.parametrize("ended", ["cancelled", "skipped"])
    @pytest.mark.parametrize("by", ["event", "answer"])
    def test_it_was_sent_although_it_was_ended_meanwhile(self, ended: str, by: str) -> None:
        campaign = started(1)
        [row] = claim(campaign)
        expire_leases()
        queue.recover_expired()
        queue.resend(row.delivery_id, by=SYSTEM)
        if ended == "cancelled":
            lifecycle.cancel(campaign.pk, by=SYSTEM)
        else:
            subscriptions.unsubscribe(row.subscriber_id, reason="page", by=SYSTEM, why="")
            assert claim(campaign) == []
        assert states(campaign)[0][0] == ended
        if by == "event":
            queue.prove(row.delivery_id, 1, "m-1", NOW)
        else:
            queue.finish([(row, Accepted("m-1"))])
        assert states(campaign) == [("sent", "")]
        assert queue.settle(row.delivery_id, state=State.DELIVERED, reason="", from_states=[State.SENT])


class TestSettle:
    def test_it_changes_only_from_the_given_states(self) -> None:
        campaign = started(1)
        pk = delivery_of(campaign).pk
        assert not queue.settle(pk, state=State.BOUNCED, reason="hard:user-unknown", from_states=[State.SENT])
        assert queue.settle(pk, state=State.BOUNCED, reason="hard:user-unknown", from_states=[State.QUEUED])
        assert states(campaign) == [("bounced", "hard:user-unknown")]

    def test_waiting_needs_a_time(self) -> None:
        with pytest.raises(ValueError, match="next_attempt_at"):
            queue.settle(1, state=State.WAITING, reason="", from_states=[State.SENT])

    def test_a_verdict_is_kept_with_its_attempt(self) -> None:
        campaign = started(1)
        row = claim(campaign)[0]
        assert queue.judge_attempt(row.delivery_id, 1, verdict="soft", reason="mailbox-full")
        assert not queue.judge_attempt(row.delivery_id, 2, verdict="soft", reason="mailbox-full")
        assert list(Attempt.objects.values_list("verdict", "reason")) == [("soft", "mailbox-full")]


class TestRequeue:
    def bounced_softly(self, people: int = 1) -> Campaign:
        campaign = started(people)
        queue.finish([(row, Accepted(f"m-{row.delivery_id}")) for row in claim(campaign)])
        for delivery in campaign.deliveries.all():
            wait_for_retry(delivery)
        return campaign

    def test_what_is_due_is_queued_again_and_the_rest_waits(self) -> None:
        campaign = self.bounced_softly(2)
        wait_for_retry(delivery_of(campaign, 1), due=False)
        assert queue.requeue_due(10, dry_run=True) == queue.Requeued(requeued=1)
        assert queue.requeue_due(10) == queue.Requeued(requeued=1)
        assert [state for state, _ in states(campaign)] == ["queued", "waiting"]
        assert queue.requeue_due(10).total == 0

    def test_a_retry_does_not_reopen_its_campaign(self) -> None:
        campaign = self.bounced_softly()
        queue.requeue_due(10)
        assert not queue.has_open_first_attempts(campaign.pk)

    def test_a_retry_is_no_possible_duplicate(self) -> None:
        campaign = self.bounced_softly()
        queue.requeue_due(10)
        assert not Attempt.objects.get(number=claim(campaign)[0].attempt).possible_duplicate

    def test_after_retry_until_it_expires(self) -> None:
        campaign = self.bounced_softly()
        Campaign.objects.update(retry_until=timezone.now() - timedelta(seconds=1))
        assert queue.requeue_due(10) == queue.Requeued(expired=1)
        assert states(campaign) == [("expired", "soft:mailbox-full")]

    def test_somebody_who_left_meanwhile_gets_no_retry(self) -> None:
        campaign = self.bounced_softly(2)
        subscriptions.unsubscribe(
            delivery_of(campaign).subscriber_id, reason=Subscription.Reason.PAGE, by=SYSTEM, why="left"
        )
        suppression.suppress(
            delivery_of(campaign, 1).subscriber_id, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="no"
        )
        assert queue.requeue_due(10) == queue.Requeued(unsubscribed=1, suppressed=1)
        assert states(campaign) == [("skipped", "unsubscribed"), ("skipped", "suppressed")]

    def test_a_newer_mail_ends_the_retries_of_an_older_one(self) -> None:
        old = self.bounced_softly(2)
        newer = make_campaign(*old.lists.all())
        lifecycle.start(newer.pk, by=SYSTEM)
        assert states(old) == [("skipped", "superseded")] * 2
        wait_for_retry(delivery_of(old))  # a bounce that was reported after the newer campaign had started
        assert queue.requeue_due(10) == queue.Requeued(superseded=1)

    def test_a_mail_of_another_list_supersedes_nothing(self) -> None:
        old = self.bounced_softly()
        other = make_list("other")
        make_subscriber("p0@post.example", other)
        lifecycle.start(make_campaign(other).pk, by=SYSTEM)
        assert queue.requeue_due(10) == queue.Requeued(requeued=1)
        assert states(old)[0][0] == "queued"

    def test_a_paused_campaigns_retries_wait(self) -> None:
        self.bounced_softly()
        Campaign.objects.update(status="paused", status_reason="manager")
        assert queue.requeue_due(10).total == 0

    def test_a_bounce_after_the_cancellation_brings_no_retry(self) -> None:
        campaign = self.bounced_softly()
        lifecycle.cancel(campaign.pk, by=SYSTEM)
        assert states(campaign)[0][0] == "cancelled"
        wait_for_retry(delivery_of(campaign))
        assert queue.requeue_due(10) == queue.Requeued(cancelled=1)


def test_cancelling_leaves_what_is_being_posted() -> None:
    campaign = started(3)
    claim(campaign, 1)
    assert queue.cancel_open(campaign.pk) == 2
    assert states(campaign) == [("sending", ""), ("cancelled", "cancelled"), ("cancelled", "cancelled")]


def test_leftovers_of_a_cancelled_campaign_are_cancelled() -> None:
    started(1)
    Campaign.objects.update(status="cancelled")
    assert queue.campaigns_with_due() == []
    assert queue.cancel_leftovers() == 1


def test_campaigns_with_work_are_found() -> None:
    campaign = started(1)
    assert queue.campaigns_with_due() == [campaign.pk]
    claim(campaign)
    assert queue.campaigns_with_due() == []


def test_queueing_a_mail_wakes_a_worker(
    rung: list[object], django_capture_on_commit_callbacks: object
) -> None:
    news, person = make_list(), make_subscriber()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        pk = queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
    assert Delivery.objects.get(pk=pk).state == "queued"
    assert rung == [("mailinglist.tasks.send_mail",)]


class TestSuspects:
    """Rows that a worker died with."""

    def test_each_is_given_out_by_itself_and_only_to_a_run_with_nothing_in_hand(self) -> None:
        campaign = started(5)
        Delivery.objects.filter(pk__in=[delivery_of(campaign, i).pk for i in (1, 3)]).update(crashes=1)
        busy = queue.claim(2, campaign_id=campaign.pk, lease_seconds=60, alone=False)
        assert [row.crashes for row in busy] == [0]
        first, second, rest = claim(campaign), claim(campaign), claim(campaign)
        assert [row.delivery_id for row in first] == [delivery_of(campaign, 1).pk]
        assert [row.delivery_id for row in second] == [delivery_of(campaign, 3).pk]
        assert [row.crashes for row in first] == [1] and len(rest) == 2


def test_nothing_to_write_down_is_nothing() -> None:
    queue.finish([])
    assert Attempt.objects.count() == 0


def test_a_mail_of_a_cancelled_campaign_is_not_sent_again() -> None:
    campaign = started(1)
    queue.finish([(claim(campaign)[0], Unknown("timeout", ""))])
    Campaign.objects.update(status="cancelled")
    with pytest.raises(queue.CannotResend, match="was cancelled"):
        queue.resend(delivery_of(campaign).pk, by=SYSTEM)


def test_a_confirmation_that_failed_is_sent_again_by_hand(
    rung: list[object], django_capture_on_commit_callbacks: object
) -> None:
    news, person = make_list(), make_subscriber()
    pk = queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
    Delivery.objects.filter(pk=pk).update(state="failed")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        queue.resend(pk, by=SYSTEM)
    assert rung == [("mailinglist.tasks.send_mail",)]


def test_many_mails_ring_once_and_none_ring_nobody(
    rung: list[object], django_capture_on_commit_callbacks: object
) -> None:
    news, people = make_list(), [make_subscriber(f"p{number}@post.example") for number in range(3)]
    wanted = [(person.pk, news.pk) for person in people]
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert queue.enqueue_many([], purpose=Delivery.Purpose.CONFIRMATION) == 0
    assert rung == []
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert queue.enqueue_many(wanted, purpose=Delivery.Purpose.CONFIRMATION) == 3
    assert rung == [("mailinglist.tasks.send_mail",)]
    assert Delivery.objects.filter(state="queued").count() == 3
