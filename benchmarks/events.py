"""``python -m benchmarks.events``: how many events a second go from raw notifications into events and policy.

On a throw-away PostgreSQL that waits for its disk. A campaign is accepted by a made-up SES, whose reports are shuffled,
then stored as the SQS reader does it (a hundred a statement) and at the same time processed by worker processes as the
product's workers do it. The same reports one by one, a statement and a transaction each, stand beside it: read the
ratio, not the absolutes.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import meter
from script import embedded
from script.postgres import Postgres

#: Shares of the mails; every mail has its Send, most their Delivery, and opens and clicks follow.
_DELIVERED, _OPENED, _CLICKED, _COMPLAINED = 0.96, 0.60, 0.10, 0.0005
#: Of the others: hard, soft, blocked.
_SHARES = (0.25, 0.5, 0.25)
_STORED_AT_ONCE = 100
TARGET = 2000


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.events", description="Measure the way of events from raw to policy."
    )
    parser.add_argument(
        "--mails", type=int, default=10_000, metavar="N", help="recipients of the campaign (10000)"
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes that interpret (2)")
    parser.add_argument(
        "--one-by-one", type=int, default=500, metavar="N", help="events of the slow way (500)"
    )
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        return _work()
    var = Path(tempfile.mkdtemp(prefix="mailinglist-bench-"))
    server = Postgres(var)
    server.owner.take()
    try:
        server.start()
        assert server.child is not None
        become_project(var)
        figures = _measure(server.child.pid, given.mails, given.workers, given.one_by_one)
    finally:
        server.stop()
        server.owner.release()
        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
        shutil.rmtree(var, ignore_errors=True)
    print(json.dumps(figures) if given.json else "\n".join(f"{name:24} {figures[name]}" for name in figures))
    return 0 if figures["events_per_second"] >= TARGET else 1


def become_project(var: Path) -> None:
    """Set Django up in this process and its children, on the PostgreSQL in ``var``."""
    for name in ("DATABASE_URL", "PUBLIC_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "MAILINGLIST_MODE": "local",
        "MAILINGLIST_VAR": str(var),
        "CELERY_BROKER_URL": "memory://",
        "DJANGO_SETTINGS_MODULE": "mailinglist.settings",
        "LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()


def _measure(database_pid: int, mails: int, workers: int, one_by_one: int) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    documents = _documents(mails)
    random.Random(1).shuffle(documents)
    slow, fast = documents[:one_by_one], documents[one_by_one:]
    slow_took = _timed(lambda: _one_by_one(slow), database_pid)
    _analyse()
    fast_took = _timed(lambda: _together(fast, workers), database_pid)
    rate, slow_rate = len(fast) / fast_took["seconds"], len(slow) / slow_took["seconds"]
    return {
        "events": len(fast),
        "workers": workers,
        "events_per_second": round(rate),
        "one_by_one_per_second": round(slow_rate),
        "ratio": round(rate / slow_rate, 1),
        "python_us_per_event": round(fast_took["processor"] / len(fast) * 1e6),
        "postgres_us_per_event": round(fast_took["database"] / len(fast) * 1e6),
        "one_by_one_python_us": round(slow_took["processor"] / len(slow) * 1e6),
        "peak_mb": round(meter.peak_mb()),
        **_effects(),
    }


def _documents(mails: int) -> list[bytes]:
    """The reports about a campaign of so many mails, which are written down as accepted."""
    from benchmarks import people
    from mailinglist.models import Delivery
    from mailinglist.sending import queue
    from mailinglist.sending.outcomes import Accepted
    from tests import ses_events as ses

    campaign, _ = people.start_campaign(people.make_list(mails))
    while claimed := queue.claim(500, campaign_id=campaign, lease_seconds=600):
        queue.finish([(row, Accepted(f"0100-{row.delivery_id}-{row.attempt}")) for row in claimed])
    chance = random.Random(1)
    found = []
    for delivery in Delivery.objects.filter(campaign=campaign).select_related("subscriber").iterator():
        found.append(ses.sent(delivery))
        if chance.random() < _DELIVERED:
            found.append(ses.delivered(delivery))
            if chance.random() < _OPENED:
                found.append(ses.opened(delivery))
            if chance.random() < _CLICKED:
                found.append(ses.opened(delivery, kind="Click"))
            if chance.random() < _COMPLAINED:
                found.append(ses.complained(delivery))
        else:
            found.append(chance.choices(_FAILURES, _SHARES)[0](ses, delivery))
    return [ses.raw(document) for document in found]


_FAILURES: Sequence[Callable[[Any, Any], dict[str, Any]]] = (
    lambda ses, delivery: ses.bounced(delivery),
    lambda ses, delivery: ses.full(delivery),
    lambda ses, delivery: ses.blocked(delivery),
)


def _one_by_one(documents: Sequence[bytes]) -> None:
    """A statement and a transaction for each."""
    from bounces import pipeline

    for raw in documents:
        _store([raw])
        assert pipeline.process_stored().processed == 1


def _together(documents: Sequence[bytes], workers: int) -> None:
    """Store many at once, while workers interpret what is stored."""
    command = [sys.executable, "-m", "benchmarks.events", "--work"]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(workers)]
    for start in range(0, len(documents), _STORED_AT_ONCE):
        _store(documents[start : start + _STORED_AT_ONCE])
    for worker in running:
        assert worker.stdin is not None
        worker.stdin.close()
    assert [worker.wait() for worker in running] == [0] * workers


def _work() -> int:
    """A worker: until its input ends and nothing is left."""
    import select

    become_project(embedded.var_dir())
    from bounces import pipeline

    while True:
        over = bool(select.select([sys.stdin], [], [], 0)[0])
        done = pipeline.process_stored()
        if done.quarantined or done.failed:
            return 1
        if not done.taken:
            if over:
                return 0
            time.sleep(0.02)


def _store(documents: Sequence[bytes]) -> None:
    from bounces import ingest
    from bounces.models import Notification

    rows = [ingest.Incoming(raw, Notification.Source.SQS, ingest.content_key(raw)) for raw in documents]
    ingest.store_many(rows, wake=False)


def _analyse() -> None:
    """The time for autovacuum to come by."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _effects() -> dict[str, int]:
    """What the policy did, so that it is seen that it was asked."""
    from bounces.models import Event
    from mailinglist.models import Delivery, Suppression

    return {
        "stored_events": Event.objects.count(),
        "delivered": Delivery.objects.filter(state="delivered").count(),
        "waiting_for_retry": Delivery.objects.filter(state="waiting").count(),
        "suppressed": Suppression.objects.count(),
    }


def _timed(work: Callable[[], None], database_pid: int) -> dict[str, float]:
    """Seconds of wall clock and of processor: of Python with its children, and of PostgreSQL."""
    before, start, processor = meter.processor_seconds(database_pid) or 0.0, time.perf_counter(), _processor()
    work()
    return {
        "seconds": time.perf_counter() - start,
        "processor": _processor() - processor,
        "database": (meter.processor_seconds(database_pid) or 0.0) - before,
    }


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.exit(main())
