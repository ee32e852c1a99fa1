"""The rows of the fault matrix at their sizes: small for every test run, quick, and full for a release."""

from collections.abc import Callable
from functools import partial

from tests.faults.rig import Rig
from tests.faults.rows import amazon, clocks, crashes, memory, people, stores
from tests.faults.table import Row

#: (rig, seed) → the row, judged.
Run = Callable[[Rig, int], Row]


def _row(function: Callable[..., Row], size: int, **more: object) -> Run:
    return lambda rig, seed: partial(function, **more)(rig, size, seed)


#: Some seconds each.
SMALL: dict[str, Run] = {
    "kills": _row(crashes.kills, 120, times=5),
    "failpoints": _row(crashes.failpoints, 45, names=("after-claim", "answer-arrived", "before-write-back")),
    "zombie": _row(crashes.zombie, 48),
    "sigterm": _row(crashes.sigterm, 80, times=1),
    "lost-response": _row(amazon.lost_response, 60),
    "errors-500": _row(amazon.errors_500, 60, outage=2),
    "throttling": _row(amazon.throttling, 40, slow=4),
    "quota": _row(amazon.quota, 40),
    "stopped": _row(amazon.stopped, 60),
    "poison": _row(amazon.poison, 40),
    "slow-network": _row(amazon.slow_network, 12),
    "postgres": _row(stores.postgres, 75, times=1),
    "webhook-without-database": _row(stores.webhook_without_database, 20),
    "broker": _row(stores.broker, 72, times=1),
    "repeated-messages": _row(stores.repeated_messages, 40),
    "webhook-crashes": _row(stores.webhook_crashes, 45, times=1),
    "skewed": _row(clocks.skewed, 45),
    "ahead-only": _row(clocks.ahead_only, 20),
    "schedulers": _row(clocks.schedulers, 40),
    "everybody-clicks": _row(people.everybody_clicks, 150, threads=4, seconds=1),
    "leaving": _row(people.leaving, 90, people=20),
    "edited": _row(people.edited, 48),
    "large": _row(memory.large, 100),
}
#: At least 2,000 recipients, 5 kills and every failpoint, in under ten minutes.
QUICK: dict[str, Run] = {
    "kills": _row(crashes.kills, 2000, times=5),
    "kills-resend": _row(crashes.kills, 300, times=2, policy="resend"),
    "failpoints": _row(crashes.failpoints, 400),
    "zombie": _row(crashes.zombie, 200),
    "sigterm": _row(crashes.sigterm, 300),
    "lost-response": _row(amazon.lost_response, 200),
    "errors-500": _row(amazon.errors_500, 200),
    "stopped": _row(amazon.stopped, 200),
    "poison": _row(amazon.poison, 60),
    "postgres": _row(stores.postgres, 400, times=2),
    "broker": _row(stores.broker, 400, times=1),
    "repeated-messages": _row(stores.repeated_messages, 200),
    "webhook-crashes": _row(stores.webhook_crashes, 200),
    "ahead-only": _row(clocks.ahead_only, 100),
    "schedulers": _row(clocks.schedulers, 150),
    "everybody-clicks": _row(people.everybody_clicks, 300),
    "leaving": _row(people.leaving, 300),
}
#: The figures of the matrix, as far as one machine carries them.
FULL: dict[str, Run] = {
    "kills": _row(crashes.kills, 20_000, times=30),
    "kills-resend": _row(crashes.kills, 5_000, times=10, policy="resend"),
    "failpoints": _row(crashes.failpoints, 2_000),
    "zombie": _row(crashes.zombie, 1_000),
    "sigterm": _row(crashes.sigterm, 2_000, times=10),
    "lost-response": _row(amazon.lost_response, 1_000, outage=20),
    "errors-500": _row(amazon.errors_500, 1_000, outage=20),
    "throttling": _row(amazon.throttling, 1_700, slow=140),
    "quota": _row(amazon.quota, 1_000, window=30),
    "stopped": _row(
        amazon.stopped, 1_000, switches=("sending_paused", "account_suspended", "from_not_verified")
    ),
    "poison": _row(amazon.poison, 200),
    "slow-network": _row(amazon.slow_network, 200),
    "postgres": _row(stores.postgres, 3_000, times=5, down=60),
    "webhook-without-database": _row(stores.webhook_without_database, 300, down=10),
    "broker": _row(stores.broker, 3_000, times=3, down=20),
    "repeated-messages": _row(stores.repeated_messages, 1_000),
    "webhook-crashes": _row(stores.webhook_crashes, 1_000, times=5),
    "skewed": _row(clocks.skewed, 500),
    "ahead-only": _row(clocks.ahead_only, 500),
    "schedulers": _row(clocks.schedulers, 1_000),
    "everybody-clicks": _row(people.everybody_clicks, 2_000, threads=20, seconds=60),
    "edited": _row(people.edited, 500),
    "leaving": _row(people.leaving, 2_000, people=300),
    "large": _row(memory.large, 2_000, body_bytes=1_000_000),
}
