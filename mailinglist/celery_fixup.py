"""How Celery and Django get along in our workers and in the scheduler: Celery's way, without what gives nothing.

Celery closes the database connection around each task, so that each pays for a new one: here it is kept as a web server
keeps it (CONN_MAX_AGE, CONN_HEALTH_CHECKS). And it runs all system checks at the start of each process, which imports
every page, and tells nobody what they found: script/start and each manage.py command do.
"""

from typing import Any

from celery import Celery
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup
from django.db import close_old_connections


def fixup(app: Celery) -> DjangoFixup:
    """What Celery calls for the app that names it."""
    return _Fixup(app).install()


class _Fixup(DjangoFixup):
    _worker_fixup: DjangoWorkerFixup | None

    @property
    def worker_fixup(self) -> DjangoWorkerFixup:
        if self._worker_fixup is None:
            self._worker_fixup = _WorkerFixup(self.app)
        return self._worker_fixup


class _WorkerFixup(DjangoWorkerFixup):
    def validate_models(self) -> None:
        self.django_setup()

    def on_task_prerun(self, sender: Any, **kwargs: Any) -> None:
        _let_go_of_old_connections(sender)

    def on_task_postrun(self, sender: Any, **kwargs: Any) -> None:
        _let_go_of_old_connections(sender)


def _let_go_of_old_connections(task: Any) -> None:
    """Close those that broke or are too old; a task that is called like a function has its caller's."""
    if not task.request.is_eager:
        close_old_connections()
