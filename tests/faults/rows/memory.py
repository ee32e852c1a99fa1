"""F26: a campaign that is large in people and in body must not grow the worker."""

import time
from pathlib import Path

from tests.faults.rig import Rig
from tests.faults.table import Row


def large(rig: Rig, size: int, seed: int, *, body_bytes: int = 100_000) -> Row:
    """F26: the worker's memory at 20 % of the campaign and at the end; the snapshot's time."""
    row = Row("F26", "memory", seed)
    rig.fresh(seed, workers=1)
    rig.ses.config(max_send_rate=10_000.0, latency=[0, 5], pushes="hold")
    line = "The news of the week, told once more. "
    campaign = rig.campaign(size, body="# News\n\n" + line * (body_bytes // len(line)), start=False)
    began = time.monotonic()
    rig.manager.ask("start", campaign=campaign, timeout=120)
    snapshot = time.monotonic() - began
    rig.wait_for(campaign, size // 5, seconds=60 + size / 20)
    early = _rss(rig)
    rig.drain(campaign, seconds=120 + size / 20, replace=False)
    late = _rss(rig)
    row.notes.append(f"snapshot {snapshot:.1f} s; {early:.0f} MB at 20 %, {late:.0f} MB at the end")
    rig.judge(row, campaign, size, events=False)
    if snapshot > 60:
        row.violations.append(f"F26: the snapshot took {snapshot:.0f} s.")
    if late > early * 1.1 + 5:
        row.violations.append(f"F26: the worker grew from {early:.0f} to {late:.0f} MB.")
    return row


def _rss(rig: Rig) -> float:
    """Megabytes of the only worker."""
    status = Path(f"/proc/{rig.workers[0].child.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
