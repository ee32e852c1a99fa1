"""One child process of a measurement: ``python -m benchmarks.worker TASK ARGUMENTS-AS-JSON``.

Sets Django up, prepares the task, prints "ready", waits for a line on its standard input, does the task, and prints what
it took as one JSON object. Started by ``place.py``, which sets the environment.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from benchmarks import meter

Task = Callable[[], Any]


def _migrate() -> Task:
    from django.core.management import call_command

    return lambda: call_command("migrate", verbosity=0)


def _list(n: int) -> Task:
    from benchmarks import people

    return lambda: people.make_list(n)


def _campaign(list_id: int) -> Task:
    from benchmarks import people

    return lambda: people.start_campaign(list_id)


def _django_ses(list_id: int, version_id: int, n: int, kept: bool) -> Task:
    from django.conf import settings

    from benchmarks import sending

    settings.EMAIL_BACKEND = sending.DJANGO_SES
    return sending.DjangoSes(list_id, version_id, n, kept=kept).run


def _engine(campaign_id: int) -> Task:
    from benchmarks import sending
    from mailinglist.models import Attempt
    from mailinglist.sending import ses

    ses.connection()  # boto3 takes a second to make its client, once in the life of a worker
    accepted = Attempt.objects.filter(delivery__campaign_id=campaign_id, result=Attempt.Result.ACCEPTED)

    def send() -> Task:
        sending.engine_until_done(campaign_id)
        return accepted.values("message_id").distinct().count

    return send


def _version(campaign_id: int) -> Task:
    from mailinglist.models import Campaign

    return lambda: Campaign.objects.values_list("version_id", flat=True).get(pk=campaign_id)


def _first_mail(list_id: int, version_id: int) -> Task:
    from benchmarks import sending

    return sending.DjangoSes(list_id, version_id, 1, kept=False).first


def _newsletter(n: int, subject: str, html: str) -> Task:
    from benchmarks import newsletter

    return lambda: newsletter.make(n, subject, html)


def _submit(message_id: int) -> Task:
    from benchmarks import newsletter

    return newsletter.submission(message_id)


def _csv(file: str, n: int) -> Task:
    from benchmarks import people

    return lambda: people.write_csv(Path(file), n)


def _import(list_id: int, file: str, ours: bool) -> Task:
    from benchmarks import importing

    way = importing.by_us if ours else importing.by_bulk_create
    return lambda: way(list_id, Path(file))


TASKS: dict[str, Callable[..., Task]] = {
    "migrate": _migrate,
    "list": _list,
    "campaign": _campaign,
    "version": _version,
    "django-ses": _django_ses,
    "engine": _engine,
    "first-mail": _first_mail,
    "newsletter": _newsletter,
    "submit": _submit,
    "csv": _csv,
    "import": _import,
}
#: Tasks that run without our applications.
_SETTINGS = dict.fromkeys(("newsletter", "submit"), "benchmarks.newsletter_settings")


def main(name: str, arguments: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = _SETTINGS.get(name, "mailinglist.settings")
    django.setup()
    task = TASKS[name](**json.loads(arguments))
    print("ready", flush=True)
    sys.stdin.readline()
    begun, processor = time.monotonic(), time.process_time()
    found = task()
    took = {
        "seconds": time.monotonic() - begun,
        "processor": time.process_time() - processor,
        "peak_mb": meter.peak_mb(),
    }
    # What a task returns may be a question for afterwards, which does not count.
    took["found"] = found() if callable(found) else found
    print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
