"""F1, F20, F24: workers that are killed, frozen and asked to end in the middle of a campaign."""

import signal
import time

from tests.faults.rig import LEASE_SECONDS, SWEEP_SECONDS, Rig, wait
from tests.faults.table import Row

#: Where a worker dies, in the order in which a mail comes by; at which time depends on the seed.
FAILPOINTS = (
    "before-claim", "after-claim", "before-post", "request-sent", "answer-arrived", "before-write-back",
    "write-back-uncommitted", "after-write-back", "before-ack",
)  # fmt: skip
#: No row stays claimed longer than this after its worker died (and until the sweep looks).
RECOVERY_SECONDS = LEASE_SECONDS + 10 * SWEEP_SECONDS


def kills(rig: Rig, size: int, seed: int, *, times: int = 5, policy: str = "hold") -> Row:
    """F1: kill -9 of workers at random moments, ``times`` times."""
    row = Row("F1", f"kill -9, {policy}", seed)
    rig.fresh(seed, **({} if policy == "hold" else {"UNKNOWN_POLICY": policy}))
    campaign = rig.campaign(size)
    for number in range(times):
        rig.wait_for(campaign, int(size * (number + 0.5) / (times + 1)))
        time.sleep(rig.random.uniform(0, 0.3))
        rig.kill_worker()
        row.kills += 1
        row.recovery_s = max(row.recovery_s, _resumed(rig, campaign))
    rig.drain(campaign)
    rig.settle_events(campaign)
    if policy == "hold":
        rig.resend_held(row, campaign)
    else:
        rig.drain(campaign)
        rig.settle_events(campaign)
    rig.judge(row, campaign, size)
    _check_recovery(row)
    if policy == "hold" and row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates although nothing was resent without proof.")
    return row


def failpoints(rig: Rig, size: int, seed: int, *, names: tuple[str, ...] = FAILPOINTS) -> Row:
    """F1: one worker after the other, each of which dies at a failpoint of its own; a last one finishes."""
    row = Row("F1", "every failpoint", seed)
    rig.fresh(seed, workers=0)
    rig.ses.config(max_send_rate=size / 15)
    campaign = rig.campaign(size)
    for name in names:
        # The last one is reached only at the end of a run, so it is due at once.
        times = 1 if name == "before-ack" else rig.random.randint(1, 6)
        doomed = rig.start_worker(MAILINGLIST_FAILPOINTS=f"{name}:{times}")
        rig.workers.remove(doomed)
        wait(lambda one=doomed: not one.alive, 90, f"the end of a worker at {name}")
        doomed.kill()
        row.kills += 1
        row.failpoints.append(name)
    rig.start_worker()
    rig.drain(campaign)
    rig.resend_held(row, campaign)
    rig.judge(row, campaign, size)
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates although nothing was resent without proof.")
    return row


def zombie(rig: Rig, size: int, seed: int) -> Row:
    """F20: a worker is frozen after its claim until its lease is over, and wakes up again."""
    row = Row("F20", "zombie worker", seed)
    rig.fresh(seed)
    rig.ses.config(max_send_rate=60.0)
    campaign = rig.campaign(size)
    rig.wait_for(campaign, size // 5)
    frozen = rig.random.choice(rig.workers)
    frozen.signal(signal.SIGSTOP)
    row.kills += 1
    began = time.monotonic()
    wait(lambda: time.monotonic() - began > LEASE_SECONDS + 3, 60, "the end of the lease")
    frozen.signal(signal.SIGCONT)
    rig.drain(campaign)
    rig.resend_held(row, campaign)
    rig.judge(row, campaign, size)
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} mails were posted by a worker whose lease was over.")
    return row


def sigterm(rig: Rig, size: int, seed: int, *, times: int = 2) -> Row:
    """F24: a rolling restart by SIGTERM: posts in flight finish, claims are given back, nothing is in doubt."""
    row = Row("F24", "SIGTERM", seed)
    rig.fresh(seed)
    campaign = rig.campaign(size)
    for number in range(times):
        rig.wait_for(campaign, int(size * (number + 0.5) / (times + 1)))
        leaving = rig.workers.pop(0)
        began = time.monotonic()
        leaving.signal(signal.SIGTERM)
        rig.start_worker()
        wait(lambda one=leaving: not one.alive, 40, "the end of a worker after SIGTERM")
        row.recovery_s = max(row.recovery_s, time.monotonic() - began)
        leaving.kill()
    rig.drain(campaign)
    rig.settle_events(campaign)
    rig.judge(row, campaign, size)
    doubtful = rig.one(
        "SELECT count(*) FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id "
        "WHERE d.campaign_id = %s AND a.error_code <> '' AND a.error_code <> 'not-posted'",
        campaign,
    )
    if doubtful:
        row.violations.append(f"F24: {doubtful} attempts were left in doubt by a SIGTERM.")
    if row.recovery_s > 25:
        row.violations.append(f"F24: a worker took {row.recovery_s:.1f} s to end.")
    return row


def _resumed(rig: Rig, campaign: int) -> float:
    """Seconds until no lease of a dead worker is left over, and another mail has left."""
    began = time.monotonic()
    before = rig.posted(campaign)
    now = rig.one("SELECT clock_timestamp()")
    wait(
        lambda: (
            (rig.posted(campaign) > before or rig.drained(campaign))
            and not rig.one(
                "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s AND state = 'sending' "
                "AND changed_at < %s",
                campaign,
                now,
            )
        ),
        60,
        "going on after a kill",
    )
    return time.monotonic() - began


def _check_recovery(row: Row) -> None:
    if row.recovery_s > RECOVERY_SECONDS:
        row.violations.append(f"F1: going on took {row.recovery_s:.1f} s; the lease is {LEASE_SECONDS} s.")
