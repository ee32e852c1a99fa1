"""One provider keeps us waiting: only its mails are slowed, each gets its turn, and the others pay nothing."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Campaign, Delivery, ProviderPace, Subscription
from mailinglist.sending import engine, pacing, providers, queue
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, claim

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung", "unlimited_pace")]
SLOW, FAST = "slow.example", "fast.example"


def mixed(slow: int = 30, fast: int = 10) -> Campaign:
    """The slow provider's people come first."""
    news = make_list()
    for i in range(slow):
        make_subscriber(f"s{i}@{SLOW}", news)
    for i in range(fast):
        make_subscriber(f"f{i}@{FAST}", news)
    campaign = make_campaign(news)
    assert lifecycle.start(campaign.pk, by=SYSTEM)
    return campaign


def slow_down(per_second: float = 1.0) -> None:
    assert providers.report(SLOW, [SLOW], reports=1, outright=True, why="It is busy.")
    ProviderPace.objects.update(per_second=per_second)


def claimed(campaign: Campaign, n: int = 100) -> list[str]:
    rows = queue.claim(n, campaign_id=campaign.pk, lease_seconds=120, slowed=True)
    return [row.email.partition("@")[2] for row in rows]


class TestReports:
    def test_single_delays_slow_nobody_and_three_do(self) -> None:
        for _ in range(2):
            assert not providers.report(SLOW, [SLOW], reports=1, outright=False, why="x")
        assert providers.slowed() == []
        assert providers.report(SLOW, [SLOW], reports=1, outright=False, why="It was busy.")
        [row] = providers.slowed()
        assert row.why == "It was busy." and row.per_second == 0.5
        assert timedelta(minutes=14) < row.until - timezone.now() < timedelta(minutes=16)

    def test_delays_of_long_ago_are_forgotten(self) -> None:
        providers.report(SLOW, [SLOW], reports=2, outright=False, why="x")
        ProviderPace.objects.update(reported_at=timezone.now() - timedelta(minutes=11))
        assert not providers.report(SLOW, [SLOW], reports=2, outright=False, why="x")

    def test_the_pace_is_half_of_what_the_provider_got_and_falls_once_a_minute(self) -> None:
        campaign = mixed(slow=120, fast=5)
        claim(campaign, 125)
        providers.report(SLOW, [SLOW], reports=1, outright=True, why="x")
        assert ProviderPace.objects.get().per_second == pytest.approx(1.0)
        assert not providers.report(SLOW, [SLOW], reports=1, outright=True, why="x")
        ProviderPace.objects.update(lowered_at=timezone.now() - timedelta(seconds=61))
        assert providers.report(SLOW, [SLOW], reports=1, outright=True, why="x")
        assert ProviderPace.objects.get().per_second == pytest.approx(0.5)


