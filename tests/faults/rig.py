"""One rig: servers, local SES, proxies between them, the programs under test, and a campaign at a time.

Made once per session by ``running``; every row of the matrix begins with ``fresh`` and finds workers, scheduler and web
server as new. Nothing here imports the app.
"""

import itertools
import json
import os
import random
import re
import shutil
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT
from typing import Any

from sandbox.testing import TOPIC_ARN, RunningSandbox
from script import embedded
from tests.faults import checker, programs
from tests.faults.programs import Manager, Nursery, Program
from tests.faults.proxy import Proxy
from tests.faults.servers import Servers
from tests.faults.table import Row

SWEEP_SECONDS, LEASE_SECONDS, GRACE_SECONDS = 1, 5, 4
#: Rows in hand per run of the engine: W of the matrix.
IN_HAND = 8
BODY = "# Hello {{ name }}\n\nThe news of the week.\n"
#: Switches of the local SES at the beginning of each row: 20 to 200 ms per call, events soon after.
SES: dict[str, Any] = {
    "max_send_rate": 250.0, "quota": -1, "quota_window_seconds": 86400.0, "latency": [20, 200], "mix": {},
    "error_500_before": 0, "reset_before": 0, "error_500_after": 0, "reset_after": 0, "hang_after": 0,
    "hang_seconds": 6, "sending_paused": False, "account_suspended": False, "from_not_verified": False,
    "throttle_all": False, "told_send_rate": 0.0, "seed": 1, "pushes": "on", "duplicates": 0, "reorder": 0,
    "retry_seconds": 0.3,
    "delays": {kind: [5, 150] for kind in ("send", "delivery", "delay", "bounce", "complaint", "reject")},
}  # fmt: skip


