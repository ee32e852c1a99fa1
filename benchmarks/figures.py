"""PURE. From runs to figures: medians, ratios, and the targets that they are held against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Run:
    """One way, once. Seconds; ``database`` None: not measured on this system."""

    way: str
    messages: int
    processes: int
    latency_ms: float
    seconds: float
    worker_cpu: float
    database_cpu: float | None
    peak_mb: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def cpu_ms(self) -> float | None:
        """Milliseconds of processor per message, of the workers and PostgreSQL together."""
        if self.database_cpu is None:
            return None
        return (self.worker_cpu + self.database_cpu) * 1000 / self.messages


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and what it should be; ``low`` or ``high`` is None where that side is open."""

    figure: str
    words: str
    low: float | None = None
    high: float | None = None

    def met(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


TARGETS = (
    Target("raw_vs_naive", "raw against the naive loop: at least 120 times", low=120),
    Target("raw_vs_kept", "raw against one kept connection: at least 2 times", low=2),
    Target("bulk_vs_kept", "bulk against one kept connection: at least 10 times", low=10),
    Target("cpu_ms_raw", "processor per message, raw: at most 0.7 ms", high=0.7),
    Target("cpu_ms_bulk", "processor per message, bulk: at most 0.15 ms", high=0.15),
    Target("raw_at_50_ms", "raw at 50 ms latency against none: at least 0.8", low=0.8),
    Target("bulk_at_50_ms", "bulk at 50 ms latency against none: at least 0.8", low=0.8),
    Target("memory_growth_raw", "worker memory, most against fewest recipients, raw: 0.9 to 1.1", 0.9, 1.1),
    Target("memory_growth_bulk", "worker memory, most against fewest recipients, bulk: 0.9 to 1.1", 0.9, 1.1),
    Target("rate_growth_raw", "messages/s, most against fewest recipients, raw: at least 0.9", low=0.9),
    Target("rate_growth_bulk", "messages/s, most against fewest recipients, bulk: at least 0.9", low=0.9),
    Target("snapshot_seconds", "snapshot of 1,000,000 recipients: under 60 s", high=60),
    Target("import_seconds", "import of 1,000,000 subscribers: under 60 s", high=60),
    Target("import_peak_mb", "memory of that import: under 300 MB", high=300),
    Target("import_vs_bulk_create", "import against bulk_create: at least 3 times", low=3),
)


def middle(runs: Sequence[Run], value: Callable[[Run], float | None], **where: object) -> float | None:
    """The median of ``value`` over the runs whose fields are ``where``; None when there is none of it."""
    chosen = [run for run in runs if all(getattr(run, name) == wanted for name, wanted in where.items())]
    found = [number for number in map(value, chosen) if number is not None]
    return median(found) if found else None


def quick(runs: Sequence[Run], ceiling: float) -> dict[str, float | None]:
    """The figures of one process without latency, which ``--quick`` prints."""

    def of(way: str, value: Callable[[Run], float | None]) -> float | None:
        return middle(runs, value, way=way, processes=1, latency_ms=0)

    rates = {way: of(way, lambda run: run.rate) for way in ("naive", "kept", "newsletter", "raw", "bulk")}
    return {
        **rates,
        "raw_vs_naive": ratio(rates["raw"], rates["naive"]),
        "raw_vs_kept": ratio(rates["raw"], rates["kept"]),
        "raw_vs_newsletter": ratio(rates["raw"], rates["newsletter"]),
        "bulk_vs_newsletter": ratio(rates["bulk"], rates["newsletter"]),
        "cpu_ms_newsletter": of("newsletter", lambda run: run.cpu_ms),
        "peak_mb_newsletter": of("newsletter", lambda run: run.peak_mb),
        "bulk_vs_raw": ratio(rates["bulk"], rates["raw"]),
        "cpu_ms_raw": of("raw", lambda run: run.cpu_ms),
        "cpu_ms_bulk": of("bulk", lambda run: run.cpu_ms),
        "sandbox_ceiling": ceiling,
    }


def growth(runs: Sequence[Run], way: str) -> dict[str, float | None]:
    """How rate and memory of one way change from the fewest to the most recipients."""
    sizes = sorted({run.messages for run in runs if run.way == way})
    if len(sizes) < 2:
        return {}

    def change(value: Callable[[Run], float | None]) -> float | None:
        least, most = (middle(runs, value, way=way, messages=size) for size in (sizes[0], sizes[-1]))
        return ratio(most, least)

    return {
        f"rate_growth_{way}": change(lambda run: run.rate),
        f"memory_growth_{way}": change(lambda run: run.peak_mb),
    }


def ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def judged(figures: Mapping[str, float | None]) -> list[str]:
    """A line for each target whose figure was measured."""
    lines = []
    for target in TARGETS:
        value = figures.get(target.figure)
        if value is not None:
            lines.append(f"{'met   ' if target.met(value) else 'MISSED'} {value:10.3g}   {target.words}")
    return lines


def table(runs: Sequence[Run]) -> str:
    """One line for each kind of run: medians, and how many runs they are of."""
    head = (
        "way        processes  latency  messages  runs  messages/s  ms/message: worker  PostgreSQL  peak MB"
    )
    kinds = dict.fromkeys((run.way, run.processes, run.latency_ms, run.messages) for run in runs)
    return "\n".join([head, *(_line(runs, *kind) for kind in kinds)])


def _line(runs: Sequence[Run], way: str, processes: int, latency: float, messages: int) -> str:
    where = {"way": way, "processes": processes, "latency_ms": latency, "messages": messages}
    same = [run for run in runs if all(getattr(run, name) == value for name, value in where.items())]
    worker, database = (
        middle(same, lambda run: run.worker_cpu * 1000 / run.messages),
        middle(
            same, lambda run: None if run.database_cpu is None else run.database_cpu * 1000 / run.messages
        ),
    )
    return (
        f"{way:10} {processes:9}  {latency:4g} ms  {messages:8,}  {len(same):4}  "
        f"{middle(same, lambda run: run.rate) or 0:10,.0f}  {worker or 0:18.3f}  "
        f"{'not measured' if database is None else format(database, '10.3f')}  "
        f"{middle(same, lambda run: run.peak_mb) or 0:7.0f}"
    )
