"""The doctor: what it calls green, amber and red, what to do about it, and that nothing makes it fall over."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from bounces import doctor, heartbeat, self_test
from bounces.doctor import Level
from bounces.models import Event, Incident, Notification, ProviderSlot, Watermark
from mailinglist import aws
from mailinglist.models import Attempt, Subscriber
from mailinglist.sending import engine
from sandbox.testing import RunningSandbox, sandbox
from tests import ses_events as ses
from tests.bounces.helpers import send_to, take
from tests.factories import make_campaign, make_list
from tests.staff import make_quarantined

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox(config={"max_send_rate": 100}) as found:
        yield found


@pytest.fixture(autouse=True)
def local_ses(running: RunningSandbox, settings: Any) -> RunningSandbox:
    settings.SES_ENDPOINT_URL = running.url
    running.config(from_not_verified=False, account_suspended=False, quota=50_000)
    return running


@pytest.fixture
def at_aws(settings: Any) -> Any:
    """As if SES were Amazon's: the parts that the local one does not have are asked for."""
    settings.LOCAL = False
    return settings


def examine() -> dict[str, list[doctor.Finding]]:
    found: dict[str, list[doctor.Finding]] = {}
    for finding in doctor.examine():
        found.setdefault(finding.part, []).append(finding)
    return found


def levels(part: str) -> list[Level]:
    return [finding.level for finding in examine()[part]]


def test_a_new_installation_on_the_local_ses_has_nothing_red() -> None:
    assert doctor.worst(doctor.examine()) == Level.AMBER
    assert set(examine()) == set(doctor._PARTS)


def test_whatever_is_not_green_says_what_to_do(local_ses: RunningSandbox) -> None:
    make_list("news")
    make_quarantined()
    local_ses.config(from_not_verified=True, account_suspended=True)
    found = [finding for finding in doctor.examine() if finding.level != Level.GREEN]
    assert len(found) >= 4
    assert [finding for finding in found if not finding.do] == []


def test_a_rate_of_nothing_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = aws.Account(0, 50_000, 0, True, True, "HEALTHY")
    monkeypatch.setattr(aws, "get_account", lambda: nothing)
    assert [(found.level, "rate is 0" in found.says) for found in examine()["account"]] == [(Level.RED, True)]


def test_a_sender_that_is_not_verified_is_red(local_ses: RunningSandbox) -> None:
    make_list("news")
    assert levels("senders") == [Level.GREEN]
    local_ses.config(from_not_verified=True)
    assert levels("senders") == [Level.RED]
    assert "acme.example" in examine()["senders"][0].says


def test_an_account_that_ses_stopped_is_red_and_a_full_quota_amber(local_ses: RunningSandbox) -> None:
    assert levels("account") == [Level.GREEN]
    local_ses.config(account_suspended=True)
    assert levels("account")[0] == Level.RED


def test_settings_that_a_check_refuses_are_red(settings: Any) -> None:
    settings.SNS_TOPIC_ARNS = []
    assert Level.RED in levels("settings")


@pytest.mark.parametrize(
    ("kinds", "enabled", "level"),
    [
        (doctor.NEEDED | doctor.WANTED, True, Level.GREEN),
        (doctor.NEEDED, True, Level.AMBER),
        (doctor.WANTED, True, Level.RED),
        (doctor.NEEDED | doctor.WANTED, False, Level.RED),
    ],
)
def test_a_configuration_set_must_publish_to_a_topic_that_we_believe(
    at_aws: Any, monkeypatch: pytest.MonkeyPatch, kinds: frozenset[str], enabled: bool, level: Level
) -> None:
    at_aws.SES_CONFIGURATION_SET = "mailinglist"
    destination = aws.Destination(enabled, kinds, at_aws.SNS_TOPIC_ARNS[0])
    monkeypatch.setattr(aws, "get_destinations", lambda name: [destination])
    assert levels("configuration sets") == [level]
    foreign = aws.Destination(True, kinds, "arn:aws:sns:us-east-1:000000000000:other")
    monkeypatch.setattr(aws, "get_destinations", lambda name: [foreign])
    assert levels("configuration sets") == [Level.RED]


@pytest.mark.parametrize(("more", "looks"), [(set(), []), ({"OPEN"}, [Level.AMBER])])
def test_a_configuration_set_for_mails_without_tracking_must_not_publish_opens(
    at_aws: Any, monkeypatch: pytest.MonkeyPatch, more: set[str], looks: list[Level]
) -> None:
    at_aws.SES_CONFIGURATION_SET, at_aws.SES_UNTRACKED_CONFIGURATION_SET = "", "quiet"
    kinds = doctor.NEEDED | doctor.WANTED | more
    destination = aws.Destination(True, kinds, at_aws.SNS_TOPIC_ARNS[0])
    monkeypatch.setattr(aws, "get_destinations", lambda name: [destination])
    assert levels("configuration sets") == [Level.GREEN, *looks]


