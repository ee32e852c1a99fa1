"""The numbers of a campaign, and the commands that print them."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mailinglist import lifecycle, reports
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, Delivery
from mailinglist.sending import engine, queue
from mailinglist.sending.outcomes import Accepted, Refused, Scope, Unknown
from mailinglist.sending.transport import Raw
from tests.factories import make_campaign, make_list, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, State, claim, started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rung")]


def accept_all(campaign: Campaign) -> list[queue.Claimed]:
    rows = claim(campaign)
    queue.finish([(row, Accepted(f"m-{row.delivery_id}-{row.attempt}")) for row in rows])
    return rows


def come_back(row: queue.Claimed, verdict: str, state: Delivery.State) -> None:
    queue.judge_attempt(row.delivery_id, row.attempt, verdict=verdict, reason="x")
    queue.settle(
        row.delivery_id,
        state=state,
        reason=f"{verdict}:x",
        from_states=list(State),
        next_attempt_at=timezone.now() if state == State.WAITING else None,
    )


def test_a_campaign_whose_mails_bounced_and_were_sent_again() -> None:
    campaign = started(6)
    delivered, hard, soft, again, complaint, block = accept_all(campaign)
    come_back(delivered, "delivered", State.DELIVERED)
    come_back(hard, "hard", State.BOUNCED)
    come_back(soft, "soft", State.WAITING)
    come_back(again, "soft", State.WAITING)
    come_back(complaint, "complaint", State.COMPLAINED)
    come_back(block, "block", State.BOUNCED)
    assert reports.campaign_report(campaign.pk)["final"] is False
    queue.requeue_due(10)
    soft, again = accept_all(campaign)
    come_back(soft, "delivered", State.DELIVERED)
    come_back(again, "soft", State.BOUNCED)
    report = reports.campaign_report(campaign.pk)
    assert {name: count for name, count in report.pop("by_state").items() if count} == {
        "delivered": 2,
        "bounced": 3,
        "complained": 1,
    }
    assert report == {
        "recipients": 6,
        "open": 0,
        "final": True,
        "attempts": 8,
        "accepted": 8,
        "duplicates": 0,
        "possible_duplicates": 0,
        "hard": 1,
        "soft": 2,
        "block": 1,
        "message": 0,
        "suppressed": 0,
        "unknown": 0,
        "complaints": 1,
        "retried": 2,
        "recovered": 1,
        "by_reason": {"bounced": {"block:x": 1, "hard:x": 1, "soft:x": 1}},
        "bounced_because": {"hard": {"x": 1}, "soft": {"x": 2}, "block": {"x": 1}},
        "left": 0,
        "left_because": {},
        "opened_by_people": 0,
        "opened_unsure": 0,
        "opened_by_machines": 0,
        "opened_through_proxy": 0,
        "clicked_by_people": 0,
        "clicked_unsure": 0,
        "clicked_by_machines": 0,
        "readers": 0,
        "opens": 0,
        "clicks": 0,
        "links": [],
    }


@pytest.mark.parametrize("verdict", ["unknown", "message", "suppressed"])
def test_a_mail_sent_again_after_any_verdict_is_counted_and_is_no_duplicate(verdict: str) -> None:
    campaign = started(1)
    [row] = accept_all(campaign)
    come_back(row, verdict, State.WAITING)
    queue.requeue_due(10)
    [row] = accept_all(campaign)
    come_back(row, "delivered", State.DELIVERED)
    report = reports.campaign_report(campaign.pk)
    names = (verdict, "accepted", "retried", "recovered", "duplicates")
    assert tuple(report[name] for name in names) == (1, 2, 1, 1, 0)


def test_an_unexplained_second_copy_is_a_duplicate() -> None:
    campaign = started(1)
    [row] = accept_all(campaign)
    come_back(row, "delivered", State.QUEUED)
    accept_all(campaign)
    report = reports.campaign_report(campaign.pk)
    assert (report["duplicates"], report["possible_duplicates"]) == (1, 0)


def test_a_known_resend_is_a_possible_duplicate() -> None:
    campaign = started(1)
    [row] = claim(campaign)
    queue.finish([(row, Unknown("timeout", ""))])
    queue.resend(row.delivery_id, by=SYSTEM)
    accept_all(campaign)
    queue.prove(row.delivery_id, 1, "m-late", timezone.now())
    report = reports.campaign_report(campaign.pk)
    assert (report["accepted"], report["duplicates"], report["possible_duplicates"]) == (2, 0, 1)


def test_what_was_never_posted_is_no_attempt() -> None:
    campaign = started(3)
    refusals = [
        Refused(Scope.THROTTLE, "not-posted", ""),
        Refused(Scope.THROTTLE, "unreachable", ""),
        Refused(Scope.RECIPIENT, "message-rejected", ""),
    ]
    queue.finish(list(zip(claim(campaign), refusals, strict=True)))
    assert reports.campaign_report(campaign.pk)["attempts"] == 1


def test_a_draft_has_an_empty_report() -> None:
    report = reports.campaign_report(make_campaign().pk)
    assert report["recipients"] == 0 and set(report["by_state"]) == set(State.values)


class TestCommands:
    @pytest.fixture
    def ses(self, monkeypatch: pytest.MonkeyPatch, unlimited_pace: object) -> FakeSES:
        fake, run = FakeSES(), engine.run
        monkeypatch.setattr(engine, "run", lambda pk, **values: run(pk, transport=Raw(fake), **values))
        return fake

    def call(self, *args: object) -> str:
        out = StringIO()
        call_command(*map(str, args), stdout=out, stderr=StringIO())
        return out.getvalue()

    def ready(self) -> Campaign:
        news = make_list()
        make_subscriber("a@post.example", news)
        return make_campaign(news)

    def test_send_campaign_starts_and_leaves_the_rest_to_the_workers(self) -> None:
        campaign = self.ready()
        assert "1 queued" in self.call("send_campaign", campaign.pk)

    def test_with_wait_it_sends_without_any_worker(self, ses: FakeSES) -> None:
        campaign = self.ready()
        report = json.loads(self.call("send_campaign", campaign.pk, "--wait", "--json"))
        assert (report["status"], report["by_state"]["sent"], report["campaign"]) == (
            "finished",
            1,
            campaign.pk,
        )
        assert json.loads(self.call("send_campaign", campaign.pk, "--wait", "--json")) == report
        assert len(ses.mails) == 1

    def test_a_campaign_that_ses_stops_ends_with_the_reason(self, ses: FakeSES) -> None:
        ses.rule = lambda to: Refused(Scope.ACCOUNT, "ses-paused", "Paused.")
        with pytest.raises(CommandError, match="Amazon SES has paused sending"):
            self.call("send_campaign", self.ready().pk, "--wait")

    def test_clear_errors(self) -> None:
        with pytest.raises(CommandError, match=r"There is no campaign 999\."):
            self.call("send_campaign", 999)
        with pytest.raises(CommandError, match=r"cannot start\. Choose a list"):
            self.call("send_campaign", make_campaign().pk)
        with pytest.raises(CommandError, match=r"There is no campaign 999\."):
            self.call("campaign_report", 999)

    def test_a_scheduled_campaign_needs_now(self) -> None:
        campaign = self.ready()
        lifecycle.schedule(campaign.pk, at=timezone.now() + timedelta(hours=1), by=SYSTEM)
        with pytest.raises(CommandError, match="--now"):
            self.call("send_campaign", campaign.pk)
        assert "sending" in self.call("send_campaign", campaign.pk, "--now")

    def test_campaign_report_prints_for_people_and_machines(self) -> None:
        campaign = started(2)
        found: dict[str, Any] = json.loads(self.call("campaign_report", campaign.pk, "--json"))
        assert found["recipients"] == 2 and found["by_state"]["queued"] == 2
        assert "2 queued" in self.call("campaign_report", campaign.pk)