class TestClaim:
    def test_the_others_go_and_the_slow_ones_get_turns_a_second_apart(self) -> None:
        campaign = mixed()
        slow_down()
        assert claimed(campaign).count(FAST) == 10
        assert campaign.deliveries.filter(state="sending").count() <= 12
        turns = list(
            campaign.deliveries.filter(reason=providers.TURN)
            .order_by("next_attempt_at")
            .values_list("next_attempt_at", flat=True)
        )
        assert len(turns) >= 28
        gaps = [(b - a).total_seconds() for a, b in pairwise(turns)]
        assert gaps == [pytest.approx(1.0)] * len(gaps)
        assert claimed(campaign) == []

    def test_a_mail_whose_turn_has_come_goes(self) -> None:
        campaign = mixed(slow=5, fast=0)
        slow_down()
        claimed(campaign)
        waiting = campaign.deliveries.filter(reason=providers.TURN)
        first = waiting.order_by("next_attempt_at").first()
        Delivery.objects.filter(pk=first.pk).update(next_attempt_at=timezone.now())
        assert claimed(campaign) == [SLOW]

    def test_turns_from_before_the_pace_fell_are_given_out_anew(self) -> None:
        campaign = mixed(slow=5, fast=0)
        slow_down()
        claimed(campaign)
        Delivery.objects.filter(reason=providers.TURN).update(next_attempt_at=timezone.now())
        ProviderPace.objects.update(
            lowered_at=timezone.now() + timedelta(seconds=1),
            next_turn_at=timezone.now() + timedelta(seconds=30),
        )
        assert claimed(campaign) == []

    def test_turns_end_with_the_slowness(self) -> None:
        campaign = mixed(slow=30, fast=0)
        slow_down()
        until = timezone.now() + timedelta(seconds=5)
        ProviderPace.objects.update(until=until)
        claimed(campaign)
        assert campaign.deliveries.filter(reason=providers.KEPT_BACK, next_attempt_at=until).count() >= 22
        assert not campaign.deliveries.filter(next_attempt_at__gt=until).exists()
        ProviderPace.objects.update(until=timezone.now())
        Delivery.objects.filter(state="queued").update(next_attempt_at=timezone.now())
        assert len(claimed(campaign)) >= 28

    def test_confirmations_are_never_kept_back(self) -> None:
        slow_down(0.1)
        ProviderPace.objects.update(next_turn_at=timezone.now() + timedelta(minutes=5))
        news, person = make_list(), make_subscriber(f"new@{SLOW}")
        Subscription.objects.create(list=news, subscriber=person, status="pending", source="form")
        queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
        assert len(queue.claim(10, campaign_id=None, lease_seconds=120, slowed=True)) == 1

    def test_a_run_sends_the_others_at_once_and_says_that_more_is_later(self) -> None:
        campaign = mixed()
        slow_down(0.1)
        ProviderPace.objects.update(next_turn_at=timezone.now() + timedelta(minutes=1))
        ses = FakeSES()
        result = engine.run(campaign.pk, transport=Raw(ses), seconds=2)
        assert isinstance(result, engine.More) and result.why == engine.LATER
        assert len(ses.mails) == 10 and all(FAST in to for to in ses.to)
        assert Attempt.objects.count() == 10


def test_the_permit_says_whether_a_provider_is_slowed() -> None:
    assert not pacing.take(1).slowed
    slow_down()
    assert pacing.take(1).slowed
    ProviderPace.objects.update(until=timezone.now())
    assert not pacing.take(1).slowed


def test_rows_that_wait_for_their_time_are_not_read_by_a_claim() -> None:
    """5,000 rows with a later time stand before the 5 that may go: the claim finds those by its index."""
    campaign = mixed(slow=0, fast=5)
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH people AS (
                   INSERT INTO mailinglist_subscriber (email, email_key, name, attributes, language, time_zone, token,
                                                       suppression_key, created_at, updated_at)
                   SELECT n || '@x.example', n || '@x.example', '', '{}', '', '', 't' || n, 'k' || n, now(), now()
                   FROM generate_series(1, 5000) n RETURNING id)
               INSERT INTO mailinglist_delivery (campaign_id, version_id, list_id, subscriber_id, purpose, state, reason,
                   attempts, crashes, fence, created_at, changed_at, next_attempt_at)
               SELECT c.id, c.version_id, %s, people.id, 'campaign', 'queued', '', 0, 0, 0, now(), now(),
                      now() + interval '1 hour'
               FROM people, mailinglist_campaign c""",
            [campaign.lists.get().pk],
        )
        cursor.execute("ANALYZE mailinglist_delivery")
        lock = queue.claim.__globals__["_LOCK"].format(campaign="d.campaign_id = %s")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) {lock}", [campaign.pk, 2**63 - 1, 50] * 2)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert plan.count("delivery_to_send") == 2
    assert "Rows Removed by Filter" not in plan and "Sort" not in plan
    assert len(claim(campaign, 50)) == 5
