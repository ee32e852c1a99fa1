"""Settings of the processes under test: the product's own, with clocks scaled so that a crash is over in seconds.

``RIG_CLOCK_SKEW`` (seconds) sets the process's clock wrong, as a host without NTP has it: what Python asks for the time
of day; the monotonic clock stays right, as it does there.
"""

import os
import time
from datetime import datetime, timedelta, tzinfo

from botocore.config import Config
from django.utils import timezone

from mailinglist.settings import *  # noqa: F403

LEASE_SECONDS = float(os.environ.get("RIG_LEASE", "5"))
UNKNOWN_GRACE_SECONDS = float(os.environ.get("RIG_GRACE", "4"))
AWS_SES_CONFIG = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=2,
    read_timeout=float(os.environ.get("RIG_READ_TIMEOUT", "3")),
)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **CELERY_BROKER_TRANSPORT_OPTIONS,  # noqa: F405
    "socket_timeout": 3,
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

if skew := timedelta(seconds=float(os.environ.get("RIG_CLOCK_SKEW", "0"))):
    _time, _now = time.time, timezone.now

    class _Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + skew

    time.time = lambda: _time() + skew.total_seconds()
    timezone.now = lambda: _now() + skew
    # Celery asks datetime itself whether a message has expired.
    import celery.app.base
    import celery.worker.request

    celery.app.base.datetime = celery.worker.request.datetime = _Wrong
