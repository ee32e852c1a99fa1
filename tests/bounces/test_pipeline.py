"""Stored notification → events, verdicts, states and effects, in any order and any number of copies."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bounces import ingest, pipeline, tasks
from bounces.models import AddressHealth, Event, Notification
from mailinglist import lifecycle, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Attempt, Change, Delivery, MailingList, Subscription, Suppression
from mailinglist.sending import queue
from mailinglist.sending.outcomes import Outcome, Refused, Scope, Unknown
from tests import memory
from tests import ses_events as ses
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.ses_events import T0

pytestmark = pytest.mark.django_db

State = Delivery.State
THROTTLED = Refused(Scope.THROTTLE, "throttled", "slow")
DAY = timedelta(days=1)


@pytest.fixture
def delivery() -> Delivery:
    """One accepted campaign mail to one person."""
    return send_to("ada@post.example")


def send_to(email: str, slug: str = "news") -> Delivery:
    mailing_list = make_list(slug)
    make_subscriber(email, mailing_list)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    type(campaign).objects.filter(pk=campaign.pk).update(started_at=T0, retry_until=T0 + 10 * DAY)
    (delivery,) = ses.accept_all(campaign.pk)
    Attempt.objects.filter(delivery=delivery).update(started_at=T0)
    Delivery.objects.filter(pk=delivery.pk).update(created_at=T0)
    return delivery


def take(*documents: dict[str, Any]) -> pipeline.Done:
    ids = []
    for document in documents:
        body = ses.raw(document)
        stored = ingest.store(
            body, source=Notification.Source.FILE, dedupe_key=ingest.content_key(body), wake=False
        )
        ids.append(stored.notification_id)
    return pipeline.process(ids)


def state_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def subscription(delivery: Delivery) -> Subscription:
    return Subscription.objects.get(subscriber=delivery.subscriber, list=delivery.list)


def test_a_delivery_event_makes_the_mail_delivered(delivery: Delivery) -> None:
    done = take(ses.sent(delivery), ses.delivered(delivery))
    assert (done.processed, done.events) == (2, 2)
    assert state_of(delivery) == State.DELIVERED
    assert subscription(delivery).status == "confirmed"


def test_a_hard_bounce_unsubscribes_from_all_lists_and_suppresses_with_the_event_as_evidence(
    delivery: Delivery,
) -> None:
    other = make_list("other")
    Subscription.objects.create(list=other, subscriber=delivery.subscriber, status="confirmed", source="test")
    take(ses.bounced(delivery))
    assert state_of(delivery) == State.BOUNCED
    assert delivery.reason.startswith("hard:")
    assert set(Subscription.objects.values_list("status", "unsubscribe_reason")) == {
        ("unsubscribed", "hard-bounce")
    }
    assert suppression.is_suppressed(delivery.subscriber)
    event = Event.objects.get(verdict="hard")
    changes = Change.objects.filter(subscriber=delivery.subscriber, actor=Kind.RULE)
    assert {change.evidence["event"] for change in changes} == {event.pk}
    assert all(change.why for change in changes)


def test_a_soft_bounce_waits_a_day_for_its_retry_and_leaves_the_person_alone(delivery: Delivery) -> None:
    take(ses.full(delivery))
    assert state_of(delivery) == State.WAITING
    assert delivery.next_attempt_at is not None
    delay = delivery.next_attempt_at - (T0 + timedelta(seconds=5))
    assert timedelta(hours=21) < delay < timedelta(hours=27)
    assert subscription(delivery).status == "confirmed"
    assert AddressHealth.objects.get(subscriber=delivery.subscriber).state == "wavering"


@pytest.mark.parametrize(
    ("second", "came_back", "state"),
    [
        (THROTTLED, ses.delivered, State.DELIVERED),
        (THROTTLED, ses.bounced, State.BOUNCED),
        (THROTTLED, ses.full, State.WAITING),
        (Unknown("timeout", ""), ses.delivered, State.DELIVERED),
        # The second may be in their mailbox.
        (Unknown("timeout", ""), ses.full, State.SENT),
    ],
)
def test_reports_about_a_first_mail_in_doubt_count_when_the_second_was_not_taken(
    second: Outcome, came_back: Any, state: str
) -> None:
    make_subscriber("ada@post.example", make_list())
    campaign = make_campaign(MailingList.objects.get())
    lifecycle.start(campaign.pk, by=SYSTEM)
    for outcome in (Unknown("timeout", ""), second):
        [row] = queue.claim(1, campaign_id=campaign.pk, lease_seconds=60)
        if row.attempt == 2:
            take(ses.sent(Delivery.objects.get()))
        queue.finish([(row, outcome)])
        if row.attempt == 1:
            queue.resend(row.delivery_id, by=SYSTEM)
    delivery = Delivery.objects.get()
    assert delivery.state == State.SENT
    take(came_back(delivery))
    assert state_of(delivery) == state


def retry(delivery: Delivery) -> int:
    """What the sweep does when the time has come: queue it again, and send."""
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    type(delivery.campaign).objects.filter(pk=delivery.campaign_id).update(
        retry_until=timezone.now() + 10 * DAY
    )
    from bounces import retries

    assert retries.run_due().requeued == 1
    return ses.accept(delivery)


def test_a_retry_that_arrives_is_delivered(delivery: Delivery) -> None:
    take(ses.full(delivery))
    assert retry(delivery) == 2
    take(ses.delivered(delivery, attempt=2, at=T0 + DAY))
    assert state_of(delivery) == State.DELIVERED
    assert list(delivery.attempt_set.order_by("number").values_list("verdict", flat=True)) == [
        "soft",
        "delivered",
    ]


def test_soft_bounces_with_all_retries_used_end_that_subscription_but_do_not_suppress(
    delivery: Delivery,
) -> None:
    other = make_list("other")
    Subscription.objects.create(list=other, subscriber=delivery.subscriber, status="confirmed", source="test")
    for attempt in (1, 2, 3):
        take(ses.full(delivery, attempt=attempt, at=T0 + attempt * DAY))
        assert state_of(delivery) == State.WAITING
        retry(delivery)
    take(ses.full(delivery, attempt=4, at=T0 + 8 * DAY))
    assert state_of(delivery) == State.BOUNCED
    assert subscription(delivery).unsubscribe_reason == "soft-exhausted"
    assert Subscription.objects.get(list=other).status == "confirmed"
    assert not suppression.is_suppressed(delivery.subscriber)


def test_a_block_is_tried_once_more_and_never_counts(delivery: Delivery) -> None:
    take(ses.blocked(delivery))
    assert state_of(delivery) == State.WAITING
    retry(delivery)
    take(ses.blocked(delivery, attempt=2, at=T0 + DAY))
    assert state_of(delivery) == State.BOUNCED
    assert delivery.reason.startswith("block:")
    assert subscription(delivery).status == "confirmed"
    assert AddressHealth.objects.get(subscriber=delivery.subscriber).consecutive_soft == 0


def test_a_mail_that_is_too_large_fails_and_never_counts(delivery: Delivery) -> None:
    take(
        ses.bounced(
            delivery, "Transient", "MessageTooLarge", "5.3.4", "smtp; 552 5.3.4 Message size exceeds limit"
        )
    )
    assert state_of(delivery) == State.FAILED
    assert subscription(delivery).status == "confirmed"


def test_an_out_of_office_reply_changes_nothing(delivery: Delivery) -> None:
    take(ses.delivered(delivery), ses.out_of_office(delivery))
    assert state_of(delivery) == State.DELIVERED
    assert subscription(delivery).status == "confirmed"
    assert Event.objects.get(kind="bounce").verdict == "auto-reply"


def test_a_complaint_unsubscribes_and_suppresses_even_after_a_delivery(delivery: Delivery) -> None:
    take(ses.delivered(delivery))
    take(ses.complained(delivery))
    assert state_of(delivery) == State.COMPLAINED
    assert subscription(delivery).unsubscribe_reason == "complaint"
    assert Suppression.objects.get().reason == "complaint"


def test_a_not_spam_report_changes_nothing(delivery: Delivery) -> None:
    take(ses.delivered(delivery), ses.complained(delivery, "not-spam"))
    assert state_of(delivery) == State.DELIVERED
    assert subscription(delivery).status == "confirmed"
    assert not Suppression.objects.exists()


def test_a_bounce_after_a_delivery_of_the_same_mail_wins(delivery: Delivery) -> None:
    take(ses.delivered(delivery))
    take(ses.bounced(delivery))
    assert state_of(delivery) == State.BOUNCED
    assert subscription(delivery).status == "unsubscribed"


def earlier_delivery(delivery: Delivery, days: int = 30) -> None:
    """The address took another mail before."""
    campaign = make_campaign(delivery.list, name="earlier")
    lifecycle.start(campaign.pk, by=SYSTEM)
    (older,) = ses.accept_all(campaign.pk)
    Attempt.objects.filter(delivery=older).update(started_at=T0 - days * DAY)
    take(ses.delivered(older, at=T0 - days * DAY))


def test_a_hard_bounce_of_an_address_that_took_mail_before_is_held_for_six_hours(delivery: Delivery) -> None:
    earlier_delivery(delivery)
    now = timezone.now()
    take(ses.bounced(delivery, at=now))
    assert state_of(delivery) == State.BOUNCED
    assert subscription(delivery).status == "confirmed"
    event = Event.objects.get(verdict="hard")
    assert event.effect_at is not None and event.applied_at is None
    assert timedelta(hours=5, minutes=59) < event.effect_at - now < timedelta(hours=6, minutes=1)
    assert pipeline.apply_due_effects() == 0
    assert subscription(delivery).status == "confirmed"
    body_at = event.occurred_at - timedelta(hours=7)
    Event.objects.filter(pk=event.pk).update(occurred_at=body_at, effect_at=body_at + timedelta(hours=6))
    assert pipeline.apply_due_effects() == 1
    assert subscription(delivery).unsubscribe_reason == "hard-bounce"
    assert pipeline.apply_due_effects() == 0


def test_a_bounce_from_before_a_restore_changes_nothing_for_the_person(delivery: Delivery) -> None:
    take(ses.bounced(delivery))
    by = Actor(Kind.COMMAND)
    suppression.release(Suppression.objects.get().pk, by=by, why="The provider was at fault.")
    subscriptions.restore(subscription(delivery).pk, by=by, why="The provider was at fault.")
    take(ses.bounced(delivery, subtype="NoEmail"))
    assert subscription(delivery).status == "confirmed"
    assert not suppression.is_suppressed(delivery.subscriber)


def test_the_same_notification_three_times_has_one_effect(delivery: Delivery) -> None:
    for _ in range(3):
        take(ses.bounced(delivery))
    assert Event.objects.count() == 1
    assert Notification.objects.get().copies == 3
    assert Change.objects.filter(noun="suppression").count() == 1


def test_an_event_that_comes_before_the_answer_of_ses_settles_the_delivery() -> None:
    from mailinglist.sending import queue
    from mailinglist.sending.outcomes import Accepted, Unknown

    mailing_list = make_list()
    make_subscriber("ada@post.example", mailing_list)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    (claimed,) = queue.claim(1, campaign_id=campaign.pk, lease_seconds=60)
    delivery = Delivery.objects.get()
    take(ses.delivered(delivery))
    assert state_of(delivery) == State.DELIVERED
    queue.finish([(claimed, Accepted(ses.message_id(delivery)))])
    assert state_of(delivery) == State.DELIVERED
    queue.finish([(claimed, Unknown("timeout", "no answer"))])
    assert state_of(delivery) == State.DELIVERED
    assert delivery.attempt_set.get().result == "accepted"


def test_an_unknown_outcome_is_resolved_by_the_send_event(delivery: Delivery) -> None:
    Attempt.objects.update(result="unknown", message_id=None)
    Delivery.objects.update(state=State.UNKNOWN, reason="timeout")
    take(ses.sent(delivery))
    assert state_of(delivery) == State.SENT
    assert delivery.attempt_set.get().message_id == ses.message_id(delivery)


def test_an_event_without_tags_finds_its_mail_when_the_message_id_is_written_down_later(
    delivery: Delivery,
) -> None:
    Attempt.objects.update(message_id=None, result="")
    Delivery.objects.update(state=State.SENDING, lease_until=timezone.now() + DAY)
    document = ses.bounced(delivery)
    del document["mail"]["tags"]
    take(document)
    assert Event.objects.get().delivery is None
    Attempt.objects.update(message_id=ses.message_id(delivery), result="accepted")
    Delivery.objects.update(state=State.SENT, lease_until=None)
    assert pipeline.rematch() == 1
    assert state_of(delivery) == State.BOUNCED
    assert subscription(delivery).status == "unsubscribed"


def test_an_event_whose_tag_and_message_id_contradict_each_other_is_quarantined(delivery: Delivery) -> None:
    document = ses.bounced(delivery)
    document["mail"]["messageId"] = "0100-somebody-else"
    done = take(document)
    assert done.quarantined == 1
    assert "0100-somebody-else" in Notification.objects.get().error
    assert subscription(delivery).status == "confirmed"
    assert not Event.objects.exists()


@pytest.mark.parametrize("tags", [True, False])
def test_an_event_about_a_mail_to_another_address_is_quarantined(delivery: Delivery, tags: bool) -> None:
    document = ses.bounced(delivery)
    document["mail"]["destination"] = ["eve@post.example"]
    if not tags:
        del document["mail"]["tags"]
    assert take(document).quarantined == 1
    error = Notification.objects.get().error
    assert "another address" in error and "eve@" not in error
    assert state_of(delivery) == State.SENT and subscription(delivery).status == "confirmed"
    assert not Event.objects.exists() and not Suppression.objects.exists()


@pytest.mark.parametrize("destination", [["ADA@Post.Example"], ["eve@post.example", "ada@post.example"], []])
def test_the_address_that_ses_mailed_to_may_be_spelled_in_another_way(
    delivery: Delivery, destination: list[str]
) -> None:
    document = ses.bounced(delivery)
    document["mail"]["destination"] = destination
    take(document)
    assert state_of(delivery) == State.BOUNCED


def test_a_tag_of_one_list_in_an_event_of_another_ones_mail_acts_on_neither(delivery: Delivery) -> None:
    other = send_to("bob@post.example", "other")
    document = ses.bounced(other)
    document["mail"]["tags"] = ses.bounced(delivery)["mail"]["tags"]
    assert take(document).quarantined == 1
    assert {row.status for row in Subscription.objects.all()} == {"confirmed"}
    assert not Suppression.objects.exists()


def test_a_forged_delivery_tag_names_nobody(delivery: Delivery) -> None:
    document = ses.bounced(delivery)
    document["mail"]["tags"]["delivery"] = [f"{delivery.pk}-1-00000000000000000000"]
    document["mail"]["messageId"] = "0100-elsewhere"
    take(document)
    assert Event.objects.get().delivery is None
    assert subscription(delivery).status == "confirmed"


def test_of_several_recipients_in_one_event_only_ours_is_meant(delivery: Delivery) -> None:
    document = ses.bounced(delivery)
    document["bounce"]["bouncedRecipients"] = [
        {"emailAddress": address, "action": "failed", "status": "5.1.1"}
        for address in ("eve@post.example", "bob@post.example")
    ]
    take(document)
    assert Event.objects.filter(delivery__isnull=True).count() == 2
    assert subscription(delivery).status == "confirmed"
    document["bounce"]["feedbackId"] = "another"
    document["bounce"]["bouncedRecipients"][0]["emailAddress"] = "ADA@post.example"
    take(document)
    assert Event.objects.get(delivery=delivery).recipient == "ADA@post.example"
    assert subscription(delivery).status == "unsubscribed"


def test_what_cannot_be_read_is_quarantined_and_its_neighbours_are_processed(delivery: Delivery) -> None:
    junk = ingest.store(b"{not json", source=Notification.Source.FILE, dedupe_key="junk", wake=False)
    body = ses.raw(ses.delivered(delivery))
    good = ingest.store(body, source=Notification.Source.FILE, dedupe_key="good", wake=False)
    done = pipeline.process([junk.notification_id, good.notification_id])
    assert (done.processed, done.quarantined) == (1, 1)
    assert state_of(delivery) == State.DELIVERED
    row = Notification.objects.get(pk=junk.notification_id)
    assert row.state == "quarantined" and row.error and bytes(row.raw or b"") == b"{not json"


def test_an_unknown_event_type_can_be_replayed_twice_with_one_effect(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bounces import events

    original = dict(events.PARSERS)
    monkeypatch.delitem(events.PARSERS, "Bounce")
    assert take(ses.bounced(delivery)).quarantined == 1
    assert subscription(delivery).status == "confirmed"
    monkeypatch.setattr(events, "PARSERS", original)
    assert pipeline.replay_quarantined().processed == 1
    assert pipeline.replay_quarantined().processed == 0
    assert subscription(delivery).unsubscribe_reason == "hard-bounce"
    assert Event.objects.count() == 1


def test_fifty_poisoned_notifications_stop_nobody_and_replayed_they_do_what_they_would_have_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bounces import events

    mailing_list = make_list()
    make_readers(mailing_list, 12)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    deliveries = ses.accept_all(campaign.pk)
    good = [ses.raw(ses.delivered(row)) for row in deliveries]
    later = [ses.raw(ses.bounced(row)) for row in deliveries[:5]]
    foreign = ses.delivered(deliveries[0]) | {"mail": ses.delivered(deliveries[1])["mail"]}
    foreign["mail"]["tags"] = ses.delivered(deliveries[0])["mail"]["tags"]
    junk = [b"{%d" % number for number in range(20)] + [b"\x00%d" % number for number in range(10)]
    junk += [b'{"eventType": "New%d", "mail": {}}' % number for number in range(12)]
    junk += [b'"' + b"x" * 500_000 + b'"', b"[" * 100_000, ses.raw(foreign)]
    assert len(junk) + len(later) == 50
    rows = [
        ingest.Incoming(raw, Notification.Source.SNS, f"sns:{number}")
        for number, raw in enumerate(
            [raw for pair in zip(junk, good * 4, strict=False) for raw in pair] + later
        )
    ]
    ids = [row.notification_id for row in ingest.store_many(rows, wake=False)]

    with monkeypatch.context() as patch:
        patch.delitem(events.PARSERS, "Bounce")
        done = pipeline.process(ids)
    assert (done.failed, done.quarantined) == (0, 50)
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
    kept = Notification.objects.filter(state="quarantined")
    assert {bytes(row.raw or b"") for row in kept} == {*junk, *later} and not kept.filter(error="").exists()

    assert pipeline.replay_quarantined().processed == 5
    after = _outcome()
    assert pipeline.replay_quarantined().processed == 0
    assert _outcome() == after
    assert Delivery.objects.filter(state=State.BOUNCED).count() == Suppression.objects.count() == 5


def _outcome() -> list[Any]:
    return [
        list(Delivery.objects.order_by("pk").values_list("state", "reason")),
        list(Event.objects.order_by("dedupe_key").values_list("dedupe_key", "verdict", "effect")),
        list(Subscription.objects.order_by("pk").values_list("status", "unsubscribe_reason")),
        Change.objects.count(),
    ]


def test_a_notification_older_than_fourteen_days_is_quarantined(delivery: Delivery) -> None:
    body = ses.raw(ses.bounced(delivery))
    stored = ingest.store(
        body,
        source=Notification.Source.SNS,
        dedupe_key="sns:1",
        published_at=timezone.now() - timedelta(days=15),
        wake=False,
    )
    assert pipeline.process([stored.notification_id]).quarantined == 1
    assert subscription(delivery).status == "confirmed"


def test_a_fault_of_our_own_is_tried_again_five_times_and_then_quarantined(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bounces import judgement

    def broken(**_: Any) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(judgement, "settle", broken)
        assert take(ses.bounced(delivery)).failed == 1
        for _ in range(3):
            assert pipeline.process_failed().failed == 1
        assert pipeline.process_failed().quarantined == 1
    assert "a bug" in Notification.objects.get().error
    assert not Event.objects.exists()
    assert pipeline.replay_quarantined().processed == 1
    assert state_of(delivery) == State.BOUNCED


def test_what_failed_is_tried_again_after_pauses_that_grow_and_nothing_is_lost(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bounces import judgement

    def broken(**_: Any) -> None:
        raise RuntimeError("a bug")

    now = timezone.now()
    tries = []
    with monkeypatch.context() as patch:
        patch.setattr(judgement, "settle", broken)
        take(ses.bounced(delivery))
        for second in range(0, 1000, 10):
            patch.setattr(timezone, "now", lambda second=second: now + timedelta(seconds=second))
            if pipeline.process_failed(due_only=True).failed:
                tries.append(second)
    assert len(tries) == 3 and tries[0] >= 30 and tries[1] - tries[0] >= 120 and tries[2] - tries[1] >= 480
    assert Notification.objects.get().state == "stored"
    Notification.objects.update(processed_at=now - timedelta(hours=1))
    tasks.sweep()
    assert state_of(delivery) == State.BOUNCED
    row = Notification.objects.get()
    assert (row.state, row.error) == ("processed", "")


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_what_is_stored_and_neither_takes_what_the_other_has() -> None:
    from django.db import connection, transaction

    for number in range(6):
        Notification.objects.create(source="sns", raw=b"{}", dedupe_key=f"sns:{number}")
    found: list[int] = []

    def other() -> None:
        found.append(pipeline.process_stored(limit=3).taken)
        connection.close()

    with transaction.atomic():
        first = Notification.objects.select_for_update().order_by("pk")[:3]
        held = [row.pk for row in first]
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
    assert found == [3]
    assert set(Notification.objects.filter(state="stored").values_list("pk", flat=True)) == set(held)


def test_a_batch_of_events_costs_a_fixed_number_of_statements(django_assert_max_num_queries: Any) -> None:
    mailing_list = make_list()
    make_readers(mailing_list, 40)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    deliveries = ses.accept_all(campaign.pk)
    documents = [event(row) for row in deliveries for event in (ses.sent, ses.delivered, ses.opened)]
    rows = [
        ingest.Incoming(ses.raw(document), Notification.Source.SQS, f"sns:{number}")
        for number, document in enumerate(documents)
    ]
    ids = [row.notification_id for row in ingest.store_many(rows, wake=False)]
    with django_assert_max_num_queries(25):
        assert pipeline.process(ids).events == 120
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_storm_of_opens_is_taken_whole_and_the_memory_does_not_grow_with_it() -> None:
    news = make_list()
    make_readers(news, 50)
    campaign = make_campaign(news)
    lifecycle.start(campaign.pk, by=SYSTEM)
    deliveries = ses.accept_all(campaign.pk)
    peaks = []
    for number in range(4):
        at = T0 + timedelta(hours=number)
        events = [
            ses.opened(row, kind, at=at + timedelta(seconds=second))
            for row in deliveries
            for kind in ("Open", "Click")
            for second in range(5)
        ]
        rows = [
            ingest.Incoming(ses.raw(event), Notification.Source.SQS, f"sns:{number}-{index}")
            for index, event in enumerate(events)
        ]
        with memory.peak() as megabytes:
            ids = [row.notification_id for row in ingest.store_many(rows, wake=False)]
            assert pipeline.process(ids).processed == len(events) == 500
            peaks.append(megabytes())
    assert max(peaks[2:]) < 15  # a tenth of what the process has


def test_a_storm_of_events_before_the_answers_of_ses_is_proven_by_one_statement(
    django_assert_max_num_queries: Any,
) -> None:
    mailing_list = make_list()
    make_readers(mailing_list, 40)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    queue.claim(40, campaign_id=campaign.pk, lease_seconds=60)
    rows = [
        ingest.Incoming(ses.raw(ses.sent(row)), Notification.Source.SQS, f"sns:{row.pk}")
        for row in Delivery.objects.select_related("subscriber")
    ]
    ids = [row.notification_id for row in ingest.store_many(rows, wake=False)]
    with django_assert_max_num_queries(25):
        assert pipeline.process(ids).events == 40
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert Attempt.objects.filter(result="accepted", message_id__isnull=False).count() == 40
