"""``python -m benchmarks.history``: every command and staff page about bounces, at a million reports.

On a throw-away PostgreSQL. Each command is a process of its own, of which time and largest memory are taken; each page is
asked for three times by Django's test client, of which the middle time counts. Commands that change rows run in the order
in which a manager would run them, so that the later ones find what the earlier ones did.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.asking import Asked, ask_all
from benchmarks.events import become_project
from script import embedded
from script.environment import PROJECT, PYTHON
from script.postgres import Postgres

TARGET_MS, TARGET_MB = 500, 300
#: The system counts the memory of whoever starts a program as its own: a small one starts it, and tells.
_SMALL_PARENT = (
    "import resource, subprocess, sys; status = subprocess.run(sys.argv[1:]).returncode; sys.stderr.flush(); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A command: how it ended, seconds, the most memory (MB of 1,000,000 bytes), and its last line."""

    command: str
    status: int
    seconds: float
    peak_mb: float
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.history", description="Measure commands and staff pages on a long history."
    )
    parser.add_argument("--people", type=int, default=200_000, metavar="N", help="on the list (200000)")
    parser.add_argument("--only", choices=("commands", "pages"), help="leave the others out")
    parser.add_argument(
        "--slow-sql", action="store_true", help="show the slowest statement of pages over the target"
    )
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    given = parser.parse_args()
    var = Path(tempfile.mkdtemp(prefix="mailinglist-bench-"))
    server = Postgres(var)
    server.owner.take()
    try:
        server.start()
        become_project(var)
        found = _measure(given.people, given.only)
    finally:
        server.stop()
        server.owner.release()
        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
        shutil.rmtree(var, ignore_errors=True)
    if given.json:
        print(json.dumps({name: [asdict(row) for row in rows] for name, rows in found.items()}))
    else:
        _print(found, slow_sql=given.slow_sql)
    slow = [row for row in found["pages"] if row.ms > TARGET_MS or row.status != 200]
    return 1 if slow or any(row.peak_mb > TARGET_MB for row in found["commands"]) else 0


def _measure(people: int, only: str | None) -> dict[str, list[Any]]:
    from django.core.management import call_command

    from benchmarks import history_rows

    call_command("migrate", verbosity=0)
    begun = time.monotonic()
    made = history_rows.make(people)
    print(f"{made} in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    rows = _commands() if only != "pages" else [_run("rebuild_health"), _run("process_notifications")]
    return {"commands": rows, "pages": _pages() if only != "commands" else []}


def _commands() -> list[Ran]:
    from benchmarks import history_rows
    from bounces.models import Incident

    now = datetime.now(UTC)
    span = ["--from", (now - timedelta(days=100)).isoformat(), "--to", (now + timedelta(days=1)).isoformat()]
    slug = _slug()
    found = [
        _run("process_notifications"),
        _run("process_notifications", "--replay-quarantined"),
        _run("rebuild_health"),
        _run("rebuild_engagement"),
        _run("cleanup_bounces", "--dry-run"),
        _run("simulate_policy", "--list", slug, "--set", "hold_hours=12", "--set", "soft_retry_days=1"),
        _run("cleanup_bounces"),
        _run("bounce_report"),
        _run("bounce_report", "--list", slug, "--since", (now - timedelta(days=90)).date().isoformat()),
        _run("retry_soft_bounces", "--dry-run"),
        _run("restore_bounced", "--domain", history_rows.LARGEST, *span, "--dry-run"),
    ]
    incident = Incident.objects.create(
        provider=history_rows.LARGEST,
        kind=Incident.Kind.HARD,
        started_at=now - timedelta(days=31),
        ended_at=now - timedelta(days=29),
    )
    return [
        *found,
        _run("restore_bounced", "--incident", str(incident.pk), "--dry-run"),
        _run("restore_bounced", "--domain", history_rows.LARGEST, *span),
        _run("bounce_doctor"),
        _run("export_subscribers", slug, "--output", "/dev/null"),
    ]


def _slug() -> str:
    from mailinglist.models import MailingList

    return MailingList.objects.values_list("slug", flat=True)[0]


def _run(*arguments: str) -> Ran:
    """manage.py with these arguments, with the most memory that it had."""
    with tempfile.TemporaryFile() as out:
        begun = time.monotonic()
        command = [
            str(PYTHON),
            "-S",
            "-c",
            _SMALL_PARENT,
            str(PYTHON),
            str(PROJECT / "manage.py"),
            *arguments,
        ]
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
        took = time.monotonic() - begun
        out.seek(0)
        *lines, peak = out.read().decode(errors="replace").strip().splitlines()
    mb = int(peak) * (1 if sys.platform == "darwin" else 1024) / 1e6
    found = Ran(" ".join(arguments), status, took, mb, lines[-1] if lines else "")
    print(_command(found), file=sys.stderr)
    return found


def _pages() -> list[Asked]:
    from benchmarks import history_pages

    return ask_all(history_pages.every())


def _command(row: Ran) -> str:
    return f"{row.seconds:8.1f} s {row.peak_mb:6.0f} MB  {row.status}  {row.command}\n{'':24}{row.said}"


def _print(found: dict[str, list[Any]], *, slow_sql: bool) -> None:
    for row in found["commands"]:
        print(_command(row))
    for row in found["pages"]:
        missed = row.ms > TARGET_MS or row.status != 200
        print(row.line(missed))
        if missed and slow_sql:
            print(f"{'':12}{row.slowest_ms:.0f} ms: {row.slowest}")


if __name__ == "__main__":
    sys.exit(main())
