"""``python -m benchmarks``, by way of script/bench: the options, and what is measured in which order."""

import argparse
import asyncio
import importlib.util
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from benchmarks import big_desk, figures, load
from benchmarks.figures import Run
from benchmarks.place import Failed, Place, Took
from script import environment
from script.errors import StartError

_EPILOG = """\
examples:
  script/bench                  everything with up to 100,000 recipients, about ten minutes
  script/bench --full           up to 1,000,000 recipients, about half an hour
  script/bench --admin --json   every staff page with 100,000 people and a million mails, about five minutes
  script/bench --quick --json   the sending alone, under four minutes; the last line is one JSON object

Raw numbers of a run and the targets: docs/benchmarks.md."""
#: Messages per run of each way. The loops are slow and take the same time for each mail: fewer are enough.
_SIZES = {"naive": 100, "newsletter": 100, "kept": 1700, "raw": 10_000, "bulk": 20_000}
_QUICK_SIZES = {"naive": 40, "newsletter": 40, "kept": 1000, "raw": 6_000, "bulk": 15_000}
#: With 50 ms per answer the loops send hardly 20 messages a second; and what a new process spends on learning how many
#: requests to keep open counts little among so many of the engine's.
_SLOW_SIZES = {"naive": 20, "newsletter": 20, "kept": 100, "raw": 100_000, "bulk": 20_000}
_LATENCY_MS = 50
_PARTS = ["sending", "latency", "import", "growth"]


def main(arguments: Sequence[str]) -> int:
    given = _parse(arguments)
    if given.admin:
        return big_desk.run(big_desk.FULL if given.full else big_desk.TENTH, as_json=given.json)
    say: Callable[[str], None] = lambda words: print(  # noqa: E731
        words, file=sys.stderr if given.json else sys.stdout, flush=True
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of the place's end
    try:
        with Place() as place:
            return _Bench(place, given, say).run()
    except (Failed, StartError) as error:
        print(error, file=sys.stderr)
        return 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Measure sending, importing and starting a campaign, side by side on this machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="the sending alone, small")
    parser.add_argument(
        "--admin", action="store_true", help="the staff pages alone, on a tenth of a big installation"
    )
    parser.add_argument("--only", action="append", choices=_PARTS, help="this part, and others named so")
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 recipients")
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="runs of each way, taking turns (3)"
    )
    parser.add_argument(
        "--processes", type=int, default=2, metavar="N", help="measure the engine with 1 and N (2)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="the figures as one JSON object in the last line; words go to stderr",
    )
    given = parser.parse_args(arguments)
    if given.quick and (given.full or given.only):
        parser.error("--quick goes without --full and --only.")
    if given.admin and (given.quick or given.only):
        parser.error("--admin goes without --quick and --only.")
    if given.only and "latency" in given.only and "sending" not in given.only:
        parser.error("--only latency needs --only sending beside it, which it is compared with.")
    if given.rounds < 1 or given.processes < 1:
        parser.error("--rounds and --processes are at least 1.")
    return given


