"""Imports: good rows in, bad rows told, nobody brought back, nothing done twice."""

import io
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from mailinglist import import_sessions, subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.imports import BadRow, ImportReport, UnreadableFile, import_csv
from mailinglist.models import Change, MailingList, Subscriber, Subscription, Suppression
from tests.factories import make_list, make_subscriber
from tests.mailinglist.importing import BY, adds_up, load

Status = Subscription.Status


@pytest.fixture
def news(db) -> MailingList:
    return make_list()


def statuses(mailing_list: MailingList) -> dict[str, str]:
    rows = Subscription.objects.filter(list=mailing_list)
    return dict(rows.order_by("subscriber__email_key").values_list("subscriber__email_key", "status"))


def counts(report: ImportReport) -> dict[str, int]:
    """What is not nought."""
    return {name: value for name, value in report.as_dict().items() if value and type(value) is int}


class TestGoodRows:
    def test_people_are_subscribed_with_all_that_the_file_says(self, news):
        report = load(
            news,
            "E-Mail,Name,Language,Time Zone,consent_at,consent_ip,City,Plan\n"
            "Ada@Post.Example,Ada  Lovelace,de_AT,Europe/Vienna,2025-03-01T10:00:00+01:00,192.0.2.7,Wien,\n",
        )
        assert counts(report) == {"rows": 1, "new_subscribers": 1, "new_subscriptions": 1}
        subscription = Subscription.objects.select_related("subscriber").get()
        ada = subscription.subscriber
        assert (ada.email, ada.email_key, ada.name) == (
            "Ada@post.example",
            "ada@post.example",
            "Ada  Lovelace",
        )
        assert (ada.language, ada.time_zone, ada.attributes) == ("de-AT", "Europe/Vienna", {"City": "Wien"})
        assert (subscription.status, subscription.source) == (Status.CONFIRMED, "import")
        assert subscription.consent_at == datetime(2025, 3, 1, 9, tzinfo=UTC)
        assert (subscription.consent_ip, subscription.confirmed_at) == ("192.0.2.7", None)

    def test_an_imported_person_is_like_one_who_signed_up(self, news):
        load(news, "email\nada@post.example\n")
        ada = Subscriber.objects.get()
        assert ada.suppression_key == suppression.key_for(ada.email_key)
        assert len(ada.token) == len(make_subscriber("bo@post.example").token)
        assert subscriptions.get_or_create_subscriber("ADA@post.example") == ada

    def test_every_person_gets_a_token_of_their_own(self, news):
        load(news, "email\n" + "".join(f"p{n}@post.example\n" for n in range(50)))
        assert len(set(Subscriber.objects.values_list("token", flat=True))) == 50

    def test_without_a_column_for_it_there_is_no_evidence_of_consent(self, news):
        load(news, "email\nada@post.example\n")
        assert Subscription.objects.get().consent_at is None

    def test_known_people_are_subscribed_and_left_as_they_are(self, news):
        ada = make_subscriber("ada@post.example", name="Ada", attributes={"city": "Rome"})
        report = load(news, "email,name,city\nada@post.example,Other,Paris\n")
        ada.refresh_from_db()
        assert (ada.name, ada.attributes) == ("Ada", {"city": "Rome"})
        assert counts(report) == {"rows": 1, "new_subscriptions": 1}

    def test_update_takes_what_the_file_says_and_keeps_what_it_does_not_say(self, news):
        ada = make_subscriber(
            "ada@post.example", name="Ada", language="it", attributes={"city": "Rome", "a": 1}
        )
        make_subscriber("bo@post.example", name="Bo")
        text = "email,name,language,city,plan\nada@post.example,,de,Paris,gold\nbo@post.example,Bo,,,\n"
        report = load(news, text, update=True)
        ada.refresh_from_db()
        assert (ada.name, ada.language) == ("Ada", "de")
        assert ada.attributes == {"city": "Paris", "a": 1, "plan": "gold"}
        assert counts(report) == {"rows": 2, "new_subscriptions": 2, "updated": 1}
        assert Change.objects.get(noun="subscriber").subscriber == ada

    def test_pending_can_be_asked_for(self, news):
        load(news, "email\nada@post.example\n", status="pending")
        assert statuses(news) == {"ada@post.example": "pending"}

    def test_a_column_with_a_marked_name_is_an_attribute(self, news):
        load(news, "email,attribute:status,attribute:city\nada@post.example,gold,Rome\n")
        assert Subscriber.objects.get().attributes == {"status": "gold", "city": "Rome"}

    def test_columns_that_are_not_taken_back_are_named(self, news):
        report = load(news, "email,Source,confirmed_at\nada@post.example,fair,2025-01-01\n")
        assert report.columns_not_imported == ["Source", "confirmed_at"]
        assert Subscriber.objects.get().attributes == {}

    def test_guarded_values_lose_their_guard(self, news):
        load(news, "email,name,'=x\n'=cmd@post.example,'-Ada,'+43\n")
        found = Subscriber.objects.get()
        assert (found.email_key, found.name) == ("=cmd@post.example", "-Ada")
        assert found.attributes == {"=x": "+43"}

    def test_invisible_signs_are_taken_out_of_names(self, news):
        load(news, "email,name\nada@post.example,A\u202ed\u200ba\u200dX\ufeff\n")
        assert Subscriber.objects.get().name == "Ada\u200dX"

    def test_a_name_that_grows_too_long_when_it_is_composed_is_a_bad_row(self, news):
        report = load(news, f"email,name\nada@post.example,{chr(0x958) * 101}\n")
        assert [(row.column, row.reason) for row in report.bad] == [
            ("name", "The name is longer than 200 characters.")
        ]

    def test_attributes_may_have_several_lines(self, news):
        load(news, 'email,note\nada@post.example,"one\ntwo"\n')
        assert Subscriber.objects.get().attributes == {"note": "one\ntwo"}

    def test_two_lists_share_the_person(self, news):
        other = make_list("other")
        load(news, "email\nada@post.example\n")
        report = load(other, "email\nada@post.example\n")
        assert counts(report) == {"rows": 1, "new_subscriptions": 1}
        assert Subscriber.objects.count() == 1


