"""The life of a campaign: what may follow what, and what a start decides once."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import lifecycle, suppression
from mailinglist.changes import SYSTEM
from mailinglist.composing import body
from mailinglist.models import (
    Attempt,
    Campaign,
    CampaignVersion,
    Change,
    Delivery,
    Subscriber,
    Subscription,
    Suppression,
)
from mailinglist.sending import engine, queue
from mailinglist.sending.outcomes import Outcome, Refused, Scope
from mailinglist.sending.transport import Raw
from tests.counts import counted
from tests.factories import make_campaign, make_list, make_readers, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, claim, started, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]


def moves(campaign: Campaign) -> list[tuple[str, str]]:
    return list(
        Change.objects.filter(noun="campaign", object_id=campaign.pk)
        .order_by("pk")
        .values_list("before", "after")
    )


class TestStart:
    def test_it_freezes_the_content_and_makes_a_delivery_for_everyone(self) -> None:
        campaign = started(3)
        assert campaign.status == "sending"
        assert campaign.retry_until - campaign.started_at == timedelta(days=10)
        assert states(campaign) == [("queued", "")] * 3
        assert set(campaign.deliveries.values_list("version_id", flat=True)) == {campaign.version_id}
        assert moves(campaign) == [("draft", "sending")]

    def test_a_second_start_does_nothing(self) -> None:
        campaign = started(3)
        assert lifecycle.start(campaign.pk, by=SYSTEM) is False
        assert campaign.deliveries.count() == 3 and CampaignVersion.objects.count() == 1

    def test_a_cancelled_campaign_cannot_start(self) -> None:
        campaign = started(1)
        lifecycle.cancel(campaign.pk, by=SYSTEM)
        with pytest.raises(lifecycle.NotAllowed, match="cancelled"):
            lifecycle.start(campaign.pk, by=SYSTEM)

    def test_what_is_not_ready_stays_a_draft(self) -> None:
        campaign = make_campaign(subject="", body=" ")
        with pytest.raises(lifecycle.CampaignNotReady) as refusal:
            lifecycle.start(campaign.pk, by=SYSTEM)
        assert {problem.field for problem in refusal.value.problems} == {"subject", "body", "lists"}
        campaign.refresh_from_db()
        assert campaign.status == "draft" and CampaignVersion.objects.count() == 0

    def test_the_suppressed_get_a_row_with_the_reason_and_others_none(self) -> None:
        news = make_list()
        bad = make_subscriber("bad@post.example", news)
        suppression.suppress(bad.pk, reason=Suppression.Reason.HARD_BOUNCE, by=SYSTEM, why="gone")
        for status, reason in (("pending", ""), ("unsubscribed", "page")):
            person = make_subscriber(f"{status}@post.example")
            Subscription.objects.create(
                list=news, subscriber=person, status=status, unsubscribe_reason=reason, source="test"
            )
        campaign = started(1, mailing_list=news)
        assert states(campaign) == [("skipped", "suppressed"), ("queued", "")]
        assert counted(news) == (1, 1, 0)

    def test_a_released_suppression_does_not_count(self) -> None:
        news = make_list()
        person = make_subscriber("back@post.example", news)
        suppression.suppress(person.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="x")
        suppression.release(Suppression.objects.get().pk, by=SYSTEM, why="y")
        assert counted(news) == (1, 0, 0)

    def test_somebody_on_two_lists_gets_one_mail_for_the_first(self) -> None:
        first, second = make_list("a"), make_list("b")
        make_subscriber("both@post.example", second, first)
        make_subscriber("one@post.example", second)
        campaign = make_campaign(second, first)
        lifecycle.start(campaign.pk, by=SYSTEM)
        assert dict(campaign.deliveries.values_list("subscriber__email", "list_id")) == {
            "both@post.example": first.pk,
            "one@post.example": second.pk,
        }

    def test_editing_afterwards_changes_no_mail(self) -> None:
        started(1)
        Campaign.objects.update(subject="Other", body="Other")
        assert "The news of the week." in CampaignVersion.objects.get().text
        assert CampaignVersion.objects.get().subject == "News for {{ name }}"

    def test_neither_another_list_nor_who_joins_later_changes_who_gets_it(
        self, unlimited_pace: object
    ) -> None:
        campaign = started(2)
        make_subscriber("late@post.example", campaign.lists.get())
        other = make_list("other")
        make_subscriber("elsewhere@post.example", other)
        campaign.lists.set([other])
        assert not lifecycle.start(campaign.pk, by=SYSTEM)
        ses = FakeSES()
        engine.run(campaign.pk, transport=Raw(ses))
        assert ses.to == ["p0@post.example", "p1@post.example"]
        assert set(campaign.deliveries.values_list("version_id", flat=True)) == {campaign.version_id}

    def test_a_snapshot_of_many_holds_nobody_in_memory(self) -> None:
        news = make_list()
        make_readers(news, 4_000)
        campaign = make_campaign(news)
        tracemalloc.start()
        lifecycle.start(campaign.pk, by=SYSTEM)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert campaign.deliveries.count() == 4_000
        assert peak < 800_000

    def test_the_demo_day_shortens_the_time_for_retries(self, settings: object) -> None:
        settings.DAY_SECONDS, settings.RETRY_WINDOW_DAYS = 2, 3  # type: ignore[attr-defined]
        campaign = started(1)
        assert campaign.retry_until - campaign.started_at == timedelta(seconds=6)

    def test_it_wakes_a_worker(self, rung: list[object], django_capture_on_commit_callbacks: object) -> None:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            campaign = started(1)
        assert rung == [("mailinglist.tasks.send_campaign", campaign.pk)]

    @pytest.mark.parametrize(("part", "name"), [("html", "HTML"), ("text", "text")])
    def test_a_mail_without_an_unsubscribe_link_does_not_start(
        self, monkeypatch: pytest.MonkeyPatch, part: str, name: str
    ) -> None:
        """Our frame brings it; this holds whatever becomes of the frame."""
        usual = body.compile

        def compile(campaign: body.Written) -> body.Compiled:
            whole = usual(campaign)
            return replace(
                whole, **{part: getattr(whole, part).replace("unsubscribe_url", "preferences_url")}
            )

        monkeypatch.setattr(body, "compile", compile)
        news = make_list()
        make_readers(news, 1)
        campaign = make_campaign(news)
        with pytest.raises(lifecycle.CampaignNotReady, match=f"The {name} part has no unsubscribe link"):
            lifecycle.start(campaign.pk, by=SYSTEM)
        assert not Delivery.objects.exists()


class TestSchedule:
    def scheduled(self) -> Campaign:
        news = make_list()
        make_subscriber("a@post.example", news)
        campaign = make_campaign(news)
        lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(hours=1), by=SYSTEM)
        return campaign

    def test_it_starts_when_its_time_has_come_and_once(self) -> None:
        campaign = self.scheduled()
        assert lifecycle.start_due() == []
        Campaign.objects.update(scheduled_at=timezone.now() - timedelta(seconds=1))
        assert lifecycle.start_due() == [campaign.pk]
        assert lifecycle.start_due() == []
        assert moves(campaign) == [("draft", "scheduled"), ("scheduled", "sending")]

    def test_it_can_be_moved_and_taken_back(self) -> None:
        campaign = self.scheduled()
        later = timezone.now() + timedelta(hours=2)
        lifecycle.schedule(campaign.pk, at=later, by=SYSTEM)
        campaign.refresh_from_db()
        assert campaign.scheduled_at == later
        assert lifecycle.unschedule(campaign.pk, by=SYSTEM)
        assert not lifecycle.unschedule(campaign.pk, by=SYSTEM)
        campaign.refresh_from_db()
        assert (campaign.status, campaign.scheduled_at) == ("draft", None)

    def test_the_past_is_refused(self) -> None:
        campaign = make_campaign(make_list())
        with pytest.raises(lifecycle.NotAllowed, match="passed"):
            lifecycle.schedule(campaign.pk, at=timezone.now() - timedelta(seconds=1), by=SYSTEM)

    def test_one_that_cannot_start_becomes_a_draft_with_the_reason_in_its_history(self) -> None:
        campaign = self.scheduled()
        Subscriber.objects.all().delete()
        Campaign.objects.update(scheduled_at=timezone.now() - timedelta(seconds=1))
        assert lifecycle.start_due() == []
        assert moves(campaign)[-1] == ("scheduled", "draft")
        assert "Nobody would get it" in Change.objects.order_by("-pk")[0].why


class TestPauseAndCancel:
    def test_pause_and_resume(self, rung: list[object], django_capture_on_commit_callbacks: object) -> None:
        campaign = started(1)
        assert lifecycle.pause(campaign.pk, reason="manager", text="A mistake.", by=SYSTEM)
        assert not lifecycle.pause(campaign.pk, reason="manager", text="A mistake.", by=SYSTEM)
        campaign.refresh_from_db()
        assert (campaign.status, campaign.status_reason, campaign.status_detail) == (
            "paused",
            "manager",
            "A mistake.",
        )
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            assert lifecycle.resume(campaign.pk, by=SYSTEM)
        assert not lifecycle.resume(campaign.pk, by=SYSTEM)
        campaign.refresh_from_db()
        assert (campaign.status, campaign.status_reason) == ("sending", "")
        assert rung == [("mailinglist.tasks.send_campaign", campaign.pk)]

    @pytest.mark.parametrize("before", ["sending", "paused", "finished"])
    def test_cancel_ends_what_has_not_left(self, before: str) -> None:
        campaign = started(3)
        claim(campaign, 1)
        Campaign.objects.update(status=before, status_reason="x")
        assert lifecycle.cancel(campaign.pk, by=SYSTEM) == 2
        assert lifecycle.cancel(campaign.pk, by=SYSTEM) == 0
        assert [state for state, _ in states(campaign)] == ["sending", "cancelled", "cancelled"]

    def test_a_draft_cannot_be_cancelled(self) -> None:
        with pytest.raises(lifecycle.NotAllowed, match="draft"):
            lifecycle.cancel(make_campaign().pk, by=SYSTEM)


class TestSettle:
    def test_a_drained_campaign_is_finished(self, unlimited_pace: object) -> None:
        campaign = started(2)
        lifecycle.settle(campaign.pk, engine.run(campaign.pk, transport=Raw(FakeSES())))
        campaign.refresh_from_db()
        assert campaign.status == "finished" and campaign.finished_at

    def test_it_is_not_finished_while_a_mail_is_in_doubt_or_on_its_way(self) -> None:
        campaign = started(2)
        claim(campaign, 1)
        lifecycle.settle(campaign.pk, engine.Drained())
        campaign.refresh_from_db()
        assert campaign.status == "sending"
        Delivery.objects.update(state="unknown", reason="timeout", lease_until=None)
        assert not lifecycle.finish_if_done(campaign.pk)
        Delivery.objects.update(reason="held")
        assert lifecycle.finish_if_done(campaign.pk)

    def test_ses_says_stop_and_the_campaign_is_paused_with_the_reason(self) -> None:
        campaign = started(1)
        lifecycle.settle(campaign.pk, engine.Stopped("ses-paused", "Amazon SES has paused sending."))
        campaign.refresh_from_db()
        assert (campaign.status, campaign.status_reason) == ("paused", "ses-paused")

    def test_waiting_for_quota_is_shown_and_passes(self) -> None:
        campaign = started(1)
        lifecycle.settle(campaign.pk, engine.More(60, "quota"))
        campaign.refresh_from_db()
        assert (campaign.status, campaign.status_reason) == ("sending", "quota")
        lifecycle.settle(campaign.pk, engine.More(10, "busy"))
        campaign.refresh_from_db()
        assert campaign.status_reason == "quota"
        lifecycle.settle(campaign.pk, engine.More(0, ""))
        campaign.refresh_from_db()
        assert (campaign.status_reason, campaign.status_detail) == ("", "")

    def test_a_result_that_comes_late_does_not_wake_a_cancelled_campaign(self) -> None:
        campaign = started(1)
        lifecycle.cancel(campaign.pk, by=SYSTEM)
        for result in (engine.Drained(), engine.Stopped("x", "y"), engine.More(1, "quota")):
            lifecycle.settle(campaign.pk, result)
        campaign.refresh_from_db()
        assert (campaign.status, campaign.status_detail) == ("cancelled", "")


class TestTestMail:
    def test_it_goes_through_the_queue_to_people_without_subscription(self, unlimited_pace: object) -> None:
        campaign = make_campaign(make_list())
        ids = lifecycle.send_test(campaign.pk, ["Me@post.example", "Me@post.example"], by=SYSTEM)
        assert len(ids) == 1 and Delivery.objects.get().purpose == "test"
        ses = FakeSES()
        assert engine.run(None, transport=Raw(ses)) == engine.Drained()
        assert ses.to == ["Me@post.example"]
        assert Subscription.objects.count() == 0
        campaign.refresh_from_db()
        assert campaign.status == "draft"

    def test_a_start_reuses_the_version_when_nothing_was_changed(self) -> None:
        news = make_list()
        make_subscriber("a@post.example", news)
        campaign = make_campaign(news)
        lifecycle.send_test(campaign.pk, ["me@post.example"], by=SYSTEM)
        lifecycle.start(campaign.pk, by=SYSTEM)
        assert CampaignVersion.objects.count() == 1

    def test_without_a_list_there_is_none(self) -> None:
        with pytest.raises(lifecycle.CampaignNotReady):
            lifecycle.send_test(make_campaign().pk, ["me@post.example"], by=SYSTEM)

    def test_a_suppressed_address_gets_none(self, unlimited_pace: object) -> None:
        campaign = make_campaign(make_list())
        person = make_subscriber("me@post.example")
        suppression.suppress(person.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="spam")
        lifecycle.send_test(campaign.pk, ["me@post.example"], by=SYSTEM)
        ses = FakeSES()
        engine.run(None, transport=Raw(ses))
        assert ses.mails == [] and Delivery.objects.get().reason == "suppressed"


@pytest.mark.usefixtures("unlimited_pace")
class TestRetriesThatSesDoesNotTake:
    """The campaign is finished; then SES pauses the account."""

    def held(self) -> Campaign:
        campaign = started(3)
        self.run(campaign)
        assert campaign.status == "finished"
        Attempt.objects.update(verdict="soft", reason="mailbox-full")
        Delivery.objects.update(state="queued", reason="soft:mailbox-full")
        assert self.run(campaign, Refused(Scope.ACCOUNT, "ses-paused", "paused")) > 0
        return campaign

    def run(self, campaign: Campaign, answer: Outcome | None = None) -> int:
        """How many were posted."""
        ses = FakeSES(lambda to: answer)
        lifecycle.settle(campaign.pk, engine.run(campaign.pk, transport=Raw(ses)))
        campaign.refresh_from_db()
        return len(ses.mails)

    def time_passes(self, campaign: Campaign) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(held_until=timezone.now())

    def test_they_are_not_posted_at_each_sweep_and_the_campaign_says_why(self) -> None:
        campaign = self.held()
        assert queue.campaigns_with_due() == [] and queue.next_due_in(campaign.pk) is None
        assert self.run(campaign) == 0
        assert (campaign.status, campaign.status_reason) == ("finished", "ses-paused")
        assert "has paused sending" in campaign.status_detail
        assert "tried again every 15 minutes" in campaign.status_detail

    def test_they_are_tried_again_and_told_once(self) -> None:
        campaign = self.held()
        self.time_passes(campaign)
        assert queue.campaigns_with_due() == [campaign.pk]
        self.run(campaign, Refused(Scope.ACCOUNT, "ses-paused", "paused"))
        assert campaign.held_until > timezone.now() + timedelta(minutes=14)
        assert moves(campaign).count(("finished", "finished")) == 1

    def test_when_ses_takes_mail_again_they_go_on_by_themselves(self) -> None:
        campaign = self.held()
        self.time_passes(campaign)
        assert self.run(campaign) == 3
        assert (campaign.status, campaign.status_detail, campaign.held_until) == ("finished", "", None)

    def test_a_manager_need_not_wait(self) -> None:
        campaign = self.held()
        assert lifecycle.resume(campaign.pk, by=SYSTEM)
        assert self.run(campaign) == 3
        assert not lifecycle.resume(campaign.pk, by=SYSTEM)

    def test_a_cancelled_campaign_is_not_held(self) -> None:
        campaign = self.held()
        assert lifecycle.cancel(campaign.pk, by=SYSTEM) == 3
        campaign.refresh_from_db()
        assert (campaign.held_until, campaign.status_detail) == (None, "")
