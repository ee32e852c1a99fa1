"""The commands: what they print, for people and machines, and how they refuse."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from bounces import slots
from bounces.models import AddressHealth, Event, Notification, ProviderSlot
from mailinglist.models import Delivery, Subscriber, Subscription
from tests import ses_events as ses
from tests.bounces import mailed
from tests.bounces.helpers import send_to, state_of, subscription, take
from tests.ses_events import T0
from tests.staff import make_quarantined

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def run_json(name: str, *arguments: str) -> Any:
    return json.loads(run(name, *arguments, "--json"))


SPAN = ("--domain", "post.example", "--from", "2026-11-20", "--to", "2026-11-21")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("bounce_report", ()),
        ("cleanup_bounces", ()),
        ("cleanup_bounces", ("--dry-run",)),
        ("process_notifications", ()),
        ("process_notifications", ("--replay-quarantined",)),
        ("retry_soft_bounces", ()),
        ("retry_soft_bounces", ("--dry-run",)),
        ("restore_bounced", SPAN),
        ("restore_bounced", (*SPAN, "--dry-run")),
        ("rebuild_health", ()),
    ],
)
def test_with_an_empty_database_everything_is_none(name: str, arguments: tuple[str, ...]) -> None:
    found = run_json(name, *arguments)
    assert all(not value for key, value in found.items() if key != "since")
    assert run(name, *arguments).strip()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("bounce_report", ("--list", "nwes"), "There is no list 'nwes'. Lists: none yet."),
        ("bounce_report", ("--since", "yesterday"), "--since 'yesterday' is not a time"),
        ("bounce_report", ("--since", "2026-13-45"), "is not a time"),
        ("cleanup_bounces", ("--list", "nwes"), "There is no list 'nwes'"),
        ("simulate_policy", ("--list", "nwes"), "There is no list 'nwes'"),
        ("ingest_bounces", ("no/such/file",), "no/such/file: there is no such file"),
        (
            "restore_bounced",
            ("--domain", "d.example", "--from", "2026-11-21", "--to", "2026-11-20"),
            "before",
        ),
        (
            "restore_bounced",
            ("--domain", "no domain", "--from", "2026-11-20", "--to", "2026-11-21"),
            "domain",
        ),
        ("restore_bounced", (), "Name --domain, --from and --to, or an --incident"),
        ("restore_bounced", ("--domain", "d.example"), "Name --domain, --from and --to"),
        ("restore_bounced", (*SPAN, "--incident", "1"), "of its own"),
        ("restore_bounced", ("--incident", "7"), "There is no incident 7. Incidents: none yet"),
        ("restore_bounced", ("--incident", str(2**70)), "There is no incident"),
    ],
)
def test_wrong_arguments_are_told_and_end_with_status_two(
    name: str, arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CommandError, match=words.replace("(", r"\(")) as refusal:
        run(name, *arguments)
    assert refusal.value.returncode == 2


@pytest.mark.parametrize("name", ["ingest_bounces", "simulate_policy"])
def test_missing_arguments_are_told(name: str) -> None:
    with pytest.raises(CommandError, match="required"):
        run(name)


def test_ingest_reads_files_and_folders_and_keeps_what_it_cannot_read(tmp_path: Path) -> None:
    delivery = send_to("ada@post.example")
    (tmp_path / "one.json").write_bytes(ses.raw(ses.bounced(delivery)))
    lines = b"\n".join([ses.raw(ses.bounced(delivery)), ses.raw(ses.sent(delivery))])
    (tmp_path / "two.jsonl").write_bytes(lines)
    (tmp_path / "three.txt").write_text("not an event")
    found = run_json("ingest_bounces", str(tmp_path))
    assert found == {"stored": 3, "duplicates": 1, "processed": 2, "quarantined": 1, "events": 2}
    assert state_of(delivery) == "bounced"
    again = run_json("ingest_bounces", str(tmp_path))
    assert (again["stored"], again["duplicates"], again["events"]) == (0, 4, 0)
    assert "in quarantine" in run("ingest_bounces", str(tmp_path))


def test_ingest_takes_mails_from_files_and_from_the_pipe_of_a_mail_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = send_to("ada@post.example"), send_to("bob@post.example")
    (tmp_path / "1.eml").write_bytes(mailed.dsn("ada@post.example", header=mailed.header_of(ada)))
    assert run_json("ingest_bounces", str(tmp_path))["events"] == 1
    assert state_of(ada) == "bounced" and Notification.objects.get().source == "dsn"
    piped = b"From MAILER-DAEMON Fri Nov 20 09:00:05 2026\n" + mailed.dsn(
        "bob@post.example", header=mailed.header_of(bob), number=2
    )
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped)))
    assert run_json("ingest_bounces", "-")["events"] == 1
    assert state_of(bob) == "bounced"


def test_vouching_needs_to_say_for_what() -> None:
    with pytest.raises(CommandError, match="needs --replay-quarantined"):
        run("process_notifications", "--vouch")


def test_process_takes_what_was_stored_and_replays_the_quarantine_when_asked() -> None:
    delivery = send_to("ada@post.example")
    body = ses.raw(ses.bounced(delivery))
    Notification.objects.create(source="sns", raw=ses.raw(ses.sent(delivery)), dedupe_key="sns:1")
    make_quarantined(body, "It was not understood.")
    assert run_json("process_notifications")["processed"] == 1
    assert subscription(delivery).status == "confirmed"
    assert run_json("process_notifications", "--replay-quarantined")["processed"] == 1
    assert subscription(delivery).status == "unsubscribed"


def test_process_ends_with_status_one_when_something_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    Notification.objects.create(source="sns", raw=b"{}", dedupe_key="sns:1")

    def broken(raw: bytes) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bounces.events.parse", broken)
    with pytest.raises(SystemExit) as ended:
        run("process_notifications")
    assert ended.value.code == 1


def test_the_report_counts_by_verdict_reason_and_domain_of_one_list() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery))
    found = run_json("bounce_report", "--list", "news", "--since", "2026-11-01T00:00")
    assert (found["by_verdict"], found["by_domain"]) == ({"hard": 1}, {"post.example": 1})
    assert (found["unsubscribed"], found["suppressed"]) == (1, 1)
    assert run_json("bounce_report", "--since", "2026-11-21")["events"] == 0
    assert "1  post.example" in run("bounce_report", "--since", "2026-11-01")


def test_a_dry_clean_up_says_what_the_real_one_does() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery))
    Event.objects.update(applied_at=None)
    Subscription.objects.update(status="confirmed", unsubscribe_reason="", unsubscribed_at=None)
    dry = run_json("cleanup_bounces", "--dry-run", "--list", "news")
    assert subscription(delivery).status == "confirmed"
    assert dry == run_json("cleanup_bounces", "--list", "news")
    assert dry["unsubscribed"] == 1
    assert subscription(delivery).status == "unsubscribed"


def test_a_dry_retry_says_what_the_real_one_does() -> None:
    delivery = send_to("ada@post.example", at=timezone.now() - timedelta(days=2))
    take(ses.full(delivery, at=timezone.now() - timedelta(days=2)))
    assert run_json("retry_soft_bounces", "--dry-run")["requeued"] == 1
    assert state_of(delivery) == "waiting"
    assert run("retry_soft_bounces").startswith("1 were queued again")
    assert Delivery.objects.get().state == "queued"


def test_restore_names_the_people_and_a_dry_run_leaves_them() -> None:
    delivery = send_to("ada@post.example")
    take(ses.bounced(delivery, at=T0))
    assert "ada@post.example" in run("restore_bounced", *SPAN, "--dry-run")
    assert subscription(delivery).status == "unsubscribed"
    assert run_json("restore_bounced", *SPAN)["subscriptions"] == 1
    assert subscription(delivery).status == "confirmed"


def test_rebuild_health_computes_from_the_events_what_was_lost() -> None:
    delivery = send_to("ada@post.example")
    take(ses.delivered(delivery))
    take(ses.full(send_to("ada@post.example", at=T0 + timedelta(days=1)), at=T0 + timedelta(days=1)))
    slots.refresh()
    before = (
        list(AddressHealth.objects.values()),
        list(ProviderSlot.objects.order_by("starts_at").values(*slots.COLUMNS)),
    )
    AddressHealth.objects.all().delete()
    ProviderSlot.objects.all().delete()
    assert run_json("rebuild_health") == {"addresses": 1, "slots": 2}
    assert before == (
        list(AddressHealth.objects.values()),
        list(ProviderSlot.objects.order_by("starts_at").values(*slots.COLUMNS)),
    )
    assert run("rebuild_health").startswith("1 addresses")


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("process_notifications", (), "1 notifications, 1 events"),
        ("cleanup_bounces", (), "1 addresses looked at"),
        ("restore_bounced", SPAN, "1 people"),
        ("rebuild_health", (), "1 addresses"),
        ("simulate_policy", ("--list", "news"), "1 people, 1 bounces"),
    ],
)
def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    name: str, arguments: tuple[str, ...], words: str
) -> None:
    delivery = send_to("ada@post.example", at=timezone.now() if name == "simulate_policy" else T0)
    Notification.objects.create(
        source="sns",
        raw=ses.raw(ses.bounced(delivery, at=timezone.now() if name == "simulate_policy" else T0)),
        dedupe_key="sns:1",
    )
    if name != "process_notifications":
        run("process_notifications")
    if name == "cleanup_bounces":
        Event.objects.update(applied_at=None)
    screen, file = Terminal(), io.StringIO()
    if name != "process_notifications":
        call_command(name, *arguments, stdout=io.StringIO(), stderr=file)
        assert file.getvalue() == ""
    if name == "restore_bounced":
        cleanup_state()
    if name == "cleanup_bounces":
        Event.objects.update(applied_at=None)
    call_command(name, *arguments, stdout=io.StringIO(), stderr=screen)
    assert words in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def cleanup_state() -> None:
    """As it was before a restore."""
    Subscriber.objects.update(reset_at=None)
    Event.objects.update(applied_at=None)
    run("cleanup_bounces")
