"""Exports: everything in, no formula out, and back again unchanged."""

import csv
import io
import json
import unicodedata
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailinglist import subscriptions
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.exports import COLUMNS, export_csv
from mailinglist.imports import import_csv
from mailinglist.models import MailingList, Subscriber, Subscription
from tests.factories import make_list, make_readers, make_subscriber

TRIGGERS = tuple("=+-@\t\r\n＝＋－＠")


@pytest.fixture
def news(db) -> MailingList:
    return make_list()


def exported(mailing_list: MailingList, **options) -> str:
    out = io.StringIO(newline="")
    export_csv(mailing_list.pk, out, **options)
    return out.getvalue()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_export_has_all_about_a_subscription(news):
    ada = make_subscriber(
        "Ada@post.example",
        name="Ada, Countess",
        language="en",
        time_zone="Europe/London",
        attributes={"city": "London", "status": "gold", "visits": 3, "vip": True, "none": None},
    )
    when = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
    Subscription.objects.create(
        list=news, subscriber=ada, status="confirmed", source="form", consent_at=when, confirmed_at=when
    )
    assert rows(exported(news)) == [
        {
            "email": "Ada@post.example",
            "name": "Ada, Countess",
            "status": "confirmed",
            "language": "en",
            "time_zone": "Europe/London",
            "source": "form",
            "consent_at": "2025-03-01T09:30:00+00:00",
            "confirmed_at": "2025-03-01T09:30:00+00:00",
            "unsubscribed_at": "",
            "unsubscribe_reason": "",
            "city": "London",
            "none": "",
            "attribute:status": "gold",
            "vip": "true",
            "visits": "3",
        }
    ]


def test_the_columns_of_attributes_are_those_of_all_people_in_order(news):
    make_subscriber("a@x.example", news, attributes={"b": "1"})
    make_subscriber("b@x.example", news, attributes={"a": "2"})
    make_subscriber("c@x.example", attributes={"of another list": "3"})
    assert exported(news).splitlines()[0] == ",".join([*COLUMNS, "a", "b"])


def test_only_the_asked_for_statuses_are_written(news):
    make_subscriber("a@x.example", news)
    gone = make_subscriber("b@x.example", news)
    subscriptions.unsubscribe(gone.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="For a test.")
    assert [row["email"] for row in rows(exported(news, statuses=["unsubscribed"]))] == ["b@x.example"]
    assert [row["email"] for row in rows(exported(news, statuses=["confirmed"]))] == ["a@x.example"]
    assert len(rows(exported(news))) == 2


def test_an_empty_list_has_a_header(news):
    assert exported(news) == ",".join(COLUMNS) + "\r\n"


def test_a_list_that_is_not_there_is_an_error(db):
    with pytest.raises(MailingList.DoesNotExist):
        export_csv(0, io.StringIO())