class TestNobodyIsBroughtBack:
    @pytest.mark.parametrize("update", [False, True])
    @pytest.mark.parametrize("reason", [r for r in Subscription.Reason if r])
    def test_who_has_left_stays_away_for_whatever_reason(self, news, reason, update):
        ada = make_subscriber("ada@post.example", news)
        subscriptions.unsubscribe(ada.pk, reason=reason, by=SYSTEM, why="For a test.")
        report = load(news, "email,status\nADA@post.example,confirmed\n", update=update)
        assert statuses(news) == {"ada@post.example": "unsubscribed"}
        assert Subscription.objects.get().unsubscribe_reason == reason
        assert counts(report) == {"rows": 1, "kept_unsubscribed": 1}

    @pytest.mark.parametrize("spelling", ["ada@exämple.com", "ADA@xn--exmple-cua.com", "ada@exämple.com."])
    def test_who_is_suppressed_is_not_subscribed_however_it_is_spelled(self, news, spelling):
        ada = make_subscriber("ada@exämple.com")
        suppression.suppress(ada.pk, reason=Suppression.Reason.HARD_BOUNCE, by=SYSTEM, why="For a test.")
        report = load(news, f"email\n{spelling}\n")
        assert counts(report) == {"rows": 1, "suppressed": 1}
        assert statuses(news) == {}

    def test_a_suppressed_address_that_was_erased_is_not_stored_again(self, news):
        ada = make_subscriber("ada@post.example")
        suppression.suppress(ada.pk, reason=Suppression.Reason.COMPLAINT, by=SYSTEM, why="For a test.")
        Change.objects.all().delete()
        ada.delete()
        assert counts(load(news, "email\nada@post.example\n")) == {"rows": 1, "suppressed": 1}
        assert not Subscriber.objects.exists()

    def test_a_suppression_that_was_lifted_is_none(self, news):
        key = suppression.key_for("ada@post.example")
        now = timezone.now()
        Suppression.objects.create(key=key, reason="manual", since=now, released_at=now)
        assert load(news, "email\nada@post.example\n").new_subscriptions == 1

    def test_a_pending_subscription_is_not_confirmed_by_a_file(self, news):
        load(news, "email\nada@post.example\n", status="pending")
        report = load(news, "email\nada@post.example\n", status="confirmed", update=True)
        assert statuses(news) == {"ada@post.example": "pending"}
        assert counts(report) == {"rows": 1, "already": 1}

    def test_the_status_column_can_only_lower_what_the_manager_asks_for(self, news):
        text = (
            "email,status\n"
            "a@x.example,confirmed\nb@x.example,Pending\nc@x.example,unsubscribed\nd@x.example,\n"
        )
        report = load(news, text, status="pending")
        assert set(statuses(news).values()) == {"pending", "unsubscribed"}
        assert statuses(news)["c@x.example"] == "unsubscribed"
        other = make_list("other")
        load(other, text)
        assert list(statuses(other).values()) == ["confirmed", "pending", "unsubscribed", "confirmed"]
        assert counts(report)["unsubscribed"] == 1

    def test_who_is_unsubscribed_in_the_file_is_kept_so_for_the_next_file(self, news):
        load(news, "email,status\nada@post.example,unsubscribed\n")
        row = Subscription.objects.get()
        assert row.unsubscribe_reason == Subscription.Reason.IMPORT
        assert row.unsubscribed_at is not None
        assert load(news, "email\nada@post.example\n").kept_unsubscribed == 1

    def test_an_unsubscribed_row_ends_a_subscription_only_with_update(self, news):
        make_subscriber("ada@post.example", news)
        text = "email,status\nada@post.example,unsubscribed\n"
        assert counts(load(news, text)) == {"rows": 1, "already": 1}
        assert statuses(news) == {"ada@post.example": "confirmed"}
        assert counts(load(news, text, update=True)) == {"rows": 1, "unsubscribed": 1}
        assert statuses(news) == {"ada@post.example": "unsubscribed"}
        change = Change.objects.get(noun="subscription")
        assert (change.before, change.after) == ("confirmed", "unsubscribed")

    def test_of_two_rows_the_one_that_says_unsubscribed_counts(self, news):
        report = load(news, "email,status\na@x.example,confirmed\nA@x.example,unsubscribed\n")
        assert statuses(news) == {"a@x.example": "unsubscribed"}
        assert counts(report) == {
            "rows": 2,
            "new_subscribers": 1,
            "unsubscribed": 1,
            "duplicates_in_file": 1,
        }