class Rig:
    """``fill`` makes the tables, else the migrations do. ``random`` is seeded by the row's seed; ``workers`` are the
    living ones and those killed but not replaced.
    """

    def __init__(self, folder: Path, fill: Callable[[Path], None] | None = None) -> None:
        self.folder = folder
        self.random = random.Random(1)
        self.workers: list[Program] = []
        self.beats: list[Program] = []
        self._numbers = itertools.count(1)
        self._web_port = _free_port()
        self.web_url = f"http://127.0.0.1:{self._web_port}"
        self.servers = Servers(folder)
        self.servers.start()
        self.ses = RunningSandbox(
            _made(folder / "sandbox"),
            *(
                "--hook",
                f"{self.web_url}/hooks/ses/",
                "--topic",
                TOPIC_ARN,
                "--config",
                json.dumps(SES),
                "--confirmed",
            ),
        )
        self.ses.start()
        self.ledger = folder / "sandbox" / "ledger.jsonl"
        self._read_to = 0
        self._posted: Counter[int] = Counter()
        host, port = self.ses.url.removeprefix("http://").split(":")
        self.to_ses = Proxy((host, int(port)))
        self.to_postgres = Proxy(self.servers.postgres_socket)
        self.to_valkey = Proxy(self.servers.valkey_socket)
        self.nursery = Nursery(folder=folder, environment=self.environment())
        self.manager = Manager(folder=folder, environment=self.environment(direct=True))
        if fill is None:
            self.manager.ask("migrate")
        else:
            fill(folder)
        self.database = self.servers.connect()
        self.web: Program | None = None
        self._with: dict[str, str] = {}
        #: The campaign that was made last and its recipients: what is judged when a row ends with an error.
        self.last: tuple[int, int] | None = None

    def environment(self, *, direct: bool = False, **more: str) -> dict[str, str]:
        """What a program under test gets. ``direct``: past the proxies, for who acts for people."""
        kept = {
            name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")
        }
        through = (
            {}
            if direct
            else {"DATABASE_URL": f"postgres://mailinglist@127.0.0.1:{self.to_postgres.port}/mailinglist"}
        )
        broker = {} if direct else {"CELERY_BROKER_URL": f"redis://127.0.0.1:{self.to_valkey.port}/0"}
        return {
            **kept, **through, **broker,
            "PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "MAILINGLIST_MODE": "local",
            "MAILINGLIST_VAR": str(self.folder), "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "SES_ENDPOINT_URL": f"http://127.0.0.1:{self.to_ses.port}", "SNS_CERT_ORIGIN": self.ses.url,
            "SNS_ENDPOINT_URL": self.ses.url, "SNS_TRUST_ANCHOR": str(self.ses.ca_pem), "PUBLIC_URL": self.web_url,
            "SWEEP_SECONDS": str(SWEEP_SECONDS), "RIG_LEASE": str(LEASE_SECONDS), "RIG_GRACE": str(GRACE_SECONDS),
            "SEND_CONCURRENCY": str(IN_HAND), "LOG_LEVEL": "WARNING", **more,
        }  # fmt: skip

    # --- Programs ------------------------------------------------------------------------------------

    def fresh(self, seed: int, *, workers: int = 2, events: bool = True, **more: str) -> None:
        """Before a row: proxies healed, SES and pace as at first, so many workers with ``more`` in their
        environment, one scheduler, and a web server for the events.
        """
        self.random = random.Random(seed)
        self.last = None
        for proxy in (self.to_ses, self.to_postgres, self.to_valkey):
            proxy.heal()
        self.ses.config(**SES)
        self.database.execute(
            "UPDATE mailinglist_campaign SET status = 'cancelled' WHERE status IN ('scheduled', 'sending', 'paused')"
        )
        self.database.execute(
            "UPDATE mailinglist_delivery SET state = 'cancelled', reason = 'rig', lease_until = NULL "
            "WHERE state IN ('queued', 'sending')"
        )
        self.database.execute("DELETE FROM mailinglist_sendbudget")
        if more != self._with:
            self.end_workers()
        self._with = more
        self.workers = [one for one in self.workers if one.alive]
        while len(self.workers) > workers:
            self.workers.pop().kill()
        while len(self.workers) < workers:
            self.start_worker()
        self.beats = [one for one in self.beats if one.alive]
        while len(self.beats) > 1:
            self.beats.pop().kill()
        if not self.beats:
            self.start_beat()
        if events and (self.web is None or not self.web.alive):
            self.start_web()

    def start_worker(self, **more: str) -> Program:
        started = programs.worker(
            next(self._numbers),
            self.nursery,
            folder=self.folder,
            environment=self.environment(**{**self._with, **more}),
        )
        self.workers.append(started)
        return started

    def start_beat(self, **more: str) -> Program:
        started = programs.beat(
            next(self._numbers), self.nursery, folder=self.folder, environment=self.environment(**more)
        )
        self.beats.append(started)
        return started

    def start_web(self) -> None:
        self.web = programs.web(self._web_port, folder=self.folder, environment=self.environment())

    def kill_worker(self, *, replace: bool = True) -> None:
        """SIGKILL for one that is chosen at random; another one is started in its place."""
        victim = self.random.choice([one for one in self.workers if one.alive])
        victim.kill()
        self.workers.remove(victim)
        if replace:
            self.start_worker()

    def replace_dead(self) -> int:
        """Start a worker for each that died by itself (a failpoint); how many that were."""
        dead = [one for one in self.workers if not one.alive]
        for one in dead:
            one.kill()
            self.workers.remove(one)
            self.start_worker()
        return len(dead)

    def end_workers(self) -> None:
        for one in self.workers:
            one.kill()
        self.workers = []

    # --- A campaign ----------------------------------------------------------------------------------

    def campaign(self, recipients: int | list[str], *, body: str = BODY, start: bool = True) -> int:
        """A campaign for so many people of its own (or for these addresses); its id."""
        slug = f"rig{next(self._numbers)}"
        emails = (
            [f"p{i}@{slug}.example.org" for i in range(recipients)]
            if isinstance(recipients, int)
            else recipients
        )
        campaign = int(self.manager.ask("seed", emails=emails, slug=slug, body=body))
        self.last = (campaign, len(emails))
        if start:
            self.manager.ask("start", campaign=campaign)
        return campaign

    def one(self, sql: str, *values: Any) -> Any:
        row = self.database.execute(sql, values).fetchone()
        return row[0] if row else None

    def states(self, campaign: int) -> dict[str, int]:
        return dict(
            self.database.execute(
                "SELECT state, count(*) FROM mailinglist_delivery WHERE campaign_id = %s GROUP BY state",
                [campaign],
            ).fetchall()
        )

    def status(self, campaign: int) -> str:
        return str(self.one("SELECT status FROM mailinglist_campaign WHERE id = %s", campaign))

    def reason(self, campaign: int) -> str:
        return str(self.one("SELECT status_reason FROM mailinglist_campaign WHERE id = %s", campaign))

    def sent_in(self, window: float) -> int:
        """Mails of all campaigns in the last ``window`` seconds, as the local SES counts them."""
        self.ses.config(quota_window_seconds=window)
        with urllib.request.urlopen(f"{self.ses.url}/v2/email/account", timeout=5) as answer:
            return int(json.load(answer)["SendQuota"]["SentLast24Hours"])

    def posted(self, campaign: int) -> int:
        """Mails of the campaign in the ledger by now; reads only what is new there."""
        with self.ledger.open("rb") as lines:
            lines.seek(self._read_to)
            new = lines.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read_to += len(new)
        self._posted.update(int(found) for found in re.findall(rb'"campaign": "(\d+)"', new))
        return self._posted[campaign]

    def wait_for(self, campaign: int, mails: int, *, seconds: float = 60) -> None:
        """Until so many mails of the campaign left."""
        wait(lambda: self.posted(campaign) >= mails, seconds, f"{mails} mails of campaign {campaign}")

    def drained(self, campaign: int) -> bool:
        """Nothing is queued or on its way."""
        return not self.one(
            "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s AND state IN ('queued', 'sending')",
            campaign,
        )

    def drain(self, campaign: int, *, seconds: float = 90, replace: bool = True) -> float:
        """Wait until nothing is queued or on its way; the seconds that took. Says nothing when it never comes."""
        began = time.monotonic()
        while time.monotonic() - began < seconds and not self.drained(campaign):
            if replace:
                self.replace_dead()
            time.sleep(0.1)
        return time.monotonic() - began

    def settle_events(self, campaign: int, *, seconds: float = 90) -> None:
        """Until the local SES has pushed everything, all of it is processed, and what stays unknown is held."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            open_events = self.ses.pushes()["open"]
            waiting = self.one("SELECT count(*) FROM bounces_notification WHERE state = 'stored'")
            doubtful = self.one(
                "SELECT count(*) FROM mailinglist_delivery WHERE campaign_id = %s AND state = 'unknown' "
                "AND reason NOT IN ('held', 'poison')",
                campaign,
            )
            if not (open_events or waiting or doubtful):
                return
            time.sleep(0.1)

    def resend_held(self, row: Row, campaign: int) -> None:
        """The manager's click, when all events have come: what is still unknown was never accepted."""
        self.settle_events(campaign)
        sent = {mail.delivery for mail in checker.read_ledger(self.ledger, campaign)}
        held = self.database.execute(
            "SELECT id FROM mailinglist_delivery WHERE campaign_id = %s AND state = 'unknown'", [campaign]
        ).fetchall()
        if wrong := sum(delivery in sent for (delivery,) in held):
            row.violations.append(f"I5: {wrong} deliveries stayed unknown although SES had told of them.")
        row.held += int(self.manager.ask("resend_held", campaign=campaign))
        self.drain(campaign)
        self.settle_events(campaign)

    def judge(
        self, row: Row, campaign: int, recipients: int, *, drained: bool = True, events: bool = True
    ) -> checker.Findings:
        """The invariants that hold for every row, added to it."""
        found = checker.check(self.database, self.ledger, campaign, recipients=recipients, drained=drained)
        row.recipients += found.recipients
        row.accepted += found.accepted
        row.lost += found.lost
        row.duplicates += found.duplicates
        row.unexplained += found.unexplained
        row.unknown += found.unknown
        row.violations += found.violations
        if events:
            row.violations += checker.events(self.database, self.ledger, campaign)
        return found

    def stop(self) -> None:
        for one in [*self.workers, *self.beats, *([self.web] if self.web else [])]:
            if one.alive:
                one.signal(SIGCONT)
            one.kill()
        self.nursery.end()
        self.manager.end()
        self.database.close()
        for proxy in (self.to_ses, self.to_postgres, self.to_valkey):
            proxy.close()
        self.ses.stop()
        self.servers.stop()


@contextmanager
def running(*, keep: bool = False, fill: Callable[[Path], None] | None = None) -> Iterator[Rig]:
    """A rig in a folder of its own. ``keep``: ledger and logs stay for inspection, the databases do not."""
    folder = Path(tempfile.mkdtemp(prefix="mailinglist-faults-"))
    rig = Rig(folder, fill)
    try:
        yield rig
    finally:
        rig.stop()
        shutil.rmtree(embedded.socket_dir(folder), ignore_errors=True)
        for part in [folder] if not keep else [folder / "postgres", folder / "valkey"]:
            shutil.rmtree(part, ignore_errors=True)


def wait(true: Callable[[], object], seconds: float, what: str, *, every: float = 0.05) -> float:
    """The seconds until ``true()``; raises AssertionError with ``what`` did not come."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"After {seconds:g} s: {what} did not come.")
        time.sleep(every)
    return time.monotonic() - began


def fetch(
    url: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None, timeout: float = 5
) -> int:
    """The status of a request; 0 when there was no answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=data, headers=dict(headers or {}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
