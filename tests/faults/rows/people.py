"""F21 to F23: people who pause, cancel, edit and unsubscribe while a campaign is being sent."""

import random
import threading
import time

from tests.faults import checker
from tests.faults.programs import CommandFailed
from tests.faults.rig import IN_HAND, Rig, wait
from tests.faults.table import Row

RUNS = 4


def everybody_clicks(rig: Rig, size: int, seed: int, *, threads: int = 6, seconds: float = 5) -> Row:
    """F21: many managers start, pause and resume at random; then a pause that holds, a resume, and a cancel."""
    row = Row("F21", "pause, resume, cancel", seed)
    rig.fresh(seed)
    # Slow enough that something is left to be paused and cancelled after all the clicks.
    rig.ses.config(max_send_rate=size / (2 * (seconds + 10)))
    campaign = rig.campaign(size, start=False)
    end = time.monotonic() + seconds
    unexpected: list[str] = []

    def click(number: int) -> None:
        chosen = random.Random(seed * 100 + number)
        while time.monotonic() < end:
            try:
                rig.manager.ask(chosen.choice(["start", "pause", "resume", "resume"]), campaign=campaign)
            except CommandFailed as error:
                unexpected.append(str(error))
            time.sleep(chosen.uniform(0, 0.2))

    clickers = [threading.Thread(target=click, args=[number]) for number in range(threads)]
    for one in clickers:
        one.start()
    for one in clickers:
        one.join()
    if unexpected:
        row.violations.append(f"F21: {len(unexpected)} clicks failed, such as {unexpected[0]}")
    rig.manager.ask("resume", campaign=campaign)
    rig.wait_for(campaign, rig.posted(campaign) + min(10, size // 20))
    rig.manager.ask("pause", campaign=campaign)
    before = rig.posted(campaign)
    time.sleep(1.5)
    quiet = rig.posted(campaign)
    time.sleep(1.5)
    if quiet - before > RUNS * IN_HAND or rig.posted(campaign) != quiet:
        row.violations.append(f"F21: {rig.posted(campaign) - before} mails after a pause.")
    rig.manager.ask("resume", campaign=campaign)
    rig.wait_for(campaign, quiet + min(10, size // 20))
    rig.manager.ask("cancel", campaign=campaign)
    before = rig.posted(campaign)
    time.sleep(2)
    quiet = rig.posted(campaign)
    rig.manager.ask("ring", campaign=campaign, times=2)
    time.sleep(1)
    if quiet - before > RUNS * IN_HAND or rig.posted(campaign) != quiet:
        row.violations.append(f"F21: {rig.posted(campaign) - before} mails after a cancel.")
    rig.drain(campaign)
    rig.settle_events(campaign)
    found = rig.judge(row, campaign, size)
    if not found.by_state.get("cancelled"):
        row.violations.append("F21: nothing was left to cancel; the campaign is too small.")
    return row


def edited(rig: Rig, size: int, seed: int) -> Row:
    """F22: the subject is changed while the campaign is being sent."""
    row = Row("F22", "edited while sending", seed)
    rig.fresh(seed)
    campaign = rig.campaign(size)
    rig.wait_for(campaign, size // 4)
    if rig.manager.ask("edit", campaign=campaign, subject="Changed"):
        row.violations.append("F22: a campaign that is being sent may be edited.")
    rig.kill_worker()
    row.kills += 1
    rig.drain(campaign)
    rig.resend_held(row, campaign)
    rig.judge(row, campaign, size)
    if len(subjects := {mail.subject for mail in checker.read_ledger(rig.ledger, campaign)}) != 1:
        row.violations.append(f"F22: mails of one campaign with the subjects {sorted(subjects)}.")
    return row


def leaving(rig: Rig, size: int, seed: int, *, people: int = 40) -> Row:
    """F23: people unsubscribe at random while they are being mailed to."""
    row = Row("F23", "unsubscribed while sending", seed)
    rig.fresh(seed)
    rig.ses.config(max_send_rate=size / 6)
    campaign = rig.campaign(size)
    emails = [
        email
        for (email,) in rig.database.execute(
            "SELECT s.email FROM mailinglist_delivery d JOIN mailinglist_subscriber s ON s.id = d.subscriber_id "
            "WHERE d.campaign_id = %s",
            [campaign],
        ).fetchall()
    ]
    left: dict[str, str] = {}
    for email in rig.random.sample(emails, people):
        left[email] = rig.manager.ask("unsubscribe", email=email)
        time.sleep(rig.random.uniform(0, 8 / people))
    rig.drain(campaign)
    rig.settle_events(campaign)
    found = rig.judge(row, campaign, size)
    row.violations += checker.unwanted(rig.database, rig.ledger, campaign, left)
    row.notes.append(f"{found.by_state.get('skipped', 0)} of {people} left in time")
    if not found.by_state.get("skipped"):
        row.violations.append("F23: nobody left before their mail; the row says nothing.")
    wait(lambda: rig.status(campaign) == "finished", 20, "the end of the campaign")
    return row
