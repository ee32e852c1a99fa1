"""The worker's entry points: many messages, few workers at it, nothing left behind."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection

from bounces import ingest, tasks
from bounces.models import Notification
from mailinglist import doorbell, places

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(doorbell, "_send", lambda task, args: calls.append(task.name))
    return calls


def store(*texts: str) -> None:
    for text in texts:
        ingest.store(text.encode(), source=Notification.Source.FILE, dedupe_key=text, wake=False)


def waiting() -> int:
    return Notification.objects.filter(state="stored").count()


def test_one_message_processes_all_that_is_stored(rung: list[str]) -> None:
    store("{bad", "{worse", "{worst")
    tasks.process_notifications()
    assert waiting() == 0 and Notification.objects.filter(state="quarantined").count() == 3
    assert rung == []


def test_while_others_are_at_it_a_message_leaves_at_once(rung: list[str]) -> None:
    store("{bad")
    held, release = threading.Barrier(tasks.PROCESSORS + 1), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            stack.callback(connection.close)
            free = stack.enter_context(places.place(places.NOTIFICATIONS, 0, tasks.PROCESSORS))
            assert free
            held.wait(10)
            release.wait(10)

    with ThreadPoolExecutor(tasks.PROCESSORS) as pool:
        holding = [pool.submit(hold) for _ in range(tasks.PROCESSORS)]
        held.wait(10)
        assert places.is_taken(places.NOTIFICATIONS, 0, tasks.PROCESSORS)
        tasks.process_notifications()
        assert waiting() == 1
        release.set()
        for one in holding:
            one.result(10)
    tasks.process_notifications()
    assert waiting() == 0


def test_what_comes_in_while_a_place_is_given_back_is_not_left_to_the_sweep(
    rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store("{first")
    process, late = tasks.pipeline.process_stored, ["{second"]

    def with_a_late_one(**values: Any) -> Any:
        done = process(**values)
        if not done.taken and late:
            store(late.pop())
        return done

    monkeypatch.setattr(tasks.pipeline, "process_stored", with_a_late_one)
    tasks.process_notifications()
    assert waiting() == 0


def test_a_long_run_rings_for_another_instead_of_going_on_for_ever(
    rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SECONDS", 0.0)
    store("{bad")
    tasks.process_notifications()
    assert rung == ["bounces.tasks.process_notifications"]


def test_the_sweep_does_what_no_message_told_of(rung: list[str]) -> None:
    store("{bad")
    tasks.sweep()
    assert waiting() == 0
