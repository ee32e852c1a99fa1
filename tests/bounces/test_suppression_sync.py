"""Both lists alike: pulled, pushed, deleted, resumed; against the local SES over real HTTP."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bounces import suppression_sync, undo
from bounces.models import Watermark
from mailinglist import aws, doorbell, suppression
from mailinglist.changes import Actor, Kind
from mailinglist.models import Change, Subscriber, Suppression
from sandbox.testing import RunningSandbox, sandbox
from tests.factories import make_subscriber

pytestmark = pytest.mark.django_db
BY = Actor(Kind.COMMAND)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox(bare=False) as ses:
        yield ses


@pytest.fixture(autouse=True)
def ses(running: RunningSandbox, settings: Any) -> RunningSandbox:
    settings.SES_ENDPOINT_URL = running.url
    settings.SUPPRESSION_SYNC_PAUSE = 0
    for row in aws.list_suppressed()[0]:
        aws.delete_suppressed(row.email)
    return running


def at_ses() -> dict[str, str]:
    return {row.email: row.reason for row in aws.list_suppressed()[0]}


def block(email: str, reason: str = "hard-bounce") -> Suppression:
    person = make_subscriber(email)
    suppression.suppress(person.pk, reason=Suppression.Reason(reason), by=BY, why="It bounced.")
    return Suppression.objects.get(key=person.suppression_key)


def test_our_bounces_and_complaints_are_put_there_and_a_managers_own_are_not() -> None:
    rows = [
        block("ada@post.example"),
        block("bob@post.example", "complaint"),
        block("eve@post.example", "manual"),
    ]
    done = suppression_sync.sync()
    assert (done.put, done.left) == (2, 0)
    assert at_ses() == {"ada@post.example": "BOUNCE", "bob@post.example": "COMPLAINT"}
    for row in rows:
        row.refresh_from_db()
    assert [bool(row.synced_at) for row in rows] == [True, True, False]
    assert suppression_sync.sync().put == 0


def test_what_ses_has_is_suppressed_here_also_for_people_we_do_not_know() -> None:
    ada = make_subscriber("ada@post.example")
    aws.put_suppressed("Ada@post.example", "BOUNCE")
    aws.put_suppressed("stranger@post.example", "COMPLAINT")
    assert suppression_sync.sync().suppressed_here == 2
    assert suppression.is_suppressed(ada)
    row = Suppression.objects.get(key=ada.suppression_key)
    assert (row.reason, row.synced_at is not None) == ("ses-list", True)
    assert "suppression list of the account" in row.evidence
    assert Change.objects.get(subscriber=ada, noun="suppression").actor == "system"
    assert suppression.is_suppressed(make_subscriber("stranger@post.example"))
    assert suppression_sync.sync().suppressed_here == 0


def test_a_release_takes_the_address_off_there_and_the_next_pull_does_not_undo_it() -> None:
    row = block("ada@post.example")
    suppression_sync.sync()
    suppression.release(row.pk, by=BY, why="She called.")
    done = suppression_sync.sync()
    assert (done.deleted, at_ses()) == (1, {})
    row.refresh_from_db()
    assert not row.active
    assert suppression_sync.sync().deleted == 0


def test_a_pull_before_the_deletion_does_not_undo_a_release_either() -> None:
    row = block("ada@post.example")
    aws.put_suppressed("ada@post.example", "BOUNCE")
    suppression.release(row.pk, by=BY, why="She called.")
    assert suppression_sync.sync(dry_run=True).as_dict() == {
        "seen": 1, "suppressed_here": 0, "put": 0, "deleted": 1, "left": 0, "resumed": False,
    }  # fmt: skip
    assert at_ses() == {"ada@post.example": "BOUNCE"}
    suppression_sync.sync()
    row.refresh_from_db()
    assert (row.active, at_ses()) == (False, {})


def test_what_ses_suppressed_after_the_release_is_suppressed_again() -> None:
    row = block("ada@post.example")
    suppression.release(row.pk, by=BY, why="She called.")
    suppression_sync.sync()
    aws.put_suppressed("ada@post.example", "BOUNCE")
    assert suppression_sync.sync().suppressed_here == 1
    row.refresh_from_db()
    assert (row.active, row.reason) == (True, "ses-list")


def test_a_released_address_of_an_erased_person_is_taken_off_when_ses_names_it() -> None:
    row = block("ada@post.example")
    suppression_sync.sync()
    suppression.release(row.pk, by=BY, why="She asked.")
    Subscriber.objects.all().delete()
    assert suppression_sync.sync().deleted == 1
    assert at_ses() == {}


def test_a_restore_reaches_ses() -> None:
    row = block("ada@post.example")
    suppression_sync.sync()
    undo.restore_people([Subscriber.objects.get().pk], by=BY, why="An outage.")
    suppression_sync.sync()
    row.refresh_from_db()
    assert (at_ses(), row.active) == ({}, False)


def complain(email: str) -> None:
    """About another mail of the account, which we hear nothing of."""
    aws.put_suppressed(email, "COMPLAINT")


def take_back() -> None:
    undo.restore_people(list(Subscriber.objects.values_list("pk", flat=True)), by=BY, why="An outage.")


def test_a_complaint_at_ses_takes_the_place_of_a_bounce_and_is_not_taken_back_with_it() -> None:
    row = block("ada@post.example")
    complain("ada@post.example")
    assert suppression_sync.sync().suppressed_here == 0
    row.refresh_from_db()
    assert (row.reason, row.synced_at is not None) == ("complaint", True)
    change = Change.objects.get(noun="suppression", before="hard-bounce")
    assert (change.after, change.actor) == ("complaint", "system")
    take_back()
    suppression_sync.sync()
    row.refresh_from_db()
    assert (row.active, at_ses()) == (True, {"ada@post.example": "COMPLAINT"})
    suppression.release(row.pk, by=BY, why="She called.")
    suppression_sync.sync()
    row.refresh_from_db()
    assert (row.active, at_ses()) == (False, {})


@pytest.mark.parametrize("run", [suppression_sync.sync, suppression_sync.run_in_background])
def test_a_complaint_that_ses_heard_of_before_a_take_back_stays_there_and_counts_here(
    run: Callable[[], Any],
) -> None:
    row = block("ada@post.example")
    suppression_sync.sync()
    complain("ada@post.example")
    take_back()
    row.refresh_from_db()
    assert not row.active
    run()
    row.refresh_from_db()
    assert (row.active, row.reason, at_ses()) == (True, "complaint", {"ada@post.example": "COMPLAINT"})


def test_a_bounce_at_ses_takes_the_place_of_nothing() -> None:
    rows = [block(f"{reason}@post.example", reason) for reason in ("hard-bounce", "manual", "complaint")]
    for row in rows:
        aws.put_suppressed(f"{row.reason}@post.example", "BOUNCE")
    suppression_sync.sync()
    for row in rows:
        before = row.reason
        row.refresh_from_db()
        assert (row.reason, row.active) == (before, True)


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        aws.put_suppressed(f"p{number}@post.example", "BOUNCE")
    pages: list[str] = []
    original = aws.list_suppressed

    def small(*, token: str = "") -> Any:
        pages.append(token)
        if len(pages) == 2:
            raise KeyboardInterrupt
        return original(token=token, page_size=2)

    monkeypatch.setattr(aws, "list_suppressed", small)
    with pytest.raises(KeyboardInterrupt):
        suppression_sync.sync()
    assert Suppression.objects.count() == 2
    done = suppression_sync.sync()
    assert (done.resumed, done.seen, Suppression.objects.count()) == (True, 3, 5)
    assert Watermark.objects.get(name="suppression-sync").token == ""


def test_a_token_that_ses_no_longer_takes_begins_the_pull_anew() -> None:
    aws.put_suppressed("ada@post.example", "BOUNCE")
    Watermark.objects.create(name="suppression-sync", token="not a token")
    with pytest.raises(suppression_sync.SesAway):
        suppression_sync.sync()
    assert suppression_sync.sync().seen == 1


def test_two_runs_at_once_are_refused() -> None:
    Watermark.objects.create(name="suppression-sync", started_at=timezone.now())
    with pytest.raises(suppression_sync.Busy):
        suppression_sync.sync()
    Watermark.objects.update(started_at=timezone.now() - suppression_sync.DEAD_AFTER * 2)
    suppression_sync.sync()


def test_ses_away_is_a_sentence_and_status_one(settings: Any) -> None:
    settings.SES_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="SES does not answer") as refusal:
        call_command("sync_suppressions", stdout=io.StringIO())
    assert refusal.value.returncode == 1
    suppression_sync.run_in_background()
    assert "does not answer" in Watermark.objects.get(name="suppression-sync").error


def test_in_the_background_few_calls_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        block(f"p{number}@post.example")
    monkeypatch.setattr(suppression_sync, "BACKGROUND_CALLS", 3)
    suppression_sync.run_in_background()
    assert len(at_ses()) == 2  # one call was the pull
    suppression_sync.run_in_background()
    assert len(at_ses()) == 5


def test_what_ses_listed_a_moment_ago_waits_for_its_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been a block, which is not the person's fault; the next reading knows."""
    make_subscriber("ada@post.example")
    aws.put_suppressed("ada@post.example", "BOUNCE")
    suppression_sync.run_in_background()
    assert not Suppression.objects.exists()
    monkeypatch.setattr(suppression_sync, "TOO_FRESH", timedelta(0))
    monkeypatch.setattr(suppression_sync, "PULL_EVERY", timedelta(0))
    suppression_sync.run_in_background()
    assert Suppression.objects.get().reason == "ses-list"


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_block_wake_the_synchronisation_and_a_suppression_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A suppression is safe here before SES knows of it; a tombstone is not: SES would swallow the next mail."""
    rung: list[str] = []
    monkeypatch.setattr(doorbell, "ring_together", lambda task: rung.append(task.name))
    row, other = block("ada@post.example"), make_subscriber("bob@post.example")
    assert rung == []
    suppression.release(row.pk, by=BY, why="She called.")
    assert rung == ["bounces.tasks.sync_suppressions"]
    rung.clear()
    suppression.unlist(other.pk, at=timezone.now(), by=BY, why="The provider blocks our mail.")
    assert set(rung) == {"bounces.tasks.sync_suppressions"}
    rung.clear()
    suppression_sync.run_in_background()
    assert rung == [] and not suppression_sync.to_delete().exists()


def test_what_is_released_during_a_run_is_told_by_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of the release finds the run at work and leaves."""
    first, second = block("ada@post.example"), block("bob@post.example")
    suppression_sync.sync()
    suppression.release(first.pk, by=BY, why="She called.")
    real = aws.delete_suppressed

    def delete(email: str) -> None:
        real(email)
        if suppression.release(second.pk, by=BY, why="He called, too."):
            suppression_sync.run_in_background()

    monkeypatch.setattr(aws, "delete_suppressed", delete)
    suppression_sync.run_in_background()
    assert at_ses() == {}


