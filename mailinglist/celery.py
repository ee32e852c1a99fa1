"""Composition root: the Celery application. Messages only wake workers; PostgreSQL holds all work."""

import os

from celery import Celery

from mailinglist import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailinglist.settings")

app = Celery("mailinglist")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
broker.mend()