class _Bench:
    """One call of script/bench; ``run`` reads from top to bottom."""

    def __init__(self, place: Place, given: argparse.Namespace, say: Callable[[str], None]) -> None:
        self.place, self.given, self.say = place, given, say
        self.runs: list[Run] = []
        self.grown: list[Run] = []
        self.version: int | None = None
        self.newsletter = False
        #: django-newsletter's messages by their number of recipients.
        self.messages: dict[int, int] = {}
        self.parts = given.only or (["sending"] if given.quick else _PARTS)

    def run(self) -> int:
        self.say(
            f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; messages of 4 kB."
        )
        ceiling = self._ceiling()
        found: dict[str, float | None] = {}
        if "sending" in self.parts:
            self.newsletter = self._has_newsletter()
            sizes, processes = (_QUICK_SIZES, 1) if self.given.quick else (_SIZES, self.given.processes)
            self._rounds(sizes, sorted({1, processes}))
        if "latency" in self.parts:
            self._rounds(_SLOW_SIZES, [1], latency_ms=_LATENCY_MS)
            found |= self._at_latency()
        if "import" in self.parts:
            found |= self._import()
        if "growth" in self.parts:
            found |= self._growth()
        if "sending" in self.parts:
            found = figures.quick(self.runs, ceiling) | found
            found["bulk_vs_kept"] = figures.ratio(found["bulk"], found["kept"])
        self._tell(found)
        return 0

    def _has_newsletter(self) -> bool:
        """Whether django-newsletter can be measured; installs what the tests need, unless it has to be quick."""
        if all(importlib.util.find_spec(name) for name in ("newsletter", "sorl")):
            return True
        missing = (
            "django-newsletter is left out: requirements-dev.txt is not installed, which script/test does."
        )
        if self.given.quick:
            self.say(missing)
            return False
        try:
            environment.ensure("requirements.txt", "requirements-dev.txt", say=self.say)
        except StartError as error:
            self.say(f"{error}\n{missing}")
            return False
        return True

    def _ceiling(self) -> float:
        """Answers per second of the local SES alone: no way to send can show more than this."""
        port, before = self.place.ses(), self.place.ses_processor()
        seconds = 3
        answers = asyncio.run(load.answers(port, seconds))
        after = self.place.ses_processor()
        cost = (
            "not measured"
            if before is None or after is None
            else f"{(after - before) / (answers * seconds) * 1e6:.0f} µs of processor each"
        )
        self.say(f"The local SES: {answers:,.0f} answers/s at most, {cost}.\n")
        return answers

    def _rounds(self, sizes: dict[str, int], processes: Sequence[int], *, latency_ms: float = 0) -> None:
        for _ in range(self.given.rounds):
            for way in ("naive", "kept"):
                self._keep(self.runs, self._loop(way, sizes[way], latency_ms))
            if self.newsletter:
                self._keep(self.runs, self._submission(sizes["newsletter"], latency_ms))
            for copies in processes:
                for way in ("raw", "bulk"):
                    self._keep(self.runs, self._engine(way, sizes[way], latency_ms, copies)[0])

    def _loop(self, way: str, n: int, latency_ms: float) -> Run:
        list_id, version_id = self._content()
        took = self.place.do(
            "django-ses",
            latency_ms=latency_ms,
            list_id=list_id,
            version_id=version_id,
            n=n,
            kept=way == "kept",
        )
        if took.found != n:
            raise Failed(f"{way} sent {took.found} messages of {n}.")
        # The loops do not use the database: whatever it did meanwhile was not for them.
        return _run(way, n, 1, latency_ms, replace(took, database=0.0))

    def _submission(self, n: int, latency_ms: float) -> Run:
        """django-newsletter's, with what it asks of the database and writes there."""
        if n not in self.messages:
            list_id, version_id = self._content()
            subject, html = self.place.do("first-mail", list_id=list_id, version_id=version_id).found
            self.messages[n] = int(self.place.do("newsletter", n=n, subject=subject, html=html).found)
        took = self.place.do("submit", latency_ms=latency_ms, message_id=self.messages[n])
        if took.found != n:
            raise Failed(f"django-newsletter sent {took.found} messages of {n}.")
        return _run("newsletter", n, 1, latency_ms, took)

    def _content(self) -> tuple[int, int]:
        """A list and a version: the same content for the loops and django-newsletter as for the engine."""
        list_id = self.place.list_of(_SIZES["raw"])
        if self.version is None:
            campaign, _ = self._campaign(list_id)
            self.version = int(self.place.do("version", campaign_id=campaign).found)
        return list_id, self.version

    def _engine(self, way: str, n: int, latency_ms: float, copies: int) -> tuple[Run, float]:
        """The run, and the seconds that the start of the campaign with its snapshot took."""
        campaign, snapshot = self._campaign(self.place.list_of(n))
        took = self.place.do(
            "engine", latency_ms=latency_ms, copies=copies, bulk=way == "bulk", campaign_id=campaign
        )
        if took.found != n:
            raise Failed(f"{way} sent {took.found} different messages of {n}.")
        return _run(way, n, copies, latency_ms, took), snapshot

    def _campaign(self, list_id: int) -> tuple[int, float]:
        campaign, seconds = self.place.do("campaign", list_id=list_id).found
        return int(campaign), float(seconds)

    def _keep(self, runs: list[Run], run: Run) -> None:
        runs.append(run)
        self.say(figures.table([run]).partition("\n")[2])

    def _at_latency(self) -> dict[str, float | None]:
        def rate(way: str, latency_ms: float) -> float | None:
            return figures.middle(
                self.runs, lambda run: run.rate, way=way, processes=1, latency_ms=latency_ms
            )

        return {
            f"{way}_at_{_LATENCY_MS}_ms": figures.ratio(rate(way, _LATENCY_MS), rate(way, 0))
            for way in ("raw", "bulk")
        }

    def _growth(self) -> dict[str, float | None]:
        """The engine with ten times more recipients each time; the largest start is the snapshot's figure."""
        self.say("\nGrowth:")
        found: dict[str, float | None] = {}
        for n in (10_000, 100_000, *([1_000_000] if self.given.full else [])):
            for way in ("bulk", "raw"):
                run, snapshot = self._engine(way, n, 0, 1)
                self._keep(self.grown, run)
                self.say(f"       start with the snapshot of {n:,}: {snapshot:.1f} s")
                if n == 1_000_000:
                    found["snapshot_seconds"] = snapshot
        return found | figures.growth(self.grown, "raw") | figures.growth(self.grown, "bulk")

    def _import(self) -> dict[str, float | None]:
        """bulk_create always with 100,000 rows: it takes the same time for each, and nine minutes for a million."""
        self.say("\nImport of subscribers from CSV:")
        ours = self._imported("import", 1_000_000 if self.given.full else 100_000)
        theirs = self._imported("bulk_create", 100_000)
        found = {
            "import_vs_bulk_create": figures.ratio(ours.found / ours.seconds, theirs.found / theirs.seconds)
        }
        if self.given.full:
            found |= {"import_seconds": ours.seconds, "import_peak_mb": ours.peak_mb}
        return found

    def _imported(self, way: str, n: int) -> Took:
        file = str(self.place.var / f"{way.replace('_', '')}.csv")
        self.place.do("csv", file=file, n=n)
        list_id = self.place.list_of(1 if way == "import" else 2)
        took = self.place.do("import", list_id=list_id, file=file, ours=way == "import")
        if took.found != n:
            raise Failed(f"{way} subscribed {took.found} of {n} people.")
        self.say(
            f"{way:12} {n:9,} rows {took.seconds:7.1f} s  {n / took.seconds:8,.0f} rows/s  "
            f"processor {took.processor:6.1f} s + PostgreSQL {took.database or 0:6.1f} s  peak {took.peak_mb:4.0f} MB"
        )
        return took

    def _tell(self, found: dict[str, float | None]) -> None:
        self.say(
            "\nMedians (naive, kept and newsletter: few messages, extrapolated to a rate; naive and kept write nothing "
            "down, newsletter, which is django-newsletter's submit, nothing about a message):"
        )
        self.say(figures.table([*self.runs, *self.grown]))
        self.say("\n" + "\n".join(figures.judged(found)))
        if self.given.json:
            shown = {name: value if value is None else float(f"{value:.4g}") for name, value in found.items()}
            if not self.given.quick:
                shown["runs"] = [asdict(run) for run in [*self.runs, *self.grown]]  # type: ignore[assignment]
            print(json.dumps(shown), flush=True)


def _run(way: str, n: int, processes: int, latency_ms: float, took: Took) -> Run:
    return Run(way, n, processes, latency_ms, took.seconds, took.processor, took.database, took.peak_mb)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
