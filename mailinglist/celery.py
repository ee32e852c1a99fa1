"""Composition root: the Celery application. Messages only wake workers; PostgreSQL holds all work."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailinglist.settings")

app = Celery("mailinglist", fixups=["mailinglist.celery_fixup:fixup"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# By name: Redis' client is slow to import, and only who sends or takes a message needs it.
for _scheme in ("redis", "rediss", "sentinel"):
    _usual = TRANSPORT_ALIASES[_scheme]
    TRANSPORT_ALIASES[_scheme] = _usual.replace("kombu.transport.redis", "mailinglist.broker")
