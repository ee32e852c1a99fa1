"""Medians, ratios and verdicts are those of the runs that they are about."""

import pytest

from benchmarks import figures
from benchmarks.figures import Run, Target


def run(
    way: str = "raw", seconds: float = 1, *, messages: int = 100, cpu: float = 0.1, peak: float = 50
) -> Run:
    return Run(way, messages, 1, 0, seconds, cpu, 0.05, peak)


def test_rate_and_processor_are_per_message() -> None:
    assert run(seconds=2).rate == 50
    assert run().cpu_ms == pytest.approx(1.5)


def test_what_the_system_does_not_tell_is_not_guessed() -> None:
    assert Run("raw", 100, 1, 0, 1, 0.1, None, 50).cpu_ms is None
    assert figures.middle([], lambda run: run.rate) is None
    assert figures.ratio(1, None) is None


def test_the_quick_figures_are_medians_of_one_process_without_latency() -> None:
    runs = [run("naive", 10), run("kept", 4), run("raw", 1), run("raw", 2), run("raw", 9), run("bulk", 0.5)]
    runs.append(Run("raw", 100, 2, 0, 0.001, 0.1, 0.05, 50))
    found = figures.quick(runs, ceiling=5000)
    assert (found["naive"], found["kept"], found["raw"], found["bulk"]) == (10, 25, 50, 200)
    assert (found["raw_vs_naive"], found["raw_vs_kept"], found["bulk_vs_raw"]) == (5, 2, 4)
    assert (found["cpu_ms_raw"], found["sandbox_ceiling"]) == (pytest.approx(1.5), 5000)


def test_what_was_left_out_has_no_figures() -> None:
    found = figures.quick([run("raw", 2), run("newsletter", 40)], ceiling=5000)
    assert (found["newsletter"], found["raw_vs_newsletter"], found["cpu_ms_newsletter"]) == (
        2.5,
        20,
        pytest.approx(1.5),
    )
    found = figures.quick([run("raw", 2)], ceiling=5000)
    assert found["newsletter"] is found["raw_vs_newsletter"] is found["peak_mb_newsletter"] is None


def test_growth_compares_the_most_with_the_fewest_recipients() -> None:
    runs = [run(), run(messages=1000, seconds=20, peak=60), run("bulk", messages=9)]
    assert figures.growth(runs, "raw") == {"rate_growth_raw": 0.5, "memory_growth_raw": 1.2}
    assert figures.growth(runs, "bulk") == {}


@pytest.mark.parametrize(
    ("value", "met"),
    [(0.89, False), (0.9, True), (1.1, True), (1.2, False)],
    ids=["low", "least", "most", "high"],
)
def test_a_target_is_met_between_its_limits(value: float, met: bool) -> None:
    assert Target("growth", "memory", 0.9, 1.1).met(value) is met


def test_only_what_was_measured_is_judged() -> None:
    (line,) = figures.judged({"raw_vs_naive": 20})
    assert line.startswith("MISSED") and "20" in line
