"""Storing: durable before it is interpreted, once however often it comes, and only then a worker is woken."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from bounces import ingest, pipeline, sources
from bounces.models import Event, Notification
from mailinglist import doorbell
from tests.bounces.sns_signing import PAYLOADS

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    calls: list[str] = []
    monkeypatch.setattr(doorbell, "_send", lambda task, args: calls.append(task.name))
    monkeypatch.setattr(doorbell, "_rung_at", {})
    yield calls


def store(raw: bytes = b"{}", key: str = "sns:1", **options: Any) -> ingest.Stored:
    return ingest.store(raw, source=Notification.Source.SNS, dedupe_key=key, **options)


def test_a_notification_is_stored_byte_for_byte_whatever_is_in_it() -> None:
    raw = b"\x00\xff not \xed\xa0\x80 text"
    stored = store(raw)
    row = Notification.objects.get(pk=stored.notification_id)
    assert stored.created
    assert (bytes(row.raw or b""), row.state, row.copies, row.tries) == (raw, "stored", 1, 0)


def test_a_second_copy_is_counted_and_changes_nothing(
    rung: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = store(b"first")
        again = [store(b"other") for _ in range(2)]
    assert {stored.notification_id for stored in again} == {first.notification_id}
    assert not any(stored.created for stored in again)
    row = Notification.objects.get()
    assert (bytes(row.raw or b""), row.copies) == (b"first", 3)
    assert rung == ["bounces.tasks.process_notifications"]


def test_nobody_is_woken_before_the_commit_and_for_a_rollback_never(
    rung: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            store(key="sns:rolled-back")
            assert rung == []
            transaction.set_rollback(True)
        assert rung == []
    assert rung == []
    assert not Notification.objects.exists()


def test_one_statement_stores(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        store(wake=False)
    assert connection.in_atomic_block


def test_many_are_stored_by_one_statement_with_copies_within_and_before_counted(
    django_assert_max_num_queries: Any,
) -> None:
    store(b"old", "sns:2", wake=False)
    keys = ["sns:3", "sns:2", "sns:1", "sns:1"]
    rows = [ingest.Incoming(b"new", Notification.Source.SQS, key) for key in keys]
    with django_assert_max_num_queries(3):
        stored = ingest.store_many(rows, wake=False)
    assert [each.created for each in stored] == [True, False, True, False]
    assert stored[2].notification_id == stored[3].notification_id
    found = Notification.objects.order_by("dedupe_key").values_list("dedupe_key", "source", "copies")
    assert list(found) == [("sns:1", "sqs", 2), ("sns:2", "sns", 2), ("sns:3", "sqs", 1)]


def test_what_goes_to_the_quarantine_at_once_wakes_nobody(
    rung: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    row = ingest.Incoming(b"x", Notification.Source.SQS, "sqs:1", error="It is not proven.", trusted=False)
    with django_capture_on_commit_callbacks(execute=True):
        ingest.store_many([row])
    assert rung == []
    assert pipeline.process_everything().taken == 0
    assert Notification.objects.get().state == "quarantined"


def test_the_same_content_has_the_same_key_and_fits() -> None:
    assert ingest.content_key(b"a") == ingest.content_key(b"a") != ingest.content_key(b"b")
    assert len(ingest.content_key(b"a")) <= 100


def ingest_files() -> pipeline.Done:
    ids = []
    for folder in ("events", "notifications", "envelopes", "raw_sqs", "moto-observed", "localstack-observed"):
        for document in sources.documents([str(PAYLOADS / folder)]):
            key = ingest.content_key(document.raw)
            stored = ingest.store(document.raw, source=Notification.Source.FILE, dedupe_key=key, wake=False)
            ids.append(stored.notification_id)
    return pipeline.process(ids)


def test_all_sample_files_are_processed_or_quarantined_with_a_sentence_and_none_is_tried_again() -> None:
    done = ingest_files()
    assert done.failed == 0
    assert not Notification.objects.filter(state="stored").exists()
    assert not Notification.objects.filter(state="quarantined", error="").exists()
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds == {
        "bounce",
        "complaint",
        "delivery",
        "delay",
        "send",
        "reject",
        "open",
        "click",
        "rendering-failure",
        "subscription",
    }
    assert not Event.objects.filter(subscriber__isnull=False).exists()


def test_the_sample_files_a_second_time_add_no_event() -> None:
    ingest_files()
    before = Event.objects.count()
    assert ingest_files().taken == 0
    assert Event.objects.count() == before
