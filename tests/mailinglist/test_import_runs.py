"""Uploaded files: from the upload to the end and back, in the hands of workers that may die."""

import signal
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist import (
    erasure,
    import_files,
    import_runs,
    import_sessions,
    import_undo,
    subscriptions,
    tasks,
)
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.csv_rows import UnreadableFile
from mailinglist.models import (
    Change,
    Import,
    ImportBadRow,
    ImportedBefore,
    ImportPart,
    MailingList,
    Subscriber,
    Subscription,
)
from tests.factories import make_list, make_subscriber
from tests.mailinglist.importing import python, wait_for_other_sessions
from tests.staff import make_delivery, make_started

BY = Actor(Kind.SYSTEM)
PEOPLE = "E-Mail;Full Name;name\nada@post.example;x;Ada\nbob@post.example;;Bob\nnot an address;;Eve\n"


@pytest.fixture
def news(db) -> MailingList:
    return make_list()


def uploaded(mailing_list: MailingList, text: str | bytes = PEOPLE, encoding: str = "") -> Import:
    data = text.encode() if isinstance(text, str) else text
    return import_runs.create(mailing_list, [data], file_name="people.csv", encoding=encoding, by=BY)


def checked(mailing_list: MailingList, text: str | bytes = PEOPLE, **options) -> Import:
    row = uploaded(mailing_list, text)
    values = {"status": "confirmed", "update": False, "consent_text": "Ticked a box.", **options}
    import_runs.check(row.pk, row.columns, **values)
    import_runs.run(row.pk)
    row.refresh_from_db()
    assert row.state == "checked"
    return row


def imported(mailing_list: MailingList, text: str | bytes = PEOPLE, **options) -> Import:
    row = checked(mailing_list, text, **options)
    import_runs.start(row.pk, by=BY)
    import_runs.run(row.pk)
    row.refresh_from_db()
    return row


def leave(person: Subscriber, mailing_list: MailingList) -> None:
    subscriptions.unsubscribe(
        person.pk, list_ids=[mailing_list.pk], reason=subscriptions.Reason.PAGE, by=SYSTEM, why="By the page."
    )


def undone(row: Import) -> dict[str, int]:
    import_runs.undo(row.pk, by=BY)
    import_runs.run(row.pk)
    row.refresh_from_db()
    assert row.state == "undone"
    return row.undo_report


