"""Notifications processed again, policies in words, and bounces taken back for a domain."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from bounces.admin.notifications import SHOWN, readable
from bounces.admin.policies import sentences
from bounces.models import Event, Notification, Policy
from mailinglist import subscriptions
from mailinglist.changes import Actor, Kind
from mailinglist.models import Change, Subscription
from tests.factories import make_list, make_subscriber
from tests.staff import T0, make_quarantined, make_story

pytestmark = pytest.mark.django_db


def run_action(client: Client, name: str, rows: list[int]) -> str:
    address = reverse("admin:bounces_notification_changelist")
    return client.post(address, {"action": name, "_selected_action": rows}, follow=True).content.decode()


def test_process_again_takes_quarantined_notifications_only(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_story()
    quarantined = make_quarantined()
    processed = Notification.objects.filter(state="processed").first()
    assert processed
    taken: list[Any] = []

    def replay(ids: list[int]) -> None:
        taken.extend(ids)
        Notification.objects.filter(pk__in=ids).update(state="processed", error="")

    monkeypatch.setattr("bounces.pipeline.replay", replay)
    answer = run_action(staff, "process_again", [quarantined.pk, processed.pk])
    assert taken == [quarantined.pk]
    assert "1 processed, 0 still quarantined." in answer
    assert "1 were not quarantined" in answer


def test_process_again_of_what_is_processed_does_nothing(staff: Client) -> None:
    make_story()
    processed = Notification.objects.first()
    assert processed
    assert "nothing was done" in run_action(staff, "process_again", [processed.pk])


def test_a_body_is_shown_as_indented_json_or_as_it_is() -> None:
    assert readable(b'{"a":{"b":1}}') == '{\n  "a": {\n    "b": 1\n  }\n}'
    assert readable(b"From: x\xff") == "From: x\ufffd"
    assert "removed" in readable(None)
    assert readable(b"x" * (SHOWN + 7)).endswith("7 more characters")


def test_deeply_nested_json_is_shown_as_text() -> None:
    assert readable(b"[" * 100_000).startswith("[[[")


@pytest.mark.parametrize(
    "query", [{"verdict": "soft"}, {"kind": "bounce"}, {"reason": "x"}, {"whose": "ours"}]
)
def test_events_are_filtered(staff: Client, query: dict[str, str]) -> None:
    make_story()
    Event.objects.filter(verdict="soft").update(reason="x")
    page = staff.get(reverse("admin:bounces_event_changelist"), query)
    found = page.context["cl"].result_count
    assert found == (2 if "whose" in query else 1)


def test_events_are_found_by_the_beginning_of_an_address(staff: Client) -> None:
    make_story("Ada@post.example")
    search = reverse("admin:bounces_event_changelist")
    assert staff.get(search, {"q": "ADA@po"}).context["cl"].result_count == 2
    assert staff.get(search, {"q": "bob"}).context["cl"].result_count == 0


def test_a_policy_is_told_in_words() -> None:
    told = " ".join(sentences(Policy(soft_retry_days=[1, 2, 4])))
    assert "sent again after 1, 2 and 4 days" in told
    assert "waits 6 hours" in told
    quiet = Policy(soft_retry_days=[], block_retry_days=0, hold_hours=0, repeated_soft=0)
    assert "waits" not in " ".join(sentences(quiet))
    assert "not sent again" in sentences(quiet)[0]


def test_saving_a_policy_writes_who_changed_what(staff: Client, boss: User) -> None:
    news = make_list("news")
    values = {
        "list": news.pk,
        "soft_retry_days": "0.5,3",
        "soft_exhausted_unsubscribes": "on",
        "block_retry_days": "1",
        "hold_hours": "12",
        "repeated_soft": "3",
        "repeated_window": "5",
        "repeated_days": "14",
    }
    staff.post(reverse("admin:bounces_policy_add"), values)
    assert Policy.objects.get().soft_retry_days == [0.5, 3]
    change = Change.objects.get(noun="list")
    assert (change.user, change.list) == (boss, news)
    assert "hold_hours = 12" in change.why


def test_a_second_default_policy_is_refused_with_a_message(staff: Client) -> None:
    Policy.objects.get_or_create(list=None, defaults={"soft_retry_days": [1]})
    values = {
        "list": "",
        "soft_retry_days": "1",
        "block_retry_days": "1",
        "hold_hours": "6",
        "repeated_soft": "3",
        "repeated_window": "5",
        "repeated_days": "14",
    }
    assert staff.post(reverse("admin:bounces_policy_add"), values).status_code == 200
    assert Policy.objects.count() == 1


def outage() -> None:
    news = make_list("news")
    for email in ("ada@post.example", "bob@post.example", "eve@other.example"):
        person = make_subscriber(email, news)
        subscriptions.unsubscribe(
            person.pk, reason=Subscription.Reason.HARD_BOUNCE, by=Actor(Kind.RULE), why="No such user.", at=T0
        )


def span(**more: str) -> dict[str, str]:
    start, end = T0 - timedelta(hours=1), T0 + timedelta(hours=1)
    values = {"domain": "post.example", "start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}"}
    return {**values, "why": "Outage at post.example.", **more}


def test_taking_back_counts_first_and_changes_nothing(staff: Client, settings: Any) -> None:
    outage()
    page = staff.post(reverse("admin:bounces_restore"), span()).content.decode()
    assert "<strong>2</strong> people" in page
    assert "ada@post.example" in page and "eve@other.example" not in page
    assert not Subscription.objects.filter(status="confirmed").exists()


def test_taking_back_restores_one_domain_and_names_the_manager(staff: Client, boss: User) -> None:
    outage()
    answer = staff.post(reverse("admin:bounces_restore"), span(do="1"), follow=True).content.decode()
    assert "2 people at post.example: 2 subscriptions restored" in answer
    back = set(Subscription.objects.filter(status="confirmed").values_list("subscriber__email", flat=True))
    assert back == {"ada@post.example", "bob@post.example"}
    assert Change.objects.filter(user=boss, why="Outage at post.example.").count() == 2


def test_taking_back_counts_no_further_than_needed_and_restores_all(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage()
    monkeypatch.setattr("bounces.admin.restore.COUNTED_MOST", 1)
    page = staff.post(reverse("admin:bounces_restore"), span()).content.decode()
    assert "at least <strong>1</strong> people" in page and "Restore all these people" in page
    staff.post(reverse("admin:bounces_restore"), span(do="1"))
    assert Subscription.objects.filter(status="confirmed").count() == 2


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"domain": "no domain"}, "This is not a domain name."),
        ({"end": "2020-01-01T00:00"}, "The end must be later than the start."),
        ({"start": "x"}, "Enter a valid date/time."),
        ({"why": ""}, "This field is required."),
    ],
)
def test_taking_back_says_what_is_wrong(staff: Client, values: dict[str, str], sentence: str) -> None:
    assert sentence in staff.post(reverse("admin:bounces_restore"), span(**values)).content.decode()