class TestBadRows:
    @pytest.mark.parametrize(
        ("row", "column", "reason"),
        [
            ("not an address,,,,,", "email", "no @ sign"),
            (",Ada,,,,", "email", "empty"),
            ("jörg@post.example,,,,,", "email", "ASCII"),
            ("a@[127.0.0.1],,,,,", "email", "in brackets"),
            ("Ada <a@x.example>,,,,,", "email", "address alone"),
            ('"a@x.example,b@y.example",,,,,', "email", "one address only"),
            ("a@x.example," + "n" * 201 + ",,,,", "name", "longer than 200"),
            ("a@x.example,A\x00da,,,,", "name", "U+0000"),
            ("a@x.example,A\x1bda,,,,", "name", "U+001B"),
            ('a@x.example,"A\nda",,,,', "name", "U+000A"),
            ("a@x.example,,German,,,", "language", "language code"),
            ("a@x.example,,,Europe/Atlantis,,", "time_zone", "time zone"),
            ("a@x.example,,,,cleaned,", "status", "confirmed, pending, unsubscribed"),
            ("a@x.example,,,,,yesterday", "consent_at", "not a time"),
            ("a@x.example,,,,,2999-01-01", "consent_at", "future"),
            ("a@x.example,,,,,0001-01-01T00:00:00+14:00", "consent_at", "year"),
            ("a@x.example,,,,,,2,3", "", "8 values, but there are 6 columns"),
        ],
    )
    def test_a_bad_row_is_told_and_stops_nothing(self, news, row, column, reason):
        head = "email,name,language,time_zone,status,consent_at\n"
        report = load(news, f"{head}first@x.example,,,,,\n{row}\nlast@x.example,,,,,\n")
        assert list(statuses(news)) == ["first@x.example", "last@x.example"]
        assert (report.rows, report.bad_total) == (3, 1)
        [bad] = report.bad
        assert (bad.line, bad.column) == (3, column)
        assert reason in bad.reason
        assert bad.value.isprintable()

    @pytest.mark.parametrize("ip", ["localhost", "1.2.3", "fe80::1%eth0"])
    def test_a_bad_ip_address_is_told(self, news, ip):
        report = load(news, f"email,consent_ip\na@x.example,{ip}\nb@x.example,2001:db8::1\n")
        assert [bad.column for bad in report.bad] == ["consent_ip"]
        assert report.new_subscriptions == 1

    def test_a_foreign_byte_is_told_with_its_line_and_what_it_may_be(self, news):
        report = load(news, b"email,name\na@x.example,Ada\nb@x.example,J\xf6rg\nc@x.example,C\xc3\xa9\n")
        assert report.bad == [
            BadRow(
                3,
                "name",
                "J\\xf6rg",
                "The byte 0xF6 is not utf-8. In cp1252 it is ö; if that is the file's text encoding, "
                "choose cp1252.",
            )
        ]
        assert report.new_subscriptions == 2

    def test_a_damaged_character_in_an_address_is_told_as_that(self, news):
        report = load(news, b"email\na@x.example\nb\xff@x.example\n")
        assert "0xFF" in report.bad[0].reason

    def test_of_many_bad_rows_all_are_counted_and_the_first_are_kept(self, news):
        heard: list[BadRow] = []
        text = "email\n" + "".join(f"malformed {n}\n" for n in range(200)) + "a@x.example\n"
        report = load(news, text, keep_bad=10, on_bad=heard.append)
        assert (report.bad_total, len(report.bad), len(heard)) == (200, 10, 200)
        assert [bad.line for bad in heard] == list(range(2, 202))
        assert report.new_subscriptions == 1

    def test_a_short_row_is_filled_up_and_blank_lines_are_no_rows(self, news):
        report = load(news, "email,name,city\na@x.example\n\n,,\nb@x.example,Bo\n")
        assert counts(report) == {"rows": 2, "new_subscribers": 2, "new_subscriptions": 2}

    def test_a_file_without_an_address_column_is_refused_with_its_columns(self, news):
        with pytest.raises(UnreadableFile, match=r"No column is called email.*are: first, last\."):
            load(news, "first,last\nAda,Lovelace\n")

    @pytest.mark.parametrize("header", ["email,E-Mail", "email,city,city", "email,city,attribute:city"])
    def test_two_columns_of_the_same_meaning_are_refused(self, news, header):
        with pytest.raises(UnreadableFile, match="mean the same"):
            load(news, header + "\n")

    @pytest.mark.parametrize("name", [b"ci\xffty", b"ci\x00ty", b"c" * 101])
    def test_a_column_name_that_cannot_be_kept_is_refused(self, news, name):
        with pytest.raises(UnreadableFile, match="column name"):
            load(news, b"email," + name + b"\na@x.example,\n")

    def test_columns_without_a_name_are_left_out(self, news):
        load(news, "email,,\na@x.example,x,y\n")
        assert Subscriber.objects.get().attributes == {}

    def test_an_unknown_list_is_an_error(self, db):
        with pytest.raises(MailingList.DoesNotExist):
            import_csv(0, io.BytesIO(b"email\n"), by=BY)


