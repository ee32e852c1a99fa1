"""What-if: the other policy decides, nothing changes, names are capped, wrong settings are told."""

import io
import json
import random
from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bounces import pipeline, whatif
from bounces.models import Event, Policy
from mailinglist.models import Change, Delivery, MailingList, Subscription
from tests import ses_events as ses
from tests.bounces.helpers import DAY, send_to, take
from tests.bounces.outage import mail_all
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db


def news() -> MailingList:
    return MailingList.objects.filter(slug="news").first() or make_list("news")


def exhausted(email: str, at: datetime) -> None:
    """A mail that bounced softly at the first attempt, under a policy without any retry."""
    take(ses.full(send_to(email, news(), at=at), at=at))


def compare(*settings: str) -> whatif.Comparison:
    return whatif.compare(news(), whatif.changed(whatif.current(news()), settings))


def test_the_same_policy_makes_no_difference() -> None:
    take(ses.bounced(send_to("ada@post.example", at=timezone.now()), at=timezone.now()))
    found = compare()
    assert (found.people, found.events, found.ended_now, found.ended_then) == (1, 1, 1, 1)
    assert (found.kept, found.dropped) == (0, 0)


def gone(delivery: Delivery, *, at: datetime) -> dict[str, Any]:
    diagnostic = "smtp; 550 5.4.4 Invalid domain: host not found"
    return ses.bounced(delivery, "Permanent", "General", "5.4.4", diagnostic, at=at)


def praised(delivery: Delivery, *, at: datetime) -> dict[str, Any]:
    return ses.complained(delivery, "not-spam", at=at)


def swallowed(delivery: Delivery, *, at: datetime) -> dict[str, Any]:
    return ses.bounced(delivery, subtype="OnAccountSuppressionList", action="", at=at)


def test_what_it_says_of_the_present_policy_is_what_that_policy_did() -> None:
    """Four campaigns with any answers; each person's answers are others."""
    Policy.objects.create(soft_retry_days=[1.0], repeated_soft=2, repeated_days=1)
    for number in range(24):
        make_subscriber(f"p{number}@d{number}.example", news())
    answers: list[Any] = [
        ses.delivered, ses.bounced, ses.full, ses.full, ses.blocked, ses.complained, praised, gone, gone, swallowed,
    ]  # fmt: skip
    choose = random.Random(7)
    for days in (60, 45, 30, 15):
        at = timezone.now() - days * DAY
        documents = [choose.choice(answers)(delivery, at=at) for delivery in mail_all(news(), at)]
        choose.shuffle(documents)
        take(*documents)
    pipeline.apply_due_effects()
    ended = Subscription.objects.filter(status="unsubscribed")
    reasons = set(ended.values_list("unsubscribe_reason", flat=True))
    assert reasons == {"hard-bounce", "unreachable", "complaint"}
    found = compare()
    assert (found.ended_now, found.ended_then, found.kept, found.dropped) == (len(ended), len(ended), 0, 0)
    spared = compare("repeated_soft=0")
    assert spared.kept == ended.filter(unsubscribe_reason="unreachable").count()


def test_another_policy_keeps_some_and_drops_others_and_changes_nothing() -> None:
    now = timezone.now()
    for days in (40, 30, 20):
        exhausted("ada@post.example", now - days * DAY)
    before = list(Event.objects.values()), list(Subscription.objects.values()), Change.objects.count()
    found = compare("repeated_soft=0")
    assert (found.ended_now, found.ended_then, found.kept) == (1, 0, 1)
    assert found.kept_names[0].email == "ada@post.example"
    assert "unreachable" in found.kept_names[0].why
    assert before == (
        list(Event.objects.values()),
        list(Subscription.objects.values()),
        Change.objects.count(),
    )
    strict = compare("repeated_soft=2", "repeated_days=5")
    assert (strict.kept, strict.dropped) == (0, 0)


def test_a_stricter_policy_drops() -> None:
    now = timezone.now()
    for days in (20, 10):
        exhausted("ada@post.example", now - days * DAY)
    found = compare("repeated_soft=2", "repeated_days=5")
    assert (found.kept, found.dropped, found.dropped_names[0].email) == (0, 1, "ada@post.example")


def test_only_the_last_ninety_days_and_the_list_itself_count() -> None:
    now = timezone.now()
    take(ses.bounced(send_to("old@post.example", news(), at=now - 100 * DAY), at=now - 100 * DAY))
    other = make_list("other")
    take(ses.bounced(send_to("bob@post.example", other, at=now), at=now))
    assert compare().people == 0


def test_the_lists_own_policy_is_what_it_is_compared_with() -> None:
    Policy.objects.create(list=news(), soft_retry_days=[3.0, 5.0], repeated_soft=0)
    assert whatif.current(news()).soft_retry_days == [3.0, 5.0]
    Policy.objects.all().delete()
    assert whatif.current(news()).soft_retry_days == [1.0, 2.0, 4.0]


def test_names_are_capped_and_counts_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "NAMES", 2)
    monkeypatch.setattr(whatif, "BATCH", 2)
    now = timezone.now()
    for number in range(5):
        for days in (40, 30, 20):
            exhausted(f"p{number}@post.example", now - days * DAY)
    found = compare("repeated_soft=0")
    assert (found.people, found.kept, len(found.kept_names)) == (5, 5, 2)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("hold_hours", "write key=value"),
        ("day=3", "write key=value with one of soft_retry_days"),
        ("hold_hours=x", "could not convert"),
        ("hold_hours=nan", "nan is not a number that can be counted with"),
        ("hold_hours=inf", "inf is not a number that can be counted with"),
        ("soft_retry_days=1,nan", "nan is not a number"),
        ("hold_hours=-1", "greater than or equal to 0"),
        ("soft_retry_days=1,99", "less than or equal to 30"),
        ("soft_exhausted_unsubscribes=maybe", "write true or false"),
        ("repeated_soft=9", "more than repeated_window=5"),
        ("repeated_days=1.5", "invalid literal"),
    ],
)
def test_a_wrong_setting_is_told_with_status_two(setting: str, words: str) -> None:
    news()
    with pytest.raises(CommandError, match=words) as refusal:
        call_command("simulate_policy", "--list", "news", "--set", setting, stdout=io.StringIO())
    assert refusal.value.returncode == 2


def test_the_command_names_who_is_kept() -> None:
    now = timezone.now()
    for days in (40, 30, 20):
        exhausted("ada@post.example", now - days * DAY)
    arguments: tuple[Any, ...] = ("simulate_policy", "--list", "news", "--set", "repeated_soft=0")
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    assert "Kept by the other one: 1\n  ada@post.example" in out.getvalue()
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out)
    assert json.loads(out.getvalue())["kept"] == 1
