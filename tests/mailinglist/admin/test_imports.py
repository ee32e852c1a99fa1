"""Imports in the browser, as a manager sees them."""

import io

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from mailinglist import import_runs
from mailinglist.changes import SYSTEM
from mailinglist.models import Import, MailingList, Subscription
from tests.factories import make_list, make_subscriber

ADD = "admin:mailinglist_import_add"


@pytest.fixture
def news(db) -> MailingList:
    return make_list()


def upload(client: Client, mailing_list: MailingList, text: str | bytes, name: str = "people.csv", **values):
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    file.name = name
    return client.post(reverse(ADD), {"mailing_list": mailing_list.pk, "file": file, **values}, follow=True)


def act(client: Client, row: Import, tail: str):
    return client.post(reverse(f"admin:mailinglist_import_{tail}", args=[row.pk]), follow=True)


def page(client: Client, row: Import) -> str:
    return client.get(reverse("admin:mailinglist_import_change", args=[row.pk])).content.decode()


def columns(*names: str, **values: str) -> dict[str, str]:
    chosen = {f"column_{place}": name for place, name in enumerate(names)}
    return {**chosen, "status": "confirmed", "consent_text": "Ticked a box in the shop.", **values}


def make_row(mailing_list: MailingList, text: str = "email\nada@post.example\n") -> Import:
    return import_runs.create(mailing_list, [text.encode()], file_name="people.csv", encoding="", by=SYSTEM)


def test_from_the_upload_to_the_undo(staff, boss, news):
    make_subscriber("bob@post.example", news)
    answer = upload(staff, news, "Mail;Town\nada@post.example;Jürgenstadt\nbob@post.example;\nnobody;=1+1\n")
    row = Import.objects.get()
    assert "Jürgenstadt" in answer.content.decode()
    assert "{{ town }}" in answer.content.decode()

    change = reverse("admin:mailinglist_import_change", args=[row.pk])
    refused = staff.post(change, columns("", "attribute:town"))
    assert "Choose the column that holds the addresses." in refused.content.decode()
    answer = staff.post(change, columns("email", "attribute:town", consent_text=""))
    assert "This field is required." in answer.content.decode()
    answer = staff.post(change, columns("email", "attribute:town"), follow=True)
    assert 'http-equiv="refresh"' in answer.content.decode()
    import_runs.run(row.pk)

    shown = page(staff, row)
    assert "What would happen" in shown
    assert "nobody" in shown
    assert Subscription.objects.count() == 1
    act(staff, row, "start")
    import_runs.run(row.pk)
    assert "What was imported" in page(staff, row)
    ada = Subscription.objects.get(subscriber__email_key="ada@post.example")
    assert ada.subscriber.attributes == {"town": "Jürgenstadt"}
    assert ada.consent_text == "Ticked a box in the shop."

    undo = reverse("admin:mailinglist_import_undo", args=[row.pk])
    assert "1 subscriptions to" in staff.get(undo).content.decode()
    staff.post(undo)
    import_runs.run(row.pk)
    assert "What the undo did" in page(staff, row)
    assert Subscription.objects.count() == 1
    row.refresh_from_db()
    assert row.user == boss


def test_refused_rows_come_as_a_file_that_runs_no_formula(staff, news):
    row = make_row(news, 'email\n"=cmd|calc"\n@SUM(1)\n')
    import_runs.check(row.pk, ["email"], status="confirmed", update=False, consent_text="x")
    import_runs.run(row.pk)
    answer = staff.get(reverse("admin:mailinglist_import_refused", args=[row.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert answer["Content-Disposition"] == 'attachment; filename="people-refused.csv"'
    assert lines[0] == "line,column,value,reason"
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["2", "email", "'=cmd|calc"],
        ["3", "email", "'@SUM(1)"],
    ]


def test_a_file_that_is_too_large_is_refused_with_the_limit(staff, news, settings):
    settings.IMPORT_MAX_MB = 0.0001
    answer = upload(staff, news, "email\n" + "ada@post.example\n" * 10)
    assert "larger than 0.0001 MB" in answer.content.decode()
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01" * 50, "This is no text"),
        (b"PK\x03\x04x", "a spreadsheet (xlsx"),
    ],
    ids=["empty", "binary", "spreadsheet"],
)
def test_what_is_no_csv_file_is_told_and_nothing_is_kept(staff, news, data, said):
    assert said in upload(staff, news, data, encoding="cp1252").content.decode()
    assert not Import.objects.exists()


def test_another_encoding_can_be_chosen_on_the_page(staff, news):
    row = import_runs.create(
        news, ["email,name\na@b.example,Łukasz\n".encode("cp1250")], file_name="x.csv", encoding="", by=SYSTEM
    )
    staff.post(reverse("admin:mailinglist_import_read_as", args=[row.pk]), {"encoding": "cp1250"})
    assert "Łukasz" in page(staff, row)


def test_nothing_of_a_file_is_run_in_the_page(staff, news):
    nasty = "<script>alert(1)</script>"
    row = make_row(news, f"email,{nasty}\n{nasty},{nasty}\n")
    assert nasty not in page(staff, row)


def test_an_import_can_be_cancelled(staff, news):
    row = make_row(news)
    act(staff, row, "cancel")
    row.refresh_from_db()
    assert row.state == "cancelled"
    assert "was changed" in act(staff, row, "start").content.decode()


def test_the_history_names_each_import(staff, news, django_assert_max_num_queries):
    for _ in range(3):
        make_row(news)
    with django_assert_max_num_queries(15):
        shown = staff.get(reverse("admin:mailinglist_import_changelist")).content.decode()
    assert shown.count("people.csv") == 3


@pytest.mark.parametrize("permission", [None, "view_import", "import_subscriber"])
def test_only_who_may_import_does(client, news, permission):
    eve = User.objects.create_user("eve", password="x", is_staff=True)
    if permission:
        eve.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(eve)
    row = make_row(news)
    seen = client.get(reverse("admin:mailinglist_import_change", args=[row.pk])).status_code
    assert seen == (200 if permission else 403)
    may = permission == "import_subscriber"
    assert client.get(reverse(ADD)).status_code == (200 if may else 403)
    assert client.get(reverse("admin:mailinglist_import_refused", args=[row.pk])).status_code == (
        200 if may else 403
    )
    for tail in ("start", "cancel", "undo", "read_as"):
        answer = client.post(reverse(f"admin:mailinglist_import_{tail}", args=[row.pk]))
        assert answer.status_code == (302 if may else 403), tail


def test_no_act_is_done_without_a_token_or_by_looking(news, boss):
    row = make_row(news)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)
    for tail in ("start", "cancel", "undo", "read_as"):
        assert strict.post(reverse(f"admin:mailinglist_import_{tail}", args=[row.pk])).status_code == 403
    assert strict.post(reverse(ADD), {"mailing_list": news.pk}).status_code == 403
    assert strict.get(reverse("admin:mailinglist_import_start", args=[row.pk])).status_code == 404


def test_an_import_that_goes_on_after_a_crash_says_that_it_reads_again(staff, news):
    row = make_row(news)
    values = {
        "state": "importing",
        "people": 1_000,
        "people_done": 400,
        "tries": 1,
        "check_report": {"rows": 1_000},
    }
    Import.objects.filter(pk=row.pk).update(**values, rows_read=300)
    assert "Going on after 400 people; the file is read again: 300 rows." in page(staff, row)
    Import.objects.filter(pk=row.pk).update(rows_read=1_000)
    assert "400 of 1,000 people." in page(staff, row)
