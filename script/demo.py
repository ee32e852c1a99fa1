"""``script/start --demo``: one campaign through the local SES, watched to its end and compared with the ledger.

The report is the application's own account; the ledger is the local SES's. The demo is good when every recipient
is in a final state, both name the same number of mails, and nobody got a second copy of a mail that had arrived.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from script import processes, project, services
from script.errors import StartError

#: Days become seconds, so that a retry after four days happens while somebody looks. Sending and sweeping do not
#: become faster with them, so the window for retries is wider than it would be.
ENVIRONMENT = {
    "DAY_SECONDS": "2",
    # The local SES counts no calls of its suppression list, and a retry follows a block within seconds.
    "SUPPRESSION_SYNC_PAUSE": "0.05",
    "RETRY_WINDOW_DAYS": "60",
    "SWEEP_SECONDS": "1",
    "UNKNOWN_GRACE_SECONDS": "10",
    # The made-up people bounce and complain far above what Amazon SES would bear; the demo is about that.
    "GUARD_BOUNCE_SLOW": "1",
    "GUARD_BOUNCE_PAUSE": "1",
    "GUARD_COMPLAINT_SLOW": "1",
    "GUARD_COMPLAINT_PAUSE": "1",
}
LOCAL_SES = {"max_send_rate": 200}
_LOOK_SECONDS = 3.0
#: The demo is given up when nothing has changed for so long.
_STILL_SECONDS = 60.0
#: Rules of the local SES (sandbox/outcomes.py) whose mails arrive.
_ARRIVES = ("success", "ooto", "complaint", "notspam")

Report = dict[str, Any]


def run(
    recipients: int,
    *,
    ses_url: str,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    look: Callable[[], None],
) -> tuple[Report, list[str]]:
    """Load, send and watch; the report of the campaign and what is wrong with it (nothing when it is good).

    ``say`` gets what happens in sentences; ``look`` is called all the while (the supervisor's). Raises StartError
    when a step cannot be done, Stopping.
    """
    say(f"Loading {recipients} made-up people …")
    loaded = project.manage_json("load_demo", "--recipients", str(recipients), environment=environment)
    campaign = loaded["campaign"]
    if not processes.wait_until(lambda: _is_confirmed(ses_url), 30, every=0.2):
        raise StartError("The webhook did not confirm the SNS subscription. Look into var/log/web.log.")
    say(f"Sending campaign {campaign}; a day takes {environment['DAY_SECONDS']} s …")
    project.manage("send_campaign", str(campaign), environment=environment)
    report = _watch(campaign, environment=environment, say=say, look=look)
    entries = _ledger(ses_url, campaign)
    return {**report, "campaign": campaign, "ledger": len(entries)}, problems(report, entries)


def problems(report: Report, entries: list[dict[str, Any]]) -> list[str]:
    """What the report and the ledger's lines of the same campaign say against each other, in sentences."""
    found = []
    if report["open"]:
        found.append(f"{report['open']} recipients are in no final state.")
    if report["accepted"] != len(entries):
        found.append(f"The report names {report['accepted']} accepted mails, the local SES {len(entries)}.")
    if report["duplicates"]:
        found.append(f"The report names {report['duplicates']} duplicates.")
    rules = defaultdict(list)
    for entry in entries:
        rules[entry["recipient"].lower()].append(entry["rule"])
    again = sorted(recipient for recipient, of in rules.items() if set(of[:-1]) & set(_ARRIVES))
    if again:
        found.append(f"A mail that had arrived was sent again to {', '.join(again[:5])}.")
    return found


def table(report: Report) -> str:
    """The report for people."""
    states = ((count, state) for state, count in report["by_state"].items() if count)
    lines = [f"Campaign {report['campaign']}: {report['recipients']} recipients"]
    lines += [f"  {count:6} {state}" for count, state in states]
    names = ("attempts", "accepted", "ledger", "duplicates", "hard", "soft", "block", "complaints", "retried")
    lines += [", ".join(f"{name} {report[name]}" for name in (*names, "recovered"))]
    return "\n".join(lines)


def _watch(
    campaign: int,
    *,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    look: Callable[[], None],
) -> Report:
    last: Counter[str] = Counter()
    changed = time.monotonic()
    while True:
        report = project.manage_json("campaign_report", str(campaign), environment=environment)
        by_state = Counter({state: count for state, count in report["by_state"].items() if count})
        if by_state != last:
            say("  " + " · ".join(f"{state} {count}" for state, count in by_state.items()))
            last, changed = by_state, time.monotonic()
        if report["final"] or time.monotonic() - changed > _STILL_SECONDS:
            return report
        end = time.monotonic() + _LOOK_SECONDS
        while time.monotonic() < end:
            look()
            if processes.stopping.wait(0.2):
                raise processes.Stopping


def _is_confirmed(ses_url: str) -> bool:
    health = services.get(f"{ses_url}/_sandbox/health")
    return bool(health and json.loads(health)["confirmed"])


def _ledger(ses_url: str, campaign: int) -> list[dict[str, Any]]:
    """The local SES's lines about this campaign."""
    lines = services.get(f"{ses_url}/_sandbox/ledger")
    if lines is None:
        raise StartError("The local SES does not show its ledger. Look into var/log/sandbox.log.")
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
    return [entry for entry in entries if entry["campaign"] == str(campaign)]
