"""The invariants of the fault matrix, from SQL and the ledger of the local SES alone: no code of the app runs here.

The ledger says what left; the rows say what the app believes. Where the two disagree, the app is wrong.

- I1 every recipient of the snapshot is there once, in exactly one state; after the end none is on its way
- I2 whoever is accepted is in the ledger; everybody else has a named reason
- I3 a second copy only for a delivery that was openly in doubt before; never two POSTs for one attempt, never a mail
  without a committed claim
- I4 nobody whose unsubscribe was committed before the claim
- I5 every event that was answered with 200 is in the event table
- I6 no second sees more than the account's rate, no window more than its quota
"""

import bisect
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

STATES = {
    "queued", "sending", "sent", "unknown", "waiting", "delivered", "bounced", "complained", "failed", "skipped",
    "expired", "cancelled",
}  # fmt: skip
#: What has to have left at least once.
ACCEPTED = {"sent", "delivered", "bounced", "complained", "waiting"}
#: What may end without having left; each names a reason.
NAMED = {"failed", "skipped", "expired", "cancelled", "unknown"}
ON_ITS_WAY = {"queued", "sending"}
#: An attempt that came back like this may be followed by another one.
CAME_BACK = {"soft", "block", "hard", "unknown"}


@dataclass
class Findings:
    """What was counted for one campaign, and every violation as a sentence that begins with its invariant."""

    recipients: int = 0
    #: Mails of the campaign in the ledger.
    accepted: int = 0
    lost: int = 0
    #: Copies in the ledger beyond the first, for one address.
    duplicates: int = 0
    unexplained: int = 0
    unknown: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mail:
    """One line of the ledger."""

    delivery: int
    attempt: int
    message_id: str
    recipient: str
    at: float
    subject: str


def read_ledger(path: Path, campaign: int) -> list[Mail]:
    """The campaign's mails in the order of acceptance."""
    found = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line) if line.endswith("\n") else {}
            if entry.get("campaign") == str(campaign):
                delivery, attempt = entry["delivery"].split("-")[:2]
                at = datetime.fromisoformat(entry["at"]).timestamp()
                found.append(
                    Mail(
                        int(delivery),
                        int(attempt),
                        entry["message_id"],
                        entry["recipient"].lower(),
                        at,
                        entry["subject"],
                    )
                )
    return found


def check(
    database: psycopg.Connection[Any], ledger: Path, campaign: int, *, recipients: int, drained: bool = True
) -> Findings:
    """I1–I3 for one campaign that was started for so many people."""
    found = Findings()
    mails = read_ledger(ledger, campaign)
    rows = database.execute(
        "SELECT d.id, d.subscriber_id, d.state, d.reason, lower(s.email) FROM mailinglist_delivery d "
        "JOIN mailinglist_subscriber s ON s.id = d.subscriber_id WHERE d.campaign_id = %s",
        [campaign],
    ).fetchall()
    attempts: dict[int, dict[int, tuple[Any, ...]]] = defaultdict(dict)
    for delivery, number, *rest in database.execute(
        "SELECT a.delivery_id, a.number, a.result, a.message_id, a.possible_duplicate, a.verdict "
        "FROM mailinglist_attempt a JOIN mailinglist_delivery d ON d.id = a.delivery_id WHERE d.campaign_id = %s",
        [campaign],
    ).fetchall():
        attempts[delivery][number] = tuple(rest)
    found.recipients, found.accepted = len(rows), len(mails)
    found.by_state = dict(Counter(row[2] for row in rows))
    found.unknown = found.by_state.get("unknown", 0)
    _identity(found, rows, recipients, drained)
    _no_loss(found, rows, attempts, mails)
    _no_duplicate(found, attempts, mails)
    return found


def _identity(found: Findings, rows: list[tuple[Any, ...]], recipients: int, drained: bool) -> None:
    people = Counter(row[1] for row in rows)
    twice = [person for person, times in people.items() if times > 1]
    if twice:
        found.violations.append(f"I1: {len(twice)} people are in the campaign more than once.")
    if len(people) != recipients:
        found.violations.append(f"I1: {len(people)} people in the snapshot instead of {recipients}.")
    if strange := {row[2] for row in rows} - STATES:
        found.violations.append(f"I1: states that nobody knows: {sorted(strange)}.")
    stuck = [row for row in rows if row[2] in ON_ITS_WAY]
    if drained and stuck:
        found.violations.append(f"I1: {len(stuck)} deliveries are still {sorted({row[2] for row in stuck})}.")


