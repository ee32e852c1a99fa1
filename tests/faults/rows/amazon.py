"""F2 to F7 and F27: what Amazon SES and the way to it can do to a campaign."""

import time
from collections.abc import Sequence

from tests.faults import checker
from tests.faults.rig import IN_HAND, LEASE_SECONDS, Rig, wait
from tests.faults.table import Row

READ_TIMEOUT = 3.0
#: Runs of one campaign at the same time: so many times the rows in hand are W for a whole campaign.
RUNS = 4


def lost_response(rig: Rig, size: int, seed: int, *, outage: float = 0) -> Row:
    """F2: SES accepts, then resets or stays silent past the read time-out. ``outage``: seconds of nothing else."""
    row = Row("F2", "lost responses", seed)
    rig.fresh(seed)
    rig.ses.config(seed=seed, reset_after=0.1, hang_after=0.02)
    campaign = rig.campaign(size)
    if outage:
        rig.wait_for(campaign, size // 4)
        rig.ses.config(reset_after=1.0)
        time.sleep(outage)
        rig.ses.config(reset_after=0.1)
    _finish(rig, row, campaign, size)
    if again := rig.ses.stats()["attempts_posted_again"]:
        row.violations.append(f"F2: {len(again)} attempts were posted more than once.")
    in_doubt = _attempts(rig, campaign, "a.error_code IN ('connection-closed', 'timeout')")
    row.notes.append(f"{in_doubt} attempts were in doubt")
    if not in_doubt:
        row.violations.append("F2: no response was lost; the row says nothing.")
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates.")
    return row


def errors_500(rig: Rig, size: int, seed: int, *, outage: float = 4) -> Row:
    """F3: 5 % of 500, before and after acceptance, then nothing but 500 for a while."""
    row = Row("F3", "500 of SES", seed)
    rig.fresh(seed)
    rig.ses.config(seed=seed, error_500_before=0.03, error_500_after=0.02)
    campaign = rig.campaign(size)
    rig.wait_for(campaign, size // 3)
    before = rig.ses.stats()["posts"]
    rig.ses.config(error_500_before=1.0)
    end = time.monotonic() + outage
    while time.monotonic() < end:
        if rig.status(campaign) not in ("sending",):
            row.violations.append(f"F3: the campaign became {rig.status(campaign)} during the outage.")
            break
        time.sleep(0.2)
    posts = rig.ses.stats()["posts"] - before
    row.notes.append(f"{posts} posts during {outage:g} s of 500")
    # Each run stops at ten failures; what is in hand then has left already.
    allowed = RUNS * (10 + IN_HAND) * (1 + outage // 15)
    if posts > allowed:
        row.violations.append(f"F3: {posts} posts to a SES that answers 500; the breaker allows {allowed:g}.")
    rig.ses.config(error_500_before=0.0, error_500_after=0.0)
    _end_hold(rig, outage)
    _finish(rig, row, campaign, size)
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates after answers of 500.")
    return row


def throttling(rig: Rig, size: int, seed: int, *, slow: int = 8) -> Row:
    """F4: SES takes 14 a second while it says 50, then for ``slow`` mails 1 a second."""
    row = Row("F4", "throttling", seed)
    rig.fresh(seed)
    rig.ses.config(max_send_rate=14.0, told_send_rate=50.0, latency=[20, 60])
    campaign = rig.campaign(size + slow)
    rig.wait_for(campaign, size, seconds=30 + size / 4)
    rig.ses.config(max_send_rate=1.0, told_send_rate=0.0)
    rig.drain(campaign, seconds=120 + slow * 6)
    rig.settle_events(campaign)
    rig.judge(row, campaign, size + slow)
    row.violations += checker.rate(rig.ledger, campaign, 28.0)
    refused = _attempts(rig, campaign, "a.error_code = 'throttled'")
    row.notes.append(f"{refused} attempts were throttled")
    if failed := rig.states(campaign).get("failed", 0):
        row.violations.append(f"F4: {failed} mails count as failed because SES was in no hurry.")
    times = [mail.at for mail in checker.read_ledger(rig.ledger, campaign)]
    for limit, part in ((14.0, times[:size]), (1.0, times[size:])):
        _near(row, limit, part)
    return row


def _near(row: Row, limit: float, times: Sequence[float]) -> None:
    """After a minute the pace is the limit of SES, 10 % more or less. Of what takes hardly longer it says nothing."""
    late = [at for at in times if at >= times[0] + 60]
    if len(late) < 2 or late[-1] - late[0] < 30:
        return
    pace = (len(late) - 1) / (late[-1] - late[0])
    row.notes.append(f"after a minute {pace:.2f} mails a second of {limit:g}")
    if abs(pace - limit) > limit / 10:
        row.violations.append(f"F4: {row.notes[-1]}.")


def quota(rig: Rig, size: int, seed: int, *, window: float = 20) -> Row:
    """F5: the quota of 24 hours (scaled to ``window`` seconds) is a quarter of the campaign."""
    row = Row("F5", "quota", seed)
    rig.fresh(seed)
    # What earlier rows sent weighs on the quota as long as the window is.
    rig.ses.config(quota=rig.sent_in(window) + size // 4, quota_window_seconds=window)
    campaign = rig.campaign(size)
    wait(lambda: rig.reason(campaign) == "quota", 60, "the campaign that waits for quota")
    before = rig.ses.stats()["posts"]
    time.sleep(3)
    if (posts := rig.ses.stats()["posts"] - before) > RUNS * IN_HAND:
        row.violations.append(f"F5: {posts} posts after the quota was used up.")
    if rig.status(campaign) != "sending":
        row.violations.append(f"F5: the campaign became {rig.status(campaign)}.")
    if window <= 20:  # the small row: SES has room again at once, and is asked at once
        rig.ses.config(quota=-1)
        rig.database.execute("UPDATE mailinglist_sendbudget SET quota_until = NULL, fetched_at = NULL")
    rig.drain(campaign, seconds=90 + 5 * max(65.0, window))
    rig.settle_events(campaign)
    rig.judge(row, campaign, size)
    if failed := rig.states(campaign).get("failed", 0):
        row.violations.append(f"F5: {failed} mails count as failed because of the quota.")
    return row


def stopped(rig: Rig, size: int, seed: int, *, switches: tuple[str, ...] = ("sending_paused",)) -> Row:
    """F6: the account is paused, suspended, or the sender is not verified, at 30 % of the campaign."""
    row = Row("F6", "SES stops", seed)
    for switch in switches:
        rig.fresh(seed)
        campaign = rig.campaign(size)
        rig.wait_for(campaign, size * 3 // 10)
        rig.ses.config(**{switch: True})
        before = rig.ses.stats()["posts"]
        took = wait(lambda one=campaign: rig.status(one) == "paused", 30, f"the pause after {switch}")
        time.sleep(1)
        posts = rig.ses.stats()["posts"] - before
        row.recovery_s = max(row.recovery_s, took)
        if took > 5 or posts > 2 * RUNS * IN_HAND:
            row.violations.append(f"F6: {switch}: stopped after {took:.1f} s and {posts} posts.")
        if failed := rig.states(campaign).get("failed", 0):
            row.violations.append(f"F6: {switch}: {failed} mails count as failed.")
        rig.ses.config(**{switch: False})
        rig.manager.ask("resume", campaign=campaign)
        rig.drain(campaign)
        rig.settle_events(campaign)
        rig.judge(row, campaign, size)
    return row


def poison(rig: Rig, size: int, seed: int) -> Row:
    """F7: mails that cannot be built, addresses that SES refuses, and one row that kills its worker."""
    row = Row("F7", "poison row", seed)
    rig.fresh(
        seed,
        UNKNOWN_POLICY="resend",
        MAILINGLIST_FAILPOINTS="before-post@poison",
        RIG_LEASE="3",
        RIG_GRACE="1",
    )
    rig.ses.config(max_send_rate=100.0)
    few = max(2, size // 50)
    emails = [f"p{i}@poison{seed}.example.org".replace("poison", "f") for i in range(size)]
    for i in range(few):
        emails[7 * i + 3] = f"refused+{i}@f{seed}.example.org"
    emails[size // 2] = f"poison@f{seed}.example.org"
    campaign = rig.campaign(emails, start=False)
    rig.database.execute(
        "UPDATE mailinglist_subscriber SET attributes = '[1]' WHERE email = ANY(%s)",
        [[f"p{7 * i + 1}@f{seed}.example.org" for i in range(few)]],
    )
    rig.manager.ask("start", campaign=campaign)
    began = time.monotonic()
    while time.monotonic() - began < 120:
        row.kills += rig.replace_dead()
        if rig.drained(campaign) and row.kills >= 3 and rig.states(campaign).get("unknown") == 1:
            break
        time.sleep(0.1)
    time.sleep(4)  # longer than the grace and a sweep: nothing sends it a fourth time
    row.kills += rig.replace_dead()
    rig.settle_events(campaign)
    found = rig.judge(row, campaign, size)
    state = rig.database.execute(
        "SELECT d.state, d.reason FROM mailinglist_delivery d JOIN mailinglist_subscriber s ON s.id = d.subscriber_id "
        "WHERE d.campaign_id = %s AND s.email LIKE 'poison@%%'",
        [campaign],
    ).fetchone()
    if state != ("unknown", "poison") or row.kills > 3:
        row.violations.append(
            f"F7: the row that kills is {state} after {row.kills} crashes; expected: set aside after 3."
        )
    if (failed := found.by_state.get("failed", 0)) != 2 * few:
        row.violations.append(f"F7: {failed} mails failed instead of {2 * few}.")
    row.unknown = 0  # the one that is set aside is what this row wants
    return row


def slow_network(rig: Rig, size: int, seed: int) -> Row:
    """F27: SES takes 2 s a call; the database's connections break; then SES's connections are half-open."""
    row = Row("F27", "slow network", seed)
    rig.fresh(seed)
    rig.to_ses.delay = 2.0
    campaign = rig.campaign(size)
    began = time.monotonic()
    rig.wait_for(campaign, size // 2, seconds=90)
    row.notes.append(f"{size // 2 / (time.monotonic() - began):.0f} mails/s at 2 s")
    rig.to_postgres.cut()
    row.kills += 1
    rig.to_ses.delay = 0.0
    rig.wait_for(campaign, size * 2 // 3, seconds=60)
    rig.to_ses.stalled = True
    row.kills += 1
    time.sleep(READ_TIMEOUT + 2)
    open_claims = rig.one(
        "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s AND state = 'sending' "
        "AND changed_at < clock_timestamp() - make_interval(secs => %s)",
        campaign,
        LEASE_SECONDS + READ_TIMEOUT + 5,
    )
    if open_claims:
        row.violations.append(f"F27: {open_claims} rows hang on a half-open connection.")
    rig.to_ses.heal()
    _end_hold(rig, 0)
    _finish(rig, row, campaign, size)
    return row


def _finish(rig: Rig, row: Row, campaign: int, size: int) -> None:
    rig.drain(campaign, seconds=150)
    rig.resend_held(row, campaign)
    rig.judge(row, campaign, size)


def _end_hold(rig: Rig, outage: float) -> None:
    """The small rows do not wait for the 15 s that the breaker holds."""
    if outage < 15:
        time.sleep(0.5)
        rig.database.execute("UPDATE mailinglist_sendbudget SET refilled_at = clock_timestamp(), factor = 1")


def _attempts(rig: Rig, campaign: int, where: str) -> int:
    return int(
        rig.one(
            "SELECT count(*) FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id "
            f"WHERE d.campaign_id = %s AND {where}",
            campaign,
        )
    )