def test_a_dry_run_counts_what_the_real_run_does() -> None:
    """One that SES has by itself, one that it has not, one that was released while it says that it is told."""
    block("ada@post.example")
    aws.put_suppressed("ada@post.example", "BOUNCE")
    block("bob@post.example")
    row = block("eve@post.example")
    aws.put_suppressed("eve@post.example", "BOUNCE")
    suppression.release(row.pk, by=BY, why="She called.")
    suppression.told_ses(row.pk, released=True)
    aws.put_suppressed("new@post.example", "BOUNCE")
    dry = suppression_sync.sync(dry_run=True)
    assert (dry.seen, dry.suppressed_here, dry.put, dry.deleted) == (3, 1, 1, 1)
    real = suppression_sync.sync()
    assert real == dry


def test_every_call_is_followed_by_a_pause(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.SUPPRESSION_SYNC_PAUSE = 1
    pauses: list[float] = []
    monkeypatch.setattr("bounces.suppression_sync.time.sleep", pauses.append)
    block("ada@post.example")
    suppression_sync.sync()
    assert pauses == [1, 1]


def test_the_command_prints_its_counts() -> None:
    block("ada@post.example")
    out = io.StringIO()
    call_command("sync_suppressions", "--dry-run", "--json", stdout=out)
    assert json.loads(out.getvalue())["put"] == 1
    assert at_ses() == {}
    out = io.StringIO()
    call_command("sync_suppressions", stdout=out)
    assert "1 were put there" in out.getvalue()