def test_no_cell_can_be_run_as_a_formula(news):
    make_subscriber("=cmd@x.example", news, name="=1+1", attributes={"=key": "@x", "n": -5, "t": " \t=1"})
    cells = [cell for row in csv.reader(io.StringIO(exported(news), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(TRIGGERS)]
    assert "'=cmd@x.example" in cells


def test_an_export_needs_three_queries_however_long_the_list_is(news, django_assert_num_queries):
    make_readers(news, 20, domain="x.example")
    with django_assert_num_queries(3):
        exported(news)


#: What an import can make: composed (NFC), no white space around it, no control or invisible signs.
values = (
    st.text(
        st.one_of(
            st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn"]), st.sampled_from("'=+-@,;\"\t\n\r＝")
        ),
        min_size=1,
        max_size=12,
    )
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(bool)
)
names = values.filter(lambda text: not set(text) & set("\t\n\r\u2028\u2029"))
locals_ = st.from_regex(r"[a-z=+'-][a-z0-9=+'-]{0,8}", fullmatch=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.no_cover
@given(
    people=st.dictionaries(
        locals_, st.tuples(names, st.dictionaries(names, values, max_size=3)), min_size=1, max_size=5
    )
)
def test_an_export_imports_as_what_it_was(news, people):
    Subscriber.objects.all().delete()
    for local, (name, attributes) in people.items():
        make_subscriber(f"{local}@x.example", news, name=name, attributes=attributes)
    text = exported(news)
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(TRIGGERS)]
    kept = _people()
    Subscriber.objects.all().delete()
    report = import_csv(news.pk, io.BytesIO(text.encode()), by=Actor(Kind.COMMAND))
    assert report.bad == []
    assert _people() == kept


def _people() -> list[tuple[str, str, str]]:
    found = Subscriber.objects.order_by("email_key").values_list("email", "name", "attributes")
    return [(email, name, json.dumps(attributes, sort_keys=True)) for email, name, attributes in found]


def test_who_has_left_has_left_after_the_way_out_and_in(news):
    gone = make_subscriber("gone@x.example", news)
    subscriptions.unsubscribe(gone.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="For a test.")
    make_subscriber("here@x.example", news)
    other = make_list("other")
    import_csv(other.pk, io.BytesIO(exported(news).encode()), by=Actor(Kind.COMMAND))
    found = Subscription.objects.filter(list=other).values_list("subscriber__email", "status")
    assert dict(found) == {"gone@x.example": "unsubscribed", "here@x.example": "confirmed"}


class TestCommand:
    def test_the_standard_output_is_the_default(self, news):
        make_subscriber("ada@post.example", news)
        out = io.StringIO(newline="")
        call_command("export_subscribers", "news", stdout=out)
        assert out.getvalue() == exported(news)

    def test_a_file_is_written_as_a_whole(self, news, tmp_path):
        make_subscriber("ada@post.example", news)
        make_subscriber("bo@post.example")
        file, err = tmp_path / "news.csv", io.StringIO()
        call_command("export_subscribers", "news", "-o", str(file), "--status", "confirmed", stderr=err)
        assert file.read_bytes().decode() == exported(news)
        assert err.getvalue() == f"1 subscribers written to {file}\n"
        assert list(tmp_path.iterdir()) == [file]

    def test_a_failed_export_leaves_the_old_file_alone(self, news, tmp_path, monkeypatch):
        file = tmp_path / "news.csv"
        file.write_text("the old one")

        def fails(*arguments, **options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("mailinglist.exports.export_csv", fails)
        with pytest.raises(CommandError, match="No space left"):
            call_command("export_subscribers", "news", "-o", str(file))
        assert file.read_text() == "the old one"
        assert list(tmp_path.iterdir()) == [file]

    def test_an_unknown_list_names_those_there_are(self, news):
        with pytest.raises(CommandError, match="The lists are: news") as caught:
            call_command("export_subscribers", "nwes")
        assert caught.value.returncode == 2

    def test_a_folder_that_is_not_there_is_told(self, news, tmp_path):
        with pytest.raises(CommandError, match="No such file"):
            call_command("export_subscribers", "news", "-o", str(tmp_path / "no" / "news.csv"))

    def test_a_folder_in_place_of_a_file_is_named(self, news, tmp_path):
        with pytest.raises(CommandError, match=f"^{tmp_path} is a folder"):
            call_command("export_subscribers", "news", "-o", str(tmp_path))


@pytest.mark.parametrize(
    ("wanted", "found"), [(["unsubscribed"], ["unsubscribed"]), (["pending"], []), (None, ["unsubscribed"])]
)
def test_who_left_and_did_not_confirm_again_is_exported_as_having_left(news, wanted, found):
    person = make_subscriber("ada@post.example", news)
    subscriptions.unsubscribe(person.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="For a test.")
    Subscription.objects.update(status="pending")
    assert [row["status"] for row in rows(exported(news, statuses=wanted))] == found
