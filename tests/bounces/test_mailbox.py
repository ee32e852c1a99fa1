"""The bounce mailbox: nothing is marked before it is kept, one bad mail stops nobody, and a run can be cut anywhere."""

import io
import json
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError

from bounces import ingest, mailbox, tasks
from bounces.mail.parts import MAX_BYTES
from bounces.models import Notification
from tests.bounces import mailed
from tests.bounces.helpers import send_to, state_of
from tests.bounces.imap_server import Mailbox, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def url(box: Mailbox, settings: LazySettings) -> Iterator[str]:
    with serving(box) as address:
        settings.BOUNCE_IMAP_URL = f"imap://bounces%40acme.example:p%40ss%2Fword@{address}/INBOX"
        yield settings.BOUNCE_IMAP_URL


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("read_bounce_mailbox", *arguments, stdout=out)
    return out.getvalue()


def test_new_mails_are_stored_processed_and_marked_as_read(box: Mailbox, url: str) -> None:
    delivery = send_to("ada@post.example")
    box.add(
        mailed.dsn("ada@post.example", header=mailed.header_of(delivery)), mailed.plain("a@b.example", "Hi")
    )
    assert json.loads(run("--json")) == {
        "stored": 2, "duplicates": 0, "processed": 2, "quarantined": 0, "events": 2, "left": 0,
    }  # fmt: skip
    assert box.seen == {1, 2} and list(box.mails) == [1, 2]
    assert state_of(delivery) == "bounced"
    assert "0 stored, 0 known before" in run()


@pytest.mark.parametrize("can_move", [True, False])
def test_with_a_folder_for_what_is_done_the_mails_are_moved(
    box: Mailbox, url: str, settings: LazySettings, can_move: bool
) -> None:
    settings.BOUNCE_IMAP_DONE, box.can_move = 'Done "so far"', can_move
    box.add(*(mailed.dsn("a@b.example", number=number) for number in range(3)))
    box.seen = {1}
    assert json.loads(run("--json"))["stored"] == 3
    assert not box.mails and len(box.done) == 3
    assert any('"Done \\"so far\\""' in said for said in box.said)


def test_a_mail_that_cannot_be_fetched_is_left_and_the_others_are_taken(box: Mailbox, url: str) -> None:
    box.add(*(mailed.dsn("a@b.example", number=number) for number in range(3)))
    box.broken = {2}
    found = json.loads(run("--json"))
    assert (found["stored"], found["left"], box.seen) == (2, 1, {1, 3})
    box.broken = set()
    assert json.loads(run("--json"))["stored"] == 1


def test_nothing_is_marked_that_was_not_stored(
    box: Mailbox, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add(mailed.dsn("a@b.example"))

    def broken(*args: object, **options: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store_many", broken)
        with pytest.raises(RuntimeError):
            run()
    assert box.seen == set()
    assert json.loads(run("--json"))["stored"] == 1


@pytest.mark.parametrize("command", ["UID STORE", "UID FETCH", "UID SEARCH", "LOGIN"])
def test_a_run_that_is_cut_is_continued_by_the_next_one(box: Mailbox, url: str, command: str) -> None:
    box.add(*(mailed.dsn("a@b.example", number=number) for number in range(3)))
    box.breaks_before = {command}
    with pytest.raises(CommandError, match="The mail server does not do it"):
        run()
    box.breaks_before = set()
    run()
    assert (Notification.objects.count(), box.seen) == (3, {1, 2, 3})
    assert not Notification.objects.filter(state="stored").exclude(tries=0).exists()


def test_a_huge_mail_is_read_as_far_as_the_reader_looks(box: Mailbox, url: str) -> None:
    box.add(mailed.plain("a@b.example", "Large", text="x" * (MAX_BYTES * 2)))
    assert json.loads(run("--json"))["stored"] == 1
    assert len(bytes(Notification.objects.get().raw or b"")) == MAX_BYTES


def test_the_task_reads_too_and_a_server_that_is_away_breaks_nothing(
    box: Mailbox, url: str, settings: LazySettings
) -> None:
    box.add(mailed.dsn("a@b.example"))
    tasks.read_mailbox()
    assert Notification.objects.get().source == "dsn"
    settings.BOUNCE_IMAP_URL = "imap://u:p@127.0.0.1:1/INBOX"
    tasks.read_mailbox()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "BOUNCE_IMAP_URL is empty"),
        ("mailbox", "no address of a mailbox"),
        ("pop3://u:secret@h.example", "no address of a mailbox"),
        ("imaps://h.example/INBOX", "no address of a mailbox"),
        ("imaps://u:secret@h.example:port/INBOX", "no address"),
        ("imap://u:secret@mail.example/INBOX", "in the clear"),
    ],
)
def test_a_wrong_address_is_told_without_the_password(
    settings: LazySettings, address: str, words: str
) -> None:
    settings.BOUNCE_IMAP_URL = address
    with pytest.raises(CommandError, match=words) as refusal:
        run()
    assert refusal.value.returncode == 2 and "secret" not in str(refusal.value)


def test_a_wrong_password_is_told_in_the_servers_words(box: Mailbox, url: str) -> None:
    box.password = "another"
    with pytest.raises(CommandError, match="wrong user or password"):
        run()


@pytest.mark.parametrize("folder", ["Erledigt ü", "a\r\nb LOGOUT", "a\x00"])
def test_a_folder_that_imap_cannot_carry_is_refused(folder: str) -> None:
    with pytest.raises(mailbox.BadMailbox):
        mailbox._quoted(folder)