def _no_loss(
    found: Findings,
    rows: list[tuple[Any, ...]],
    attempts: Mapping[int, Mapping[int, tuple[Any, ...]]],
    mails: list[Mail],
) -> None:
    reached = {mail.recipient for mail in mails}
    left = {mail.message_id for mail in mails}
    invented = [
        message_id
        for of in attempts.values()
        for result, message_id, *_ in of.values()
        if result == "accepted" and message_id not in left
    ]
    gone = [row for row in rows if row[2] in ACCEPTED and row[4] not in reached]
    nameless = [row for row in rows if row[2] in NAMED and not row[3]]
    found.lost = len(gone) + len(nameless)
    if invented:
        found.violations.append(f"I2: {len(invented)} attempts are accepted that the ledger does not know.")
    if gone:
        found.violations.append(f"I2: {len(gone)} people count as mailed and got nothing.")
    if nameless:
        found.violations.append(f"I2: {len(nameless)} people got nothing and no reason says why.")


def _no_duplicate(
    found: Findings, attempts: Mapping[int, Mapping[int, tuple[Any, ...]]], mails: list[Mail]
) -> None:
    by_person: dict[str, list[Mail]] = defaultdict(list)
    for mail in mails:
        by_person[mail.recipient].append(mail)
    for copies in by_person.values():
        found.duplicates += len(copies) - 1
        for earlier, later in pairwise(copies):
            if not _is_explained(earlier, later, attempts):
                found.unexplained += 1
    posts = Counter((mail.delivery, mail.attempt) for mail in mails)
    twice = sum(times > 1 for times in posts.values())
    unclaimed = sum(number not in attempts.get(delivery, {}) for delivery, number in posts)
    if found.unexplained:
        found.violations.append(f"I3: {found.unexplained} copies of a mail that nothing explains.")
    if twice:
        found.violations.append(f"I3: {twice} attempts were posted more than once.")
    if unclaimed:
        found.violations.append(f"I3: {unclaimed} mails left without a committed claim.")


def _is_explained(earlier: Mail, later: Mail, attempts: Mapping[int, Mapping[int, tuple[Any, ...]]]) -> bool:
    """The later attempt says openly that it may be a copy, or the earlier mail had come back."""
    if earlier.delivery != later.delivery or earlier.attempt == later.attempt:
        return False
    first, second = (attempts[earlier.delivery].get(mail.attempt) for mail in (earlier, later))
    if first is None or second is None:
        return False
    return bool(second[2]) or first[3] in CAME_BACK


def unwanted(
    database: psycopg.Connection[Any], ledger: Path, campaign: int, left: Mapping[str, str]
) -> list[str]:
    """I4. ``left``: address → the database's time after the commit of its unsubscribe."""
    claimed = {
        (delivery, number): at
        for delivery, number, at in database.execute(
            "SELECT a.delivery_id, a.number, a.started_at FROM mailinglist_attempt a "
            "JOIN mailinglist_delivery d ON d.id = a.delivery_id WHERE d.campaign_id = %s",
            [campaign],
        ).fetchall()
    }
    times = {email: datetime.fromisoformat(at) for email, at in left.items()}
    wrong = [
        mail.recipient
        for mail in read_ledger(ledger, campaign)
        if mail.recipient in times
        and claimed.get((mail.delivery, mail.attempt), times[mail.recipient]) >= times[mail.recipient]
    ]
    return [f"I4: {len(wrong)} people were mailed after they had left."] if wrong else []


def events(database: psycopg.Connection[Any], ledger: Path, campaign: int) -> list[str]:
    """I5, when the local SES has no event left to push: each mail's Send and Delivery are in the event table."""
    stored = {
        (message_id, kind)
        for message_id, kind in database.execute(
            "SELECT message_id, kind FROM bounces_event WHERE kind IN ('send', 'delivery')"
        ).fetchall()
    }
    mails = read_ledger(ledger, campaign)
    missing = sum((mail.message_id, kind) not in stored for mail in mails for kind in ("send", "delivery"))
    return [f"I5: {missing} events were answered with 200 and are not there."] if missing else []


def rate(ledger: Path, campaign: int, per_second: float) -> list[str]:
    """I6: no sliding second of the ledger holds over 10 % more than the rate (and one mail, of a low rate)."""
    times = sorted(mail.at for mail in read_ledger(ledger, campaign))
    busiest = max((bisect.bisect_left(times, at + 1.0) - i for i, at in enumerate(times)), default=0)
    allowed = per_second * 1.1 + 1
    return [f"I6: {busiest} mails in one second, allowed are {allowed:g}."] if busiest > allowed else []