def test_http_without_a_dead_letter_queue_is_red(at_aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at_aws.SQS_QUEUE_URL = ""
    monkeypatch.setattr(aws, "has_dead_letter_queue", lambda topic: False)
    assert levels("way back") == [Level.RED]
    monkeypatch.setattr(aws, "has_dead_letter_queue", lambda topic: True)
    assert levels("way back") == [Level.GREEN]
    at_aws.SQS_QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/000000000000/events"
    monkeypatch.setattr(aws, "has_dead_letter_queue", lambda topic: False)
    assert levels("way back") == [Level.GREEN]


def test_mails_without_an_event_for_an_hour_are_red() -> None:
    now = timezone.now()
    send_to("ada@post.example", at=now - timedelta(minutes=50))
    assert not heartbeat.listen().is_silent
    assert heartbeat.listen(now + timedelta(minutes=20)).is_silent
    Attempt.objects.update(started_at=now - 2 * HOUR)
    assert levels("events") == [Level.RED]


def test_an_event_after_the_mails_is_a_sign_of_life() -> None:
    delivery = send_to("ada@post.example", at=timezone.now() - 2 * HOUR)
    take(ses.sent(delivery))
    assert not heartbeat.listen().is_silent
    assert levels("events") == [Level.GREEN]


def test_silence_counts_from_the_first_mail_after_the_last_event() -> None:
    now = timezone.now()
    first = send_to("ada@post.example", at=now - 5 * HOUR)
    take(ses.sent(first))
    Event.objects.update(created_at=now - 5 * HOUR + timedelta(seconds=3))
    send_to("bob@post.example", at=now - 3 * HOUR)
    send_to("eve@post.example", at=now - timedelta(minutes=1))
    pulse = heartbeat.listen()
    assert pulse.silent_since is not None and now - pulse.silent_since > 2 * HOUR


@pytest.mark.parametrize(("minutes", "level"), [(1, Level.GREEN), (10, Level.AMBER), (90, Level.RED)])
def test_notifications_that_nobody_processes_are_told(minutes: int, level: Level) -> None:
    row = Notification.objects.create(source="sns", raw=b"{}", dedupe_key="sns:1")
    Notification.objects.filter(pk=row.pk).update(received_at=timezone.now() - timedelta(minutes=minutes))
    assert levels("queue") == [level]


def test_the_quarantine_open_incidents_and_a_failed_synchronisation_are_amber() -> None:
    make_quarantined()
    now = timezone.now()
    Incident.objects.create(provider="gmail.com", kind="hard", started_at=now, ended_at=now + HOUR)
    Watermark.objects.create(name="suppression-sync", error="SES does not answer.")
    assert levels("queue")[-1] == levels("incidents")[0] == levels("suppressions")[0] == Level.AMBER


@pytest.mark.parametrize(
    ("hard", "complaints", "expected"),
    [
        (10, 0, [Level.GREEN, Level.GREEN]),
        (20, 1, [Level.AMBER, Level.RED]),
        (50, 0, [Level.RED, Level.GREEN]),
    ],
)
def test_the_reputation_is_held_against_the_marks_of_ses(
    hard: int, complaints: int, expected: list[Level]
) -> None:
    ProviderSlot.objects.create(
        provider="gmail.com",
        starts_at=timezone.now() - HOUR,
        delivered=1000 - hard,
        hard=hard,
        complaint=complaints,
    )
    assert levels("reputation") == expected


def test_with_ses_away_it_says_so(settings: Any) -> None:
    make_list("news")
    settings.SES_ENDPOINT_URL = "http://127.0.0.1:9"
    found = examine()
    for part in ("account", "senders"):
        assert found[part][0].level == Level.RED and "SES does not answer" in found[part][0].says
    assert found["queue"][0].level == Level.GREEN


def test_with_the_database_away_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    found = doctor.examine()
    told = {
        finding.part
        for finding in found
        if "The database does not answer: connection refused" in finding.says
    }
    assert {"senders", "events", "queue", "incidents", "reputation", "suppressions"} <= told


def test_a_bug_in_one_part_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Any]:
        raise RuntimeError("a bug")
        yield

    monkeypatch.setitem(doctor._PARTS, "queue", broken)
    found = examine()
    assert "RuntimeError: a bug" in found["queue"][0].says
    assert found["settings"]


def test_the_command_prints_json_and_ends_with_status_one_when_something_is_red(settings: Any) -> None:
    out = io.StringIO()
    call_command("bounce_doctor", "--json", stdout=out)
    assert json.loads(out.getvalue())["level"] == "amber"
    settings.SNS_TOPIC_ARNS = []
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("bounce_doctor", stdout=out)
    assert ended.value.code == 1
    assert "MEND  settings: SNS_TOPIC_ARNS is empty." in out.getvalue()
    assert "→ Set SNS_TOPIC_ARNS" in out.getvalue()


def test_a_silly_timeout_is_told() -> None:
    with pytest.raises(CommandError, match="1 to 3600"):
        call_command("bounce_doctor", "--self-test", "--timeout", "0")


def test_a_self_test_without_a_campaign_says_what_to_do_first() -> None:
    with pytest.raises(self_test.CannotTest, match="Write a campaign"):
        self_test.run(timeout=1)


def test_the_self_test_sends_to_the_simulator_and_sees_everything_come_back(
    local_ses: RunningSandbox,
) -> None:
    make_campaign(make_list("news"))

    def loop() -> None:
        """A worker that sends, and SES's events as they would come by the webhook."""
        engine.run(None)
        for delivery in Subscriber.objects.filter(email__contains="+").values_list("deliveries", flat=True):
            attempt = Attempt.objects.filter(delivery_id=delivery, result="accepted").first()
            if attempt is None:
                continue
            row = attempt.delivery
            kind = row.subscriber.email.partition("+")[0]
            made = {"success": ses.delivered, "bounce": ses.bounced, "complaint": ses.complained}[kind](row)
            made["mail"]["messageId"] = attempt.message_id
            take(made)

    findings = self_test.run(timeout=20, work=loop, pause=0)
    assert [finding.level for finding in findings] == [Level.GREEN] * 3
    assert len(local_ses.ledger()) >= 3
    assert Subscriber.objects.count() == 0


def test_a_self_test_that_nothing_answers_is_red() -> None:
    make_campaign(make_list("news"))
    findings = self_test.run(timeout=0, work=lambda: None, pause=0)
    assert {finding.level for finding in findings} == {Level.RED}
    assert all("not sent" in finding.says for finding in findings)