class TestReportAndAudit:
    TEXT = (
        "email,name,status\nnew@x.example,New,\nNEW@x.example,Again,\non@x.example,Changed,\ngone@x.example,,\n"
        "blocked@x.example,,\nbad,,\nleft@x.example,,unsubscribed\n"
    )

    def people(self, news):
        make_subscriber("on@x.example", news)
        gone = make_subscriber("gone@x.example", news)
        subscriptions.unsubscribe(gone.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="For a test.")
        blocked = make_subscriber("blocked@x.example")
        suppression.suppress(blocked.pk, reason=Suppression.Reason.MANUAL, by=SYSTEM, why="For a test.")

    def test_every_row_is_counted_once(self, news):
        self.people(news)
        report = load(news, self.TEXT, update=True)
        assert counts(report) == {
            "rows": 7,
            "new_subscribers": 2,
            "new_subscriptions": 1,
            "updated": 1,
            "already": 1,
            "unsubscribed": 1,
            "kept_unsubscribed": 1,
            "suppressed": 1,
            "duplicates_in_file": 1,
            "bad_total": 1,
        }
        assert adds_up(report)

    def test_who_is_suppressed_leaves_all_the_same(self, news):
        person = make_subscriber("ada@x.example", news)
        suppression.suppress(person.pk, reason=Suppression.Reason.SES_LIST, by=SYSTEM, why="For a test.")
        report = load(news, "email,status\nada@x.example,unsubscribed\n", update=True)
        assert counts(report) == {"rows": 1, "unsubscribed": 1}
        assert statuses(news) == {"ada@x.example": "unsubscribed"}

    def test_a_stronger_reason_of_somebody_who_never_confirmed_again_stays(self, news):
        person = make_subscriber("ada@x.example", news)
        subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="For a test.")
        Subscription.objects.update(status="pending")
        load(news, "email,status\nada@x.example,unsubscribed\n", update=True)
        row = Subscription.objects.get()
        assert (row.status, row.unsubscribe_reason) == ("unsubscribed", "page")

    @pytest.mark.parametrize("update", [False, True])
    def test_a_dry_run_reports_the_same_and_changes_nothing(self, news, update):
        self.people(news)
        before = [list(model.objects.order_by("pk").values()) for model in (Subscriber, Subscription, Change)]
        dry = load(news, self.TEXT, update=update, dry_run=True)
        after = [list(model.objects.order_by("pk").values()) for model in (Subscriber, Subscription, Change)]
        assert before == after
        real = load(news, self.TEXT, update=update)
        assert {**dry.as_dict(), "dry_run": False} == real.as_dict()

    def test_the_second_run_of_a_file_makes_nothing(self, news):
        load(news, self.TEXT)
        people, rows = set(Subscriber.objects.values_list("pk", "token")), Change.objects.count()
        again = load(news, self.TEXT)
        assert (again.new_subscribers, again.new_subscriptions, again.already) == (0, 0, 5)
        assert adds_up(again)
        assert set(Subscriber.objects.values_list("pk", "token")) == people
        assert Change.objects.filter(noun="subscription").count() == rows - 1

    def test_many_chunks_do_what_one_does(self, news, monkeypatch):
        monkeypatch.setattr(import_sessions, "CHUNK", 2)
        self.people(news)
        assert adds_up(load(news, self.TEXT, dry_run=True))
        report = load(news, self.TEXT)
        assert (report.new_subscriptions, report.already, report.suppressed) == (1, 1, 1)
        assert adds_up(report)

    def test_each_new_subscription_has_its_change(self, news):
        user = get_user_model().objects.create_user("manager")
        by = Actor(Kind.USER, user, {"page": "import"})
        load(news, "email\nada@post.example\n", by=by, file_name="people.csv")
        change = Change.objects.get(noun="subscription")
        subscription = Subscription.objects.get()
        assert (change.object_id, change.subscriber_id, change.list_id) == (
            subscription.pk,
            subscription.subscriber_id,
            news.pk,
        )
        assert (change.actor, change.user, change.before, change.after) == ("user", user, "", "confirmed")
        assert change.why == "Imported from people.csv."
        assert change.evidence == {"page": "import", "file": "people.csv"}

    def test_the_list_remembers_the_import(self, news, tmp_path):
        file = tmp_path / "people.csv"
        file.write_text("email\nada@post.example\n")
        import_csv(news.pk, file, by=BY)
        change = Change.objects.get(noun="list")
        assert change.object_id == news.pk
        assert change.why == "1 new subscriptions from 1 rows of people.csv."

    def test_a_file_like_a_pipe_is_read(self, news):
        class Pipe:
            """Reads, and nothing else."""

            def __init__(self, data):
                self._data = io.BytesIO(data)

            def read(self, size):
                return self._data.read(min(size, 7))

        assert import_csv(news.pk, Pipe(b"email\nada@post.example\n"), by=BY).new_subscriptions == 1

    def test_progress_is_told_in_words(self, news):
        heard: list[str] = []
        load(news, "email\n" + "".join(f"p{n}@x.example\n" for n in range(5_000)), progress=heard.append)
        assert heard == ["read 5,000 rows", "merged 5,000 of 5,000 people"]

    def test_no_statement_depends_on_how_many_people_a_list_has(self, news, django_assert_max_num_queries):
        make_subscriber("ada@post.example", news)
        with django_assert_max_num_queries(31):
            load(news, "email\n" + "".join(f"p{n}@x.example\n" for n in range(500)), update=True)


