"""Processor time is that of a process and of what it started."""

import os
import subprocess
import sys

from benchmarks import meter


def test_a_child_counts_with_its_parent() -> None:
    before = meter.processor_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(4_000_000))"], check=True)
    after = meter.processor_seconds(os.getpid())
    # Systems without /proc do not tell.
    assert (before is None and after is None) or after - before >= 0.02  # type: ignore[operator]


def test_memory_is_in_megabytes() -> None:
    assert 5 < meter.peak_mb() < 5000