class TestUpload:
    def test_columns_are_guessed_and_those_of_no_meaning_become_values(self, news):
        row = uploaded(news)
        assert row.header == ["E-Mail", "Full Name", "name"]
        assert row.columns == ["email", "attribute:full_name", "name"]
        assert row.size == len(PEOPLE)

    def test_the_column_with_addresses_is_found_by_what_is_in_it(self, news):
        row = uploaded(news, "Wer,Wohin\nAda,ada@post.example\n")
        assert row.columns == ["attribute:wer", "email"]

    @pytest.mark.parametrize(
        ("encoding", "found"),
        [("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "cp1252"), ("utf-16-be", "utf-16-be")],
    )
    def test_the_encoding_is_found_out(self, news, encoding, found):
        rows = "".join(f"p{n}@post.example\tJürgen {n}\n" for n in range(5))
        row = uploaded(news, f"email\tname\n{rows}".encode(encoding))
        assert row.encoding == found
        sample = import_files.sample(import_files.opened(row.pk), row.encoding)
        assert sample.rows[0] == ["p0@post.example", "Jürgen 0"]

    @pytest.mark.parametrize("head", ["email,name", "email,Größe"])
    def test_windows_text_is_found_out_by_a_few_letters(self, news, head):
        names = ["Jürgen" if n % 4 == 0 else "Bo" for n in range(20)]
        rows = "".join(f"p{n}@post.example,{name}\n" for n, name in enumerate(names))
        assert uploaded(news, f"{head}\n{rows}".encode("cp1252")).encoding == "cp1252"
        mixed = f"{head}\n{rows}".encode("cp1252") + "z@post.example,Jürgen\n".encode()
        assert uploaded(news, mixed.replace("Größe".encode("cp1252"), b"size")).encoding == "utf-8"

    def test_the_names_of_values_keep_their_letters(self, news):
        row = uploaded(news, "email,Größe,Ørsted Ł,Город,都市,1. Wahl\nada@post.example,1,2,3,4,5\n")
        names = [name.removeprefix("attribute:") for name in row.columns[1:]]
        assert names == ["grosse", "orsted_l", "value_4", "value_5", "_1_wahl"]

    def test_another_encoding_can_be_chosen(self, news):
        row = uploaded(news, "email,name\nada@post.example,Jürgen\n".encode("latin-1"))
        import_runs.read_as(row.pk, "latin-1")
        row.refresh_from_db()
        sample = import_files.sample(import_files.opened(row.pk), row.encoding)
        assert sample.rows == [["ada@post.example", "Jürgen"]]

    def test_a_file_of_nothing_keeps_nothing(self, news):
        with pytest.raises(UnreadableFile, match="empty"):
            uploaded(news, b"")
        assert not Import.objects.exists()

    def test_a_long_file_is_kept_in_pieces_and_read_as_it_was(self, news, monkeypatch):
        monkeypatch.setattr(import_files, "PART", 100)
        text = "email\n" + "".join(f"p{n}@post.example\n" for n in range(50))
        row = uploaded(news, text)
        assert ImportPart.objects.filter(owner=row).count() == -(-len(text) // 100)
        assert import_files.opened(row.pk).read() == text.encode()

    @pytest.mark.parametrize("columns", [["", "name", ""], ["email", "email", ""]])
    def test_columns_that_cannot_be_imported_are_refused(self, news, columns):
        row = uploaded(news)
        with pytest.raises(UnreadableFile):
            import_runs.check(row.pk, columns, status="confirmed", update=False, consent_text="")


class TestCheckAndImport:
    def test_a_check_reports_and_changes_nothing(self, news):
        make_subscriber("bob@post.example", news)
        row = checked(news)
        assert row.check_report["new_subscriptions"] == row.check_report["already"] == 1
        assert row.check_report["rows"] == 3
        bad = ImportBadRow.objects.get()
        assert (bad.line, bad.column, bad.value) == (4, "email", "not an address")
        assert Subscriber.objects.count() == 1

    def test_an_import_does_what_its_check_said(self, news):
        make_subscriber("bob@post.example", news)
        row = imported(news)
        assert row.state == "done"
        assert row.report == row.check_report
        assert not ImportPart.objects.exists(), "the file is full of addresses and of no more use"
        ada = Subscription.objects.get(subscriber__email_key="ada@post.example")
        assert (ada.consent_text, ada.subscriber.attributes) == ("Ticked a box.", {"full_name": "x"})
        assert Change.objects.get(noun="list", after="imported").evidence["import"] == row.pk

    def test_nothing_is_started_twice_or_unchecked(self, news):
        row = uploaded(news)
        with pytest.raises(import_runs.CannotDo):
            import_runs.start(row.pk, by=BY)
        row = imported(news)
        with pytest.raises(import_runs.CannotDo, match="is imported now"):
            import_runs.start(row.pk, by=BY)

    def test_a_cancelled_import_stops_with_whole_chunks(self, news, monkeypatch):
        monkeypatch.setattr(import_sessions, "CHUNK", 10)
        row = checked(news, "email\n" + "".join(f"p{n}@post.example\n" for n in range(50)))
        import_runs.start(row.pk, by=BY)
        looks = iter([False, False, True, True])
        import_runs.run(row.pk, stopping=lambda: next(looks))  # a worker that has to end after two chunks
        import_runs.cancel(row.pk, by=BY)
        import_runs.run(row.pk)
        row.refresh_from_db()
        assert (row.state, row.people_done, row.report["new_subscriptions"]) == ("cancelled", 20, 20)
        assert Subscription.objects.count() == 20
        assert undone(row) == {"subscriptions": 20, "subscribers": 20}

    def test_a_chunk_that_a_cancel_came_before_leaves_nothing(self, news, monkeypatch):
        monkeypatch.setattr(import_sessions, "CHUNK", 10)
        row = checked(news, "email\n" + "".join(f"p{n}@post.example\n" for n in range(50)))
        import_runs.start(row.pk, by=BY)
        chunks = iter(range(9))

        def cancelled_before_the_third():
            if next(chunks) == 2:
                import_runs.cancel(row.pk, by=BY)
            return ExitStack()

        monkeypatch.setattr(import_sessions, "ExitStack", cancelled_before_the_third)
        import_runs.run(row.pk)
        row.refresh_from_db()
        assert (row.state, row.people_done, Subscription.objects.count()) == ("cancelled", 20, 20)
        assert not ImportPart.objects.exists()

    def test_a_worker_that_ended_is_followed_by_one_that_goes_on(self, news, monkeypatch):
        monkeypatch.setattr(import_sessions, "CHUNK", 10)
        row = checked(news, "email\n" + "".join(f"p{n}@post.example\n" for n in range(50)))
        import_runs.start(row.pk, by=BY)
        looks = iter([False, False, True, True])
        import_runs.run(row.pk, stopping=lambda: next(looks))
        assert import_runs.next_to_do() == row.pk
        tasks.run_import(row.pk)
        row.refresh_from_db()
        assert (row.state, row.report["new_subscriptions"], row.report["already"]) == ("done", 50, 0)

    def test_an_import_that_never_comes_further_is_given_up(self, news, monkeypatch):
        def dies(*args, **options):
            raise MemoryError

        row = uploaded(news)
        import_runs.check(row.pk, row.columns, status="confirmed", update=False, consent_text="")
        for _ in range(import_runs.MOST_TRIES + 1):
            import_runs.run(row.pk, stopping=lambda: True)  # a worker that has to end is no fault of the file
        monkeypatch.setattr(import_runs.imports, "import_csv", dies)
        for _ in range(import_runs.MOST_TRIES):
            with pytest.raises(MemoryError):
                import_runs.run(row.pk)
        import_runs.run(row.pk)
        row.refresh_from_db()
        assert (row.state, row.can_undo) == ("failed", False)
        assert "began 5 times" in row.trouble

    def test_the_sweep_finds_what_no_message_told_of(self, news, monkeypatch):
        rung = []
        monkeypatch.setattr(tasks.doorbell, "ring", lambda task, *args: rung.append((task.name, *args)))
        row = uploaded(news)
        import_runs.check(row.pk, row.columns, status="confirmed", update=False, consent_text="")
        rung.clear()
        tasks.sweep()
        assert ("mailinglist.tasks.run_import", row.pk) in rung

    def test_old_files_refused_rows_and_befores_are_thrown_away(self, news):
        make_subscriber("bob@post.example", news)
        done, waiting = imported(news, update=True), checked(news)
        assert ImportBadRow.objects.exists()
        assert ImportedBefore.objects.exists()
        Import.objects.update(created_at=timezone.now() - timedelta(days=31))
        import_runs.prune()
        waiting.refresh_from_db()
        assert waiting.state == "cancelled"
        for model in (ImportPart, ImportBadRow, ImportedBefore):
            assert not model.objects.exists()
        Import.objects.filter(pk=done.pk).update(started_at=timezone.now() - timedelta(days=31))
        with pytest.raises(import_runs.CannotDo, match="30 days"):
            import_runs.undo(done.pk, by=BY)

    def test_an_erasure_takes_refused_rows_with_the_address_along(self, news):
        ada = make_subscriber("ada@post.example", news)
        checked(news, 'email,name\nbob@post.example,"Bob\nAda@Post.Example,"x"y\n')
        assert ImportBadRow.objects.filter(value__contains="Ada@Post").exists()
        erasure.forget(ada.pk, by=SYSTEM, why="Asked.")
        assert not ImportBadRow.objects.filter(value__icontains="ada@post").exists()


class TestUndo:
    def test_what_the_import_made_goes_and_what_was_there_stays(self, news):
        make_subscriber("bob@post.example", news)
        other = make_list("other")
        make_subscriber("ada@post.example", other)
        row = imported(news, PEOPLE + "eve@post.example;;Eve\n")
        assert undone(row) == {"subscriptions": 2, "subscribers": 1}
        assert set(Subscriber.objects.values_list("email_key", flat=True)) == {
            "ada@post.example",
            "bob@post.example",
        }
        assert Subscription.objects.filter(list=news).count() == 1
        assert Change.objects.filter(noun="list", after="import undone").count() == 1
        assert Change.objects.filter(noun="subscription", after="taken back").count() == 2

    def test_who_was_mailed_or_changed_since_stays(self, news):
        row = imported(news, "email\n" + "".join(f"{name}@post.example\n" for name in ("ada", "bob", "eve")))
        ada, bob, _ = Subscriber.objects.order_by("email_key")
        leave(ada, news)
        make_delivery(make_started(news), bob, "delivered")
        assert undone(row) == {"subscriptions": 1, "subscribers": 1, "kept_changed": 1, "kept_mailed": 1}
        assert Subscription.objects.get(subscriber=ada).status == "unsubscribed"

    def test_changed_people_are_as_before_unless_they_changed_again(self, news):
        for name in ("ada", "bob"):
            make_subscriber(f"{name}@post.example", news, name="Old", attributes={"plan": "a"})
        row = imported(news, "email,name,plan\nada@post.example,New,b\nbob@post.example,New,b\n", update=True)
        Subscriber.objects.filter(email_key="bob@post.example").update(name="Newer")
        assert undone(row) == {"restored": 1, "kept_updates": 1}
        found = Subscriber.objects.order_by("email_key").values_list("name", "attributes")
        assert list(found) == [("Old", {"plan": "a"}), ("Newer", {"plan": "b"})]

    def test_subscriptions_that_the_file_ended_are_in_force_again(self, news):
        make_subscriber("ada@post.example", news)
        row = imported(news, "email,status\nada@post.example,unsubscribed\n", update=True)
        assert Subscription.objects.get().status == "unsubscribed"
        assert undone(row) == {"resubscribed": 1}
        assert Subscription.objects.get().status == "confirmed"

    def test_an_undo_goes_on_where_a_worker_left_it_and_counts_nothing_twice(self, news, monkeypatch):
        monkeypatch.setattr(import_undo, "LOT", 10)
        row = imported(news, "email\n" + "".join(f"p{n}@post.example\n" for n in range(50)))
        leave(Subscriber.objects.earliest("pk"), news)
        import_runs.undo(row.pk, by=BY)
        looks = iter([False, False, True, True])
        import_runs.run(row.pk, stopping=lambda: next(looks))
        assert Subscription.objects.count() == 31
        import_runs.run(row.pk)
        row.refresh_from_db()
        assert row.undo_report == {"subscriptions": 49, "subscribers": 49, "kept_changed": 1}

    def test_what_imported_nothing_cannot_be_undone(self, news):
        row = uploaded(news)
        import_runs.cancel(row.pk, by=BY)
        with pytest.raises(import_runs.CannotDo, match="Nothing was imported"):
            import_runs.undo(row.pk, by=BY)


WORKER = """
import os, sys, django
django.setup()
from mailinglist import import_merge, import_sessions, import_runs
import_sessions.CHUNK = 500
looks = iter(range(100))
def stopping():
    if next(looks) == 4:
        print("in the middle", flush=True)
        sys.stdin.read()
    return False
import_runs.run(int(sys.argv[1]), stopping=stopping)
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing(monkeypatch):
    monkeypatch.setattr(import_sessions, "CHUNK", 500)
    row = checked(make_list(), "email\n" + "".join(f"p{n}@post.example\n" for n in range(4_000)))
    import_runs.start(row.pk, by=BY)
    process = python(WORKER, row.pk)
    assert process.stdout.readline() == "in the middle\n"
    assert import_runs.next_to_do() is None, "a worker is at it"
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for_other_sessions()
    assert Subscription.objects.count() == 2_000
    assert import_runs.next_to_do() == row.pk
    import_runs.run(row.pk)
    row.refresh_from_db()
    assert row.state == "done"
    assert (row.report["new_subscriptions"], row.report["already"], row.report["rows"]) == (4_000, 0, 4_000)
    assert Subscription.objects.count() == Change.objects.filter(noun="subscription").count() == 4_000