ROWS_20_MB, PEOPLE_20_MB = 40_000, 4_000
LONG = "A town by the sea, " * 24


@pytest.mark.slow
@pytest.mark.no_cover
def test_a_file_of_twenty_megabytes_needs_little_memory(news, tmp_path):
    file = tmp_path / "big.csv"
    with file.open("w") as out:
        out.write("email,name,city\n")
        # One address in ten is new, the others are duplicates: the reading is measured, not PostgreSQL.
        out.writelines(
            f'p{n % PEOPLE_20_MB}@post.example,Person number {n},"{LONG}"\n' for n in range(ROWS_20_MB)
        )
    assert file.stat().st_size > 19_000_000
    before, while_reading = _resident(), []
    report = import_csv(news.pk, file, by=BY, progress=lambda words: while_reading.append(_resident()))
    assert report.duplicates_in_file == ROWS_20_MB - PEOPLE_20_MB
    assert max(while_reading) - before < 40_000_000


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class TestCommand:
    def run(self, *arguments, **options):
        out, err, status = io.StringIO(), io.StringIO(), 0
        try:
            call_command("import_subscribers", *map(str, arguments), stdout=out, stderr=err, **options)
        except SystemExit as ended:
            status = ended.code
        return out.getvalue(), err.getvalue(), status

    @pytest.fixture
    def file(self, tmp_path):
        file = tmp_path / "people.csv"
        file.write_text("email,name\nada@post.example,Ada\nbad,Bo\nada@post.example,Ada\n")
        return file

    def test_good_files_end_with_status_nought(self, news, tmp_path):
        file = tmp_path / "people.csv"
        file.write_text("email\nada@post.example\n")
        out, err, status = self.run("news", file)
        assert (err, status) == ("", 0)
        assert "         1  new subscriptions" in out

    def test_bad_rows_are_printed_with_line_and_reason_and_end_with_status_one(self, news, file):
        out, err, status = self.run("news", file)
        assert err == "line 3, email: The address has no @ sign. [bad]\n"
        assert "         1  bad rows" in out
        assert status == 1
        assert statuses(news) == {"ada@post.example": "confirmed"}

    def test_of_many_bad_rows_the_first_are_printed_and_a_file_has_all(self, news, tmp_path):
        file, errors = tmp_path / "people.csv", tmp_path / "bad.csv"
        file.write_text("email\n" + "=bad\n" * 150)
        _, err, _ = self.run("news", file, "--errors", errors)
        assert len(err.splitlines()) == 21
        assert "130 more bad rows" in err.splitlines()[-1]
        lines = errors.read_text().splitlines()
        assert lines[:2] == ["line,column,value,reason", "2,email,'=bad,The address has no @ sign."]
        assert len(lines) == 151

    def test_json_is_one_object(self, news, file):
        out, _, _ = self.run("news", file, "--json", "--dry-run")
        report = json.loads(out)
        assert (report["rows"], report["duplicates_in_file"], report["bad_total"]) == (3, 1, 1)
        assert report["bad"] == [
            {"line": 3, "column": "email", "value": "bad", "reason": "The address has no @ sign."}
        ]
        assert statuses(news) == {}

    def test_a_dry_run_says_that_it_was_one(self, news, file):
        assert "nothing was changed" in self.run("news", file, "--dry-run")[0]

    def test_the_standard_input_is_read(self, news, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"email\nada@post.example\n")))
        self.run("news", "-", "--status", "pending")
        assert statuses(news) == {"ada@post.example": "pending"}

    def test_an_unknown_list_names_those_there_are(self, news, file):
        make_list("other")
        with pytest.raises(CommandError, match="The lists are: news, other") as caught:
            self.run("nwes", file)
        assert caught.value.returncode == 2

    @pytest.mark.parametrize("name", ["missing.csv", "."])
    def test_a_file_that_cannot_be_opened_ends_with_status_two(self, news, tmp_path, name):
        with pytest.raises(CommandError, match=r"No such file|Is a directory") as caught:
            self.run("news", tmp_path / name)
        assert caught.value.returncode == 2

    def test_a_file_that_cannot_be_read_ends_with_status_two(self, news, tmp_path):
        file = tmp_path / "people.csv"
        file.write_bytes("email\nada@post.example\n".encode("utf-16"))
        with pytest.raises(CommandError, match="--encoding utf-16") as caught:
            self.run("news", file)
        assert caught.value.returncode == 2
        assert self.run("news", file, "--encoding", "utf-16")[2] == 0

    def test_progress_is_shown_on_a_terminal_only(self, news, tmp_path):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        file, err = tmp_path / "people.csv", Terminal()
        file.write_text("email\nada@post.example\n")
        call_command("import_subscribers", "news", str(file), stdout=io.StringIO(), stderr=err, no_color=True)
        assert "merged 1 of 1 people" in err.getvalue()
