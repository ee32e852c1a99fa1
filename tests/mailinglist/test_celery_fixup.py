"""What a worker does around each task and at its start, beside the task itself."""

from types import SimpleNamespace

import pytest
from celery.fixups.django import DjangoFixup
from django.apps import apps
from django.contrib import admin
from django.core import checks
from django.db import DatabaseError, connection

from mailinglist.celery import app

MESSAGE = SimpleNamespace(request=SimpleNamespace(is_eager=False))


@pytest.fixture
def fixup() -> DjangoFixup:
    (found,) = app._fixups
    return found.worker_fixup


@pytest.mark.django_db(transaction=True)
def test_a_task_finds_the_connection_of_the_one_before_unless_it_broke(fixup: DjangoFixup) -> None:
    connection.ensure_connection()
    kept = connection.connection
    for around in (fixup.on_task_postrun, fixup.on_task_prerun):
        around(sender=MESSAGE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert connection.connection is kept
        with pytest.raises(DatabaseError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    fixup.on_task_postrun(sender=MESSAGE)
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_while_nothing_was_to_do_is_noticed_by_the_next_task(
    fixup: DjangoFixup,
) -> None:
    connection.close()
    connection.ensure_connection()
    fixup.on_task_postrun(sender=MESSAGE)
    connection.connection.close()
    fixup.on_task_prerun(sender=MESSAGE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_no_process_of_celery_runs_checks_whose_findings_nobody_reads(
    fixup: DjangoFixup, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(checks, "run_checks", lambda *_, **__: asked.append("checks"))
    fixup.validate_models()
    assert asked == []


def test_the_pages_of_the_admin_are_imported_to_be_checked_and_not_by_each_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(admin, "autodiscover", lambda: asked.append("pages"))
    apps.get_app_config("admin").ready()
    assert asked == []
    checks.run_checks(tags=[checks.Tags.admin])
    assert asked == ["pages"]
