"""F8 to F10 and F13: the database and the broker crash, go away, forget and repeat themselves; so does the web server."""

import time

from tests.faults.rig import SWEEP_SECONDS, Rig, fetch, wait
from tests.faults.table import Row


def postgres(rig: Rig, size: int, seed: int, *, times: int = 1, down: float = 2) -> Row:
    """F8: immediate shutdowns, connections that are cut, a COMMIT whose reply is lost."""
    row = Row("F8", "PostgreSQL", seed)
    rig.fresh(seed)
    campaign = rig.campaign(size)
    for number in range(times):
        rig.wait_for(campaign, int(size * (number + 0.5) / (times + 2)))
        rig.database.close()
        rig.servers.crash_postgres(down=down if number == 0 else 0)
        rig.database = rig.servers.connect()
        row.kills += 1
        row.recovery_s = max(row.recovery_s, _goes_on(rig, campaign))
    rig.to_postgres.cut()
    row.kills += 1
    rig.wait_for(campaign, int(size * (times + 0.7) / (times + 2)))
    swallowed = rig.to_postgres.dropped
    rig.to_postgres.drop_reply = lambda data: (
        b"COMMIT\x00" in data and rig.to_postgres.dropped < swallowed + 3
    )
    wait(
        lambda: rig.to_postgres.dropped > swallowed or rig.drained(campaign),
        30,
        "a COMMIT whose reply is lost",
    )
    row.kills += rig.to_postgres.dropped - swallowed
    _finish(rig, row, campaign, size)
    rig.to_postgres.drop_reply = None
    if row.recovery_s > 30:
        row.violations.append(f"F8: going on took {row.recovery_s:.1f} s.")
    return row


def webhook_without_database(rig: Rig, size: int, seed: int, *, down: float = 2) -> Row:
    """F8: while PostgreSQL is away the webhook never answers 200, and the events come later."""
    row = Row("F8", "webhook without a database", seed)
    rig.fresh(seed)
    rig.ses.config(pushes="hold")
    campaign = rig.campaign(size)
    rig.drain(campaign)
    rig.to_postgres.refuse = True
    rig.to_postgres.cut()
    row.kills += 1
    pushed = rig.ses.stats()["pushed"]
    rig.ses.release()
    time.sleep(down)
    if answered := rig.ses.stats()["pushed"] - pushed:
        row.violations.append(f"I5: {answered} events were answered with 200 while there was no database.")
    rig.to_postgres.heal()
    rig.settle_events(campaign)
    rig.judge(row, campaign, size)
    return row


def broker(rig: Rig, size: int, seed: int, *, times: int = 1, down: float = 3) -> Row:
    """F9: FLUSHALL, a crash that forgets all messages, the broker away; sign-ups go on all the while."""
    row = Row("F9", "broker", seed)
    rig.fresh(seed)
    campaign = rig.campaign(size)
    step = size // (2 * times + 2)
    at = 0
    for number in range(times):
        at += step
        rig.wait_for(campaign, at)
        rig.servers.flush_valkey()
        row.kills += 1
        row.recovery_s = max(row.recovery_s, _goes_on(rig, campaign))
        at += step
        rig.wait_for(campaign, at)
        rig.servers.crash_valkey(down=down)
        row.kills += 1
        row.recovery_s = max(row.recovery_s, _goes_on(rig, campaign))
        slug = rig.one("SELECT name FROM mailinglist_campaign WHERE id = %s", campaign)
        rig.to_valkey.refuse = True
        rig.to_valkey.cut()
        rig.manager.ask("subscribe", email=f"new{number}@{slug}.example.org", slug=slug)
        if (status := fetch(f"{rig.web_url}/")) != 200:
            row.violations.append(f"F9: the web server answers {status} while the broker is away.")
        time.sleep(down / 2)
        rig.to_valkey.heal()
    if died := sum(not one.alive for one in rig.workers):
        row.violations.append(f"F9: {died} workers died of a lost broker.")
    _finish(rig, row, campaign, size)
    if row.recovery_s > 60:
        row.violations.append(
            f"F9: going on took {row.recovery_s:.1f} s; the sweep comes every {SWEEP_SECONDS} s."
        )
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates because of a broker.")
    return row


def repeated_messages(rig: Rig, size: int, seed: int) -> Row:
    """F10: every message three times and more, also long after the campaign is over."""
    row = Row("F10", "repeated messages", seed)
    rig.fresh(seed)
    campaign = rig.campaign(size)
    for _ in range(5):
        rig.manager.ask("ring", campaign=campaign, times=3)
    rig.drain(campaign)
    rig.settle_events(campaign)
    sent = rig.posted(campaign)
    rig.manager.ask("ring", campaign=campaign, times=3)
    time.sleep(1.5)
    if (late := rig.posted(campaign) - sent) or row.duplicates:
        row.violations.append(f"F10: {late} mails by late messages.")
    rig.judge(row, campaign, size)
    if row.duplicates:
        row.violations.append(f"I3: {row.duplicates} duplicates.")
    return row


def webhook_crashes(rig: Rig, size: int, seed: int, *, times: int = 2) -> Row:
    """F13: the web server is killed and the database crashes while events pour in; SES repeats some of them."""
    row = Row("F13", "webhook durability", seed)
    rig.fresh(seed)
    rig.ses.config(pushes="hold", duplicates=0.2, reorder=100)
    campaign = rig.campaign(size)
    rig.drain(campaign)
    rig.ses.release()
    for number in range(times):
        target = _stored(rig) + max(5, size // (times + 2))
        wait(
            lambda most=target: _stored(rig) >= most or not rig.ses.pushes()["open"],
            30,
            "events at the webhook",
        )
        if number % 2 == 0 and rig.web is not None:
            rig.web.kill()
            rig.start_web()
        else:
            rig.database.close()
            rig.servers.crash_postgres()
            rig.database = rig.servers.connect()
        row.kills += 1
    rig.settle_events(campaign, seconds=60)
    rig.judge(row, campaign, size)
    return row


def _stored(rig: Rig) -> int:
    return int(rig.one("SELECT count(*) FROM bounces_notification"))


def _goes_on(rig: Rig, campaign: int) -> float:
    before = rig.posted(campaign)
    return wait(lambda: rig.posted(campaign) > before or rig.drained(campaign), 90, "going on")


def _finish(rig: Rig, row: Row, campaign: int, size: int) -> None:
    rig.drain(campaign, seconds=120)
    rig.resend_held(row, campaign)
    rig.judge(row, campaign, size)
