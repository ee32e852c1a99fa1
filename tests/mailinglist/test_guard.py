"""The reputation guard: what it counts, when it slows and pauses, and the canary."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailinglist import guard, lifecycle, reputation, subscriptions
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Campaign, Change, Delivery, SendBudget, Subscription
from mailinglist.reputation import Numbers
from mailinglist.sending import audience, engine, pacing, queue
from mailinglist.sending.outcomes import Accepted, Outcome, Refused, Scope, Unknown
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, claim, started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung", "unlimited_pace")]


def sent(people: int = 60, **values: Any) -> Campaign:
    """A campaign that goes on, with so many mails accepted and delivered."""
    campaign = started(people, **values)
    accept(campaign)
    return campaign


def accept(campaign: Campaign, n: int = 1000) -> int:
    rows = claim(campaign, n)
    queue.finish([(row, Accepted(f"m-{row.delivery_id}")) for row in rows])
    ids = [row.delivery_id for row in rows]
    Attempt.objects.filter(delivery_id__in=ids).update(verdict="delivered")
    Delivery.objects.filter(pk__in=ids).update(state="delivered")
    Campaign.objects.filter(pk=campaign.pk).update(status="sending")
    return len(ids)


def spoil(campaign: Campaign, n: int, verdict: str, reason: str = "user-unknown") -> None:
    state = "complained" if verdict == "complaint" else "bounced"
    good = campaign.deliveries.filter(state="delivered").order_by("pk")
    ids = list(good.values_list("pk", flat=True)[:n])
    Attempt.objects.filter(delivery_id__in=ids).update(verdict=verdict, reason=reason)
    Delivery.objects.filter(pk__in=ids).update(state=state)


def watched(campaign: Campaign) -> Campaign:
    guard.watch()
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize(
    ("numbers", "level"),
    [
        (Numbers(49, 0, 49, 0), guard.FINE),
        (Numbers(1000, 980, 19, 0), guard.FINE),
        (Numbers(1000, 980, 20, 0), guard.SLOW),
        (Numbers(1000, 960, 39, 0), guard.SLOW),
        (Numbers(1000, 960, 40, 0), guard.PAUSE),
        (Numbers(10000, 1000, 0, 1), guard.FINE),
        (Numbers(10000, 4001, 0, 2), guard.FINE),
        (Numbers(10000, 4000, 0, 2), guard.SLOW),
        (Numbers(10000, 2500, 0, 2), guard.PAUSE),
        (Numbers(2500, 0, 0, 2), guard.PAUSE),
        (Numbers(1000, 960, 20, 5), guard.PAUSE),
    ],
)
def test_the_thresholds(numbers: Numbers, level: int) -> None:
    assert guard.judge(numbers, whose="this").level == level


def test_the_sentence_says_rate_threshold_and_what_to_do() -> None:
    said = guard.judge(Numbers(2500, 2400, 110, 2), whose="this campaign's mails").sentence
    bounced = "4.4 % of this campaign's mails bounced hard (110 of 2500; the limit is 4 %"
    for words in (bounced, "0.083 %", "0.08 %", "then resume"):
        assert words in said


class TestNumbers:
    def test_bounces_are_of_accepted_and_complaints_of_delivered_mails(self) -> None:
        campaign = sent(60)
        spoil(campaign, 3, "hard")
        spoil(campaign, 2, "complaint", "abuse")
        spoil(campaign, 1, "soft", "mailbox-full")
        expected = Numbers(accepted=60, delivered=56, hard=3, complaints=2)
        assert reputation.of_campaign(campaign) == expected
        assert reputation.of_account(timezone.now(), window=timedelta(hours=1)) == expected

    def test_the_global_suppression_list_of_ses_counts_and_the_accounts_own_does_not(self) -> None:
        campaign = sent(10)
        spoil(campaign, 1, "suppressed", "suppressed")
        spoil(campaign, 1, "suppressed", "account-list")
        assert reputation.of_campaign(campaign).hard == 1

    def test_the_simulator_counts_for_nothing(self) -> None:
        campaign = started(5)
        news = campaign.lists.get()
        lifecycle.cancel(campaign.pk, by=SYSTEM)
        for i in range(5):
            make_subscriber(f"bounce+{i}@simulator.amazonses.com", news)
        other = make_campaign(news)
        lifecycle.start(other.pk, by=SYSTEM)
        other.refresh_from_db()
        accept(other)
        simulated = other.deliveries.filter(subscriber__email__contains="simulator")
        Attempt.objects.filter(delivery__in=simulated).update(verdict="hard")
        simulated.update(state="bounced")
        spoil(other, 1, "hard")
        expected = Numbers(accepted=5, delivered=4, hard=1)
        assert reputation.of_campaign(other) == expected
        assert reputation.of_account(timezone.now(), window=timedelta(hours=1)) == expected

    def test_what_is_older_than_the_window_is_forgotten(self) -> None:
        spoil(sent(10), 5, "hard")
        Attempt.objects.update(started_at=timezone.now() - timedelta(hours=25))
        assert reputation.of_account(timezone.now(), window=timedelta(hours=24)) == Numbers()


class TestWatch:
    def test_good_numbers_change_nothing(self) -> None:
        campaign = watched(sent(60))
        assert (campaign.status, campaign.guard_factor, campaign.guard_text) == ("sending", 1, "")

    def test_two_of_a_hundred_slow_it_and_better_numbers_let_go(self) -> None:
        campaign = sent(100)
        spoil(campaign, 3, "hard")
        watched(campaign)
        assert campaign.status == "sending" and campaign.guard_factor == guard.SLOW_FACTOR
        assert "3 % of this campaign's mails bounced hard" in campaign.guard_text
        assert SendBudget.objects.get().guard_factor == guard.SLOW_FACTOR
        assert "25% of its pace" in Change.objects.filter(noun="campaign").order_by("-pk")[0].why
        Attempt.objects.filter(verdict="hard").update(verdict="soft")
        assert watched(campaign).guard_factor == 1 == SendBudget.objects.get().guard_factor

    def test_a_slowed_campaign_gets_a_quarter_of_the_rate(self) -> None:
        campaign = sent(1)
        lifecycle.slow(campaign.pk, factor=0.25, text="Slow.", by=SYSTEM)
        SendBudget.objects.update(max_send_rate=100)
        assert pacing.take(200, campaign_id=campaign.pk).granted == 25
        assert pacing.take(200, campaign_id=campaign.pk).granted <= 3

    def test_four_of_a_hundred_pause_it_with_the_reason(self, settings: Any) -> None:
        campaign = sent(100)
        spoil(campaign, 4, "hard")
        SendBudget.objects.update(
            guard_since=timezone.now() + timedelta(hours=1)
        )  # the account is not judged
        watched(campaign)
        assert (campaign.status, campaign.status_reason) == ("paused", guard.REPUTATION)
        assert "4 % of this campaign's mails" in campaign.status_detail

    def test_the_account_pauses_all_campaigns(self) -> None:
        bad = sent(100)
        spoil(bad, 10, "hard")
        Campaign.objects.filter(pk=bad.pk).update(status="finished")
        good = make_campaign(bad.lists.get())
        lifecycle.start(good.pk, by=SYSTEM)
        watched(good)
        assert (good.status, good.status_reason) == ("paused", guard.ACCOUNT)
        assert "of all mails of the last 24 hours" in good.status_detail

    @pytest.mark.parametrize("account", [True, False])
    def test_after_a_resume_only_what_comes_on_top_counts(self, account: bool) -> None:
        campaign = sent(100)
        spoil(campaign, 10, "hard")
        if not account:
            SendBudget.objects.update(guard_since=timezone.now() + timedelta(hours=1))
        assert watched(campaign).status == "paused"
        assert lifecycle.resume(campaign.pk, by=SYSTEM)
        assert watched(campaign).status == "sending"


class TestCanary:
    def awaited(self, people: int = 80) -> tuple[Campaign, FakeSES]:
        campaign, ses = started(people, canary_minutes=10), FakeSES()
        lifecycle.settle(campaign.pk, engine.run(campaign.pk, transport=Raw(ses), seconds=2))
        campaign.refresh_from_db()
        return campaign, ses

    def came_back(self, campaign: Campaign, **bad: int) -> None:
        ids = list(campaign.deliveries.filter(state="sent").values_list("pk", flat=True))
        Attempt.objects.filter(delivery_id__in=ids).update(verdict="delivered")
        Delivery.objects.filter(pk__in=ids).update(state="delivered")
        for verdict, n in bad.items():
            spoil(campaign, n, verdict)

    def over(self, campaign: Campaign) -> None:
        watched(campaign)
        assert campaign.canary_until is not None
        Campaign.objects.filter(pk=campaign.pk).update(canary_until=timezone.now())

    def test_only_the_first_fifty_get_it_and_the_campaign_stays_open(self) -> None:
        campaign, ses = self.awaited()
        assert len(ses.mails) == 50 and campaign.status == "sending"
        assert queue.next_due_in(campaign.pk) is None and queue.campaigns_with_due() == []
        assert watched(campaign).canary_until is not None

    def test_it_is_a_share_of_many_and_at_least_fifty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        campaign = started(60, canary_minutes=10)
        ids = list(campaign.deliveries.order_by("pk").values_list("pk", flat=True))
        assert campaign.canary_last_id == ids[49]
        monkeypatch.setattr(audience, "CANARY_LEAST", 5)
        monkeypatch.setattr(audience, "CANARY_SHARE", 0.2)
        assert audience.canary_end(campaign.pk) == ids[11]

    def test_few_recipients_need_no_canary(self) -> None:
        campaign, ses = self.awaited(50)
        assert campaign.canary_last_id is None and len(ses.mails) == 50

    def test_good_numbers_let_the_rest_follow_by_itself(self) -> None:
        campaign, ses = self.awaited()
        self.came_back(campaign)
        self.over(campaign)
        assert watched(campaign).canary_last_id is None
        assert "The rest follows" in Change.objects.order_by("-pk")[0].why
        assert engine.run(campaign.pk, transport=Raw(ses)) == engine.Drained()
        assert len(ses.mails) == len(set(ses.to)) == 80

    def test_bad_numbers_pause_it_at_once_and_a_manager_may_go_on(self) -> None:
        campaign, ses = self.awaited()
        SendBudget.objects.update(guard_since=timezone.now() + timedelta(hours=1))
        self.came_back(campaign, hard=1)
        watched(campaign)
        assert (campaign.status, campaign.status_reason) == ("paused", guard.CANARY)
        assert "2 % of the first mails" in campaign.status_detail and "Nobody else" in campaign.status_detail
        lifecycle.resume(campaign.pk, by=SYSTEM)
        engine.run(campaign.pk, transport=Raw(ses))
        assert len(ses.mails) == 80

    @pytest.mark.parametrize(
        ("outcome", "words"),
        [
            (Unknown("timeout", ""), "Only 0 of the first 50 mails have a report"),
            (Refused(Scope.RECIPIENT, "message-rejected", "no"), "Amazon SES refused 50"),
        ],
    )
    def test_a_canary_that_nobody_took_holds_the_rest(self, outcome: Outcome, words: str) -> None:
        campaign = started(80, canary_minutes=10)
        queue.finish([(row, outcome) for row in claim(campaign, 50)])
        self.over(campaign)
        watched(campaign)
        assert (campaign.status, campaign.status_reason) == ("paused", guard.CANARY)
        assert words in campaign.status_detail

    @pytest.mark.parametrize(("reported", "goes_on"), [(24, False), (25, True)])
    def test_half_of_the_reports_tell_how_it_did(self, reported: int, goes_on: bool) -> None:
        campaign, _ = self.awaited()
        ids = list(campaign.deliveries.filter(state="sent").values_list("pk", flat=True)[:reported])
        Delivery.objects.filter(pk__in=ids).update(state="delivered")
        self.over(campaign)
        watched(campaign)
        assert (campaign.status == "sending" and campaign.canary_last_id is None) == goes_on

    def test_a_canary_that_somebody_left_is_judged_all_the_same(self) -> None:
        campaign = started(80, canary_minutes=10)
        subscriptions.unsubscribe(
            claim(campaign, 1)[0].subscriber_id, reason=Subscription.Reason.PAGE, by=SYSTEM, why=""
        )
        Delivery.objects.filter(state="sending").update(state="skipped", lease_until=None)
        accept(campaign, 49)
        spoil(campaign, 20, "hard")
        SendBudget.objects.update(guard_since=timezone.now() + timedelta(hours=1))
        assert watched(campaign).status == "sending", "49 are too few to judge before the time is over"
        Campaign.objects.filter(pk=campaign.pk).update(canary_until=timezone.now())
        assert watched(campaign).status == "paused" and "of the first mails bounced" in campaign.status_detail

    def test_without_any_report_it_does_not_go_on_blindly(self) -> None:
        campaign, _ = self.awaited()
        self.over(campaign)
        watched(campaign)
        assert campaign.status == "paused" and "Not one report came back" in campaign.status_detail
