"""F18 and F19: hosts whose clocks disagree, and more than one scheduler."""

import signal
import threading
import time

from tests.faults.rig import LEASE_SECONDS, Rig, wait
from tests.faults.table import Row


def skewed(rig: Rig, size: int, seed: int) -> Row:
    """F18: one worker's clock is ten minutes ahead, the other's ten minutes behind; one of them dies."""
    row = Row("F18", "clock skew", seed)
    rig.fresh(seed, workers=0)
    ahead = rig.start_worker(RIG_CLOCK_SKEW="600")
    rig.start_worker(RIG_CLOCK_SKEW="-600")
    campaign = rig.campaign(size, start=False)
    rig.manager.ask("schedule_in", campaign=campaign, seconds=2)
    began = time.monotonic()
    rig.wait_for(campaign, size // 3, seconds=60)
    row.notes.append(f"a third was sent {time.monotonic() - began:.1f} s after it was scheduled")
    ahead.kill()
    rig.workers.remove(ahead)
    rig.start_worker(RIG_CLOCK_SKEW="600")
    row.kills += 1
    rig.drain(campaign)
    rig.resend_held(row, campaign)
    rig.judge(row, campaign, size)
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates because of clocks.")
    rig.end_workers()
    return row


def ahead_only(rig: Rig, size: int, seed: int) -> Row:
    """F18: the only worker's clock is ten minutes ahead of the scheduler's; the sweep must reach it all the same."""
    row = Row("F18", "worker ahead", seed)
    rig.fresh(seed, workers=0)
    rig.start_worker(RIG_CLOCK_SKEW="600")
    campaign = rig.campaign(size, start=False)
    rig.manager.ask("schedule_in", campaign=campaign, seconds=1)
    wait(lambda: rig.status(campaign) == "sending", 60, "the start of a scheduled campaign")
    rig.servers.flush_valkey()
    rig.drain(campaign)
    rig.settle_events(campaign)
    rig.judge(row, campaign, size, events=False)
    rig.end_workers()
    return row


def schedulers(rig: Rig, size: int, seed: int) -> Row:
    """F19: three schedulers, one of them frozen for a while; and one that decides anew who gets the campaign."""
    row = Row("F19", "several schedulers", seed)
    rig.fresh(seed)
    frozen = rig.start_beat()
    rig.start_beat()
    campaign = rig.campaign(size, start=False)
    rig.manager.ask("schedule_in", campaign=campaign, seconds=1)
    frozen.signal(signal.SIGSTOP)
    wait(lambda: rig.status(campaign) in ("sending", "finished"), 30, "the start of a scheduled campaign")
    late = [threading.Thread(target=_snapshot_again, args=[rig, campaign]) for _ in range(3)]
    for one in late:
        one.start()
    for one in late:
        one.join()
    time.sleep(LEASE_SECONDS / 2)
    frozen.signal(signal.SIGCONT)
    rig.drain(campaign)
    rig.settle_events(campaign)
    rig.judge(row, campaign, size)
    started = rig.one(
        "SELECT count(*) FROM mailinglist_change WHERE noun = 'campaign' AND object_id = %s AND after = 'sending'",
        campaign,
    )
    if started != 1:
        row.violations.append(f"F19: the campaign was started {started} times.")
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates because of several schedulers.")
    return row


def _snapshot_again(rig: Rig, campaign: int) -> None:
    rig.manager.ask("snapshot", campaign=campaign)
