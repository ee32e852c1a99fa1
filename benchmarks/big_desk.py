"""``python -m benchmarks.big_desk``, also ``script/bench --admin``: how quick every staff page is on a big installation.

On a throw-away PostgreSQL with N people, 10 N deliveries in ten campaigns, and about 2 N events (the rows of
``history_rows``, and what ``desk_rows`` adds to them). Every page is asked for three times by Django's test client; the
middle time counts. Leaves with status 1 when a page takes longer or asks more often than it may. With ``--var`` the rows
stay, for the next measurement.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import asking
from benchmarks.asking import ROUTE
from benchmarks.events import become_project
from script import embedded
from script.postgres import Postgres

TARGET_MS, TARGET_QUERIES = 500, 15
FULL, TENTH = 1_000_000, 100_000


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.big_desk", description="Measure every staff page on a big installation."
    )
    parser.add_argument("--people", type=int, default=FULL, metavar="N", help=f"with ten mails each ({FULL})")
    parser.add_argument(
        "--slow-sql", action="store_true", help="show the slowest statement of pages over the target"
    )
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object in the last line")
    parser.add_argument(
        "--var", type=Path, metavar="DIR", help="keep the rows in DIR; where it has rows, ask for their pages"
    )
    parser.add_argument("--only", default="", metavar="PART", help="pages that have PART in name or address")
    given = parser.parse_args()
    return run(given.people, as_json=given.json, slow_sql=given.slow_sql, var=given.var, only=given.only)


def run(
    people: int, *, as_json: bool, slow_sql: bool = False, var: Path | None = None, only: str = ""
) -> int:
    """Make the rows, ask for the pages, print what was found. 0 where every page is within the target."""
    found = _on_a_server(lambda: _measure(people, only), var)
    if not found:
        print(f"No page has {only!r} in its name or address.", file=sys.stderr)
        return 2
    if as_json:
        for row in filter(_missed, found):
            print(row.line(missed=True), file=sys.stderr)
        pages = {row.address: {"ms": round(row.ms, 1), "queries": row.queries} for row in found}
        print(json.dumps({"pages": pages, "slowest_ms": max(page["ms"] for page in pages.values())}))
    else:
        for row in sorted(found, key=lambda row: row.ms):
            print(row.line(_missed(row)))
            if slow_sql and _missed(row):
                print(f"{'':12}{row.slowest_ms:.0f} ms: {row.slowest}")
    return 1 if any(map(_missed, found)) else 0


def _missed(row: asking.Asked) -> bool:
    return row.ms > TARGET_MS or row.queries > TARGET_QUERIES or row.status not in _answers(row)


def _answers(row: asking.Asked) -> tuple[int, ...]:
    """200; of an address that is asked for because there is one, also a redirect, a refusal, or that it only acts."""
    return (200, 302, 403, 404, 405) if row.page.startswith(ROUTE) else (200,)


def _on_a_server(work: Callable[[], Any], kept: Path | None) -> Any:
    var = kept or Path(tempfile.mkdtemp(prefix="mailinglist-bench-"))
    var.mkdir(exist_ok=True)
    server = Postgres(var)
    server.owner.take()
    try:
        server.start()
        become_project(var)
        return work()
    finally:
        server.stop()
        server.owner.release()
        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
        if kept is None:
            shutil.rmtree(var, ignore_errors=True)


def _measure(people: int, only: str) -> list[asking.Asked]:
    from django.core.management import call_command

    from benchmarks import desk_pages, desk_routes, desk_rows
    from mailinglist.models import Campaign

    call_command("migrate", verbosity=0)
    if not Campaign.objects.exists():
        begun = time.monotonic()
        made = desk_rows.make(people)
        print(f"{made} in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return asking.ask_all(desk_pages.every(), desk_routes.every(), only=only)


if __name__ == "__main__":
    sys.exit(main())
