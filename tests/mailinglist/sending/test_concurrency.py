"""Several workers at once, on real connections: what must not happen twice, and what must not slip through."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from mailinglist import lifecycle, places, subscriptions, suppression
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Campaign, CampaignVersion, Change, Subscription, Suppression
from mailinglist.sending import engine, queue
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list, make_readers
from tests.mailinglist.sending.helpers import FakeSES, claim, started, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rung")]


def in_thread(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connection.close()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts in threads that begin together; their results in order."""
    barrier = threading.Barrier(len(acts))

    def begin(act: Callable[[], Any]) -> Any:
        barrier.wait()
        return in_thread(act)

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(begin, act) for act in acts]]


def test_claims_at_the_same_time_are_disjoint_and_complete() -> None:
    campaign = started(40)
    taken: list[int] = []

    def work() -> None:
        while rows := claim(campaign, 3):
            taken.extend(row.delivery_id for row in rows)

    at_once(*[work] * 6)
    assert len(taken) == len(set(taken)) == 40
    assert Attempt.objects.count() == 40


def test_fifty_starts_at_once_make_one_snapshot() -> None:
    news = make_list()
    make_readers(news, 10)
    campaign = make_campaign(news)
    at_a_time = 10
    results = [
        result
        for _ in range(5)
        for result in at_once(*[lambda: lifecycle.start(campaign.pk, by=SYSTEM)] * at_a_time)
    ]
    assert results.count(True) == 1
    assert campaign.deliveries.count() == 10
    assert CampaignVersion.objects.count() == Change.objects.filter(noun="campaign").count() == 1


@pytest.mark.parametrize("leave", ["unsubscribe", "suppress"])
def test_who_left_before_the_claim_committed_is_not_mailed(leave: str) -> None:
    """The claim begins while an unsubscribe is under way: it waits for it, and then sees it."""
    campaign = started(1)
    person = campaign.deliveries.get().subscriber_id
    claimed: list[list[queue.Claimed]] = []
    claimer = threading.Thread(target=lambda: in_thread(lambda: claimed.append(claim(campaign))))
    with transaction.atomic():
        if leave == "unsubscribe":
            subscriptions.unsubscribe(person, reason=Subscription.Reason.ONE_CLICK, by=SYSTEM, why="left")
        else:
            suppression.suppress(person, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="spam")
        claimer.start()
        claimer.join(0.5)
        assert claimer.is_alive(), "the claim did not wait"
    claimer.join(10)
    assert claimed == [[]]
    assert states(campaign)[0][0] == "skipped"


def test_a_pause_waits_for_no_claim_and_no_claim_follows_it() -> None:
    campaign = started(200)
    paused = threading.Event()
    after: list[int] = []

    def work() -> None:
        while True:
            was_paused = paused.is_set()
            rows = claim(campaign, 1)
            if was_paused:
                after.append(len(rows))
                return
            if not rows:
                return

    def pause() -> None:
        lifecycle.pause(campaign.pk, reason="manager", text="Stop.", by=SYSTEM)
        paused.set()

    at_once(work, work, work, pause)
    assert sum(after) == 0
    assert campaign.deliveries.filter(state="queued").count() > 0


def test_runs_at_the_same_time_send_everyone_one_mail(unlimited_pace: object) -> None:
    campaign = started(60)
    ses = FakeSES()
    results = at_once(*[lambda: engine.run(campaign.pk, transport=Raw(ses), concurrency=4)] * 3)
    assert engine.Drained() in results
    assert ses.to == sorted(f"p{i}@post.example" for i in range(60))


def test_doubled_messages_start_no_more_runs_than_there_are_places(unlimited_pace: object) -> None:
    campaign = started(1)
    release = threading.Event()
    holding = threading.Barrier(engine.RUNS_PER_CAMPAIGN + 1)

    def hold() -> None:
        with places.place(places.SENDING, campaign.pk, engine.RUNS_PER_CAMPAIGN) as free:
            assert free
            holding.wait(10)
            release.wait(10)

    threads = [threading.Thread(target=lambda: in_thread(hold)) for _ in range(engine.RUNS_PER_CAMPAIGN)]
    for thread in threads:
        thread.start()
    holding.wait(10)
    assert engine.is_running(campaign.pk) and not engine.is_running(None)
    assert in_new_connection(lambda: engine.run(campaign.pk, transport=Raw(FakeSES()))) == engine.More(
        10, "busy"
    )
    release.set()
    for thread in threads:
        thread.join(10)
    assert not engine.is_running(campaign.pk)


def test_starts_pauses_resumes_and_cancels_at_random_keep_every_row_in_one_state(
    unlimited_pace: object,
) -> None:
    campaign = started(100)
    ses = FakeSES()

    def disturb() -> None:
        for _ in range(10):
            lifecycle.pause(campaign.pk, reason="manager", text="x", by=SYSTEM)
            lifecycle.resume(campaign.pk, by=SYSTEM)

    def send() -> None:
        for _ in range(10):
            lifecycle.settle(
                campaign.pk, engine.run(campaign.pk, transport=Raw(ses), seconds=0.2, concurrency=4)
            )

    at_once(disturb, disturb, send, send)
    lifecycle.cancel(campaign.pk, by=SYSTEM)
    found = [state for state, _ in states(campaign)]
    assert set(found) <= {"sent", "cancelled"} and len(found) == 100
    assert len(ses.mails) == len(set(ses.to)) == found.count("sent")
    assert Campaign.objects.get().status == "cancelled"


def in_new_connection(act: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(in_thread, act).result(timeout=30)
