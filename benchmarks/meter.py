"""Processor time and memory of processes. Standard library only; what the system does not tell is None."""

import os
import resource
import sys
from pathlib import Path

_PROC = Path("/proc")


def processor_seconds(pid: int) -> float | None:
    """User and system time of ``pid``, of its living descendants, and of the dead ones that they waited for.

    In whole clock ticks (10 ms): measure seconds, not moments. None where there is no /proc (macOS).
    """
    if not (_PROC / "self" / "stat").exists():
        return None
    times, parents = {}, {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            parents[int(entry.name)] = int(fields[1])
            times[int(entry.name)] = sum(map(int, fields[11:15]))
    ticks = sum(time for found, time in times.items() if _descends(found, pid, parents))
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mb() -> float:
    """The most memory (resident set) that this process has had, in MB of 1,000,000 bytes."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (found if sys.platform == "darwin" else found * 1024) / 1e6


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid != ancestor and pid in parents:
        pid = parents[pid]
    return pid == ancestor
