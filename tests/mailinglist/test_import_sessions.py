"""Imports by two database sessions, two at once, and one that is killed: everything once."""

import signal
import threading
import time

import pytest
from django.db import connection, connections

from mailinglist import import_merge, import_sessions
from mailinglist.imports import import_csv
from mailinglist.models import Change, Subscriber, Subscription
from tests.factories import make_list, make_subscriber
from tests.mailinglist.importing import (
    BY,
    adds_up,
    load,
    python,
    wait_for_other_sessions,
)


@pytest.mark.django_db(transaction=True)
def test_a_large_file_is_merged_by_two_sessions_as_by_one(monkeypatch):
    text = "email,name,status\n" + "".join(
        f"p{n % 900}@post.example,Person {n},{'unsubscribed' if n % 11 == 0 else ''}\n" for n in range(1_000)
    )
    found = []
    for chunk in (100, 5_000):  # nine chunks by two sessions, and one by one
        monkeypatch.setattr(import_sessions, "CHUNK", chunk)
        news = make_list(slug=f"news-{chunk}")
        found.append(load(news, text).as_dict())
        found[-1]["left"] = set(
            Subscription.objects.filter(list=news, status="unsubscribed").values_list(
                "subscriber__email_key", flat=True
            )
        )
        Subscriber.objects.all().delete()
    assert found[0] == found[1]
    assert found[0]["new_subscribers"] == 900


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("session", [0, 1])
def test_what_stops_one_session_stops_the_other_and_is_raised(monkeypatch, session):
    monkeypatch.setattr(import_sessions, "CHUNK", 100)
    main, failed = threading.get_ident(), threading.Event()

    def merge_chunk(cursor, order, after, upto):
        if after % 500 == 200:
            if (threading.get_ident() != main) == session:
                failed.set()
                raise ValueError("The third chunk is bad.")
            failed.wait(10)
            time.sleep(0.2)
        return import_merge.merge_chunk(cursor, order, after, upto)

    monkeypatch.setattr(import_sessions, "merge_chunk", merge_chunk)
    news = make_list()
    with pytest.raises(ValueError, match="third chunk"):
        load(news, "email\n" + "".join(f"p{n}@post.example\n" for n in range(1_000)))
    assert 200 <= Subscription.objects.count() <= 400, "two chunks by one session, at most two by the other"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        )
        assert cursor.fetchone() == (1,), "the other session is closed"


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_the_same_time_make_everything_once(monkeypatch):
    monkeypatch.setattr(import_sessions, "CHUNK", 100)
    news = make_list()
    lines = [f"p{n}@post.example,Person {n}\n" for n in range(1_000)]
    for line in lines[::3]:
        make_subscriber(line.partition(",")[0])
    texts = ["email,name\n" + "".join(lines), "email,name\n" + "".join(reversed(lines))]
    reports, errors = [], []

    def run(text):
        try:
            reports.append(load(news, text, update=True))
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Subscription.objects.filter(list=news).count() == Subscriber.objects.count() == 1_000
    assert sum(report.new_subscriptions for report in reports) == 1_000
    assert Change.objects.filter(noun="subscription").count() == 1_000
    assert all(adds_up(report) for report in reports)


KILLED = """
import os, sys, django
django.setup()
from pathlib import Path
from django.db import connection
from mailinglist import import_sessions, imports
from mailinglist.changes import Actor, Kind
import_sessions.CHUNK = 500
def progress(words):
    print(words, flush=True)
    if words.startswith("merged"):
        sys.stdin.read()
imports.import_csv(int(sys.argv[1]), Path(sys.argv[2]), by=Actor(Kind.COMMAND), progress=progress)
"""


@pytest.mark.django_db(transaction=True)
def test_after_a_kill_in_the_middle_the_same_file_completes_the_import(tmp_path):
    news = make_list()
    file = tmp_path / "people.csv"
    file.write_text("email\n" + "".join(f"p{n}@post.example\n" for n in range(5_000)))
    process = python(KILLED, news.pk, file)
    assert any(line.startswith("merged") for line in process.stdout)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for_other_sessions()
    done = Subscription.objects.count()
    assert 500 <= done <= 3_500, "one session stands after its first chunk, the other may have ended its half"
    report = import_csv(news.pk, file, by=BY)
    assert (report.already, report.new_subscriptions) == (done, 5_000 - done)
    assert Subscription.objects.count() == Subscriber.objects.count() == 5_000
    assert Change.objects.filter(noun="subscription").count() == 5_000
