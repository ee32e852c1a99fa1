"""The doorbell: once for many, never lost for the last of them, and silent where the broker is away."""

import logging
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from bounces import sns, views
from bounces import tasks as bounces_tasks
from bounces.models import Notification
from mailinglist import doorbell
from mailinglist.tasks import sweep
from tests.bounces.sns_signing import TOPIC, Origin, body, envelope
from tests.factories import make_list
from tests.mailinglist.views.visits import sign_up

pytestmark = pytest.mark.django_db
TASK: Any = SimpleNamespace(name="some.task")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """When a message was sent."""
    found: list[float] = []
    monkeypatch.setattr(doorbell, "_send", lambda task, args: found.append(time.monotonic()))
    monkeypatch.setattr(doorbell, "_rung_at", {})
    yield found
    assert not doorbell._waiting


def test_the_first_rings_at_once_and_all_that_follow_ring_together_once(
    sent: list[float], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(50):
            doorbell.ring_together(TASK)
    assert len(sent) == 1
    time.sleep(doorbell.PAUSE * 3)
    assert len(sent) == 2
    assert sent[1] - sent[0] >= doorbell.PAUSE * 0.9
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ring_together(TASK)
    assert len(sent) == 3


def test_different_tasks_do_not_wait_for_each_other(
    sent: list[float], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ring_together(TASK)
        doorbell.ring_together(SimpleNamespace(name="another.task"))
    assert len(sent) == 2


@pytest.mark.parametrize("fault", [OperationalError("no broker"), ConnectionRefusedError()])
def test_a_broker_that_is_away_is_logged_and_left_alone_for_a_while(
    fault: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "_away_until", 0.0)
    tries = []

    def away(**options: Any) -> None:
        tries.append(options)
        raise fault

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            doorbell._send(SimpleNamespace(name="some.task", apply_async=away), ())
    assert "some.task() is left to the next sweep" in caplog.text
    assert len(tries) == 1
    monkeypatch.setattr(doorbell, "_away_until", time.monotonic() - 0.001)
    doorbell._send(SimpleNamespace(name="some.task", apply_async=away), ())
    assert len(tries) == 2


def test_a_broker_that_is_away_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """kombu tries for six seconds unless it is told not to."""
    monkeypatch.setattr(doorbell, "_away_until", 0.0)
    began = time.monotonic()
    doorbell._send(sweep, ())
    assert doorbell._away_until > began
    assert time.monotonic() - began < 1


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_people_sign_up_and_notifications_are_kept_until_the_sweep_finds_them(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.SIGNUP_MIN_SECONDS = 0
    judge = sns.Verifier(frozenset({TOPIC}), fetch=Origin())
    monkeypatch.setattr(views, "verifier", lambda: judge)
    monkeypatch.setattr(doorbell, "_away_until", 0.0)
    make_list()
    assert sign_up(client, "ada@post.example").status_code == 302
    assert doorbell._away_until > time.monotonic(), "the broker was not even tried"
    monkeypatch.setattr(doorbell, "_away_until", 0.0)
    monkeypatch.setattr(doorbell, "_rung_at", {})
    assert client.post("/hooks/ses/", body(envelope()), content_type="text/plain").status_code == 200
    assert doorbell._away_until > time.monotonic()
    rung: list[str] = []
    monkeypatch.setattr(doorbell, "_send", lambda task, args: rung.append(task.name))
    sweep()
    bounces_tasks.sweep()
    assert "mailinglist.tasks.send_mail" in rung
    assert Notification.objects.get().state != "stored"
