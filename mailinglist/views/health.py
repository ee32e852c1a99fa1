"""Addresses for machines that watch us: alive, ready, numbers. None of them changes anything."""

import os
from functools import cache

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import Error
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mailinglist import metrics as gauges
from mailinglist.views import visitor


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers. Asks nobody else: a database restart must not restart the web."""
    return _text("ok")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and has every migration of this code; else 503 with the reason.

    This machine is told the number of the server's main process (``X-Process``): several servers may share a port, and
    who starts one has to know which of them answers.
    """
    try:
        missing = _missing_migrations()
    except Error:
        return _text("The database does not answer.", status=503)
    if missing:
        return _text(f"Migrations are missing: {', '.join(missing)}. Run manage.py migrate.", status=503)
    ready = _text("ok")
    if visitor.is_on_this_machine(request):
        ready.headers["X-Process"] = str(os.getppid())
    return ready


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for this machine or with ``Authorization: Bearer METRICS_TOKEN``; else 403."""
    if not (visitor.is_on_this_machine(request) or _has_token(request)):
        return _text("Send the header Authorization: Bearer with the METRICS_TOKEN of this site.", status=403)
    return HttpResponse(gauges.render(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _missing_migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations().keys()
    return [
        f"{app}.{name}"
        for (app, name), replaced in _newest_migrations().items()
        if (app, name) not in applied and not (replaced and replaced <= applied)
    ]


@cache
def _newest_migrations() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Each with those that it stands for in a new database; an older one has these."""
    # From the files of this process' code, which do not change while it runs.
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {newest: set(loader.disk_migrations[newest].replaces) for newest in loader.graph.leaf_nodes()}


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(settings.METRICS_TOKEN)
        and scheme.lower() == "bearer"
        and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    )


def _text(body: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(body + "\n", status=status, content_type="text/plain; charset=utf-8")
