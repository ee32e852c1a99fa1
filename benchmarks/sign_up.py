"""``python -m benchmarks.sign_up``: how long a sign-up waits for its answer at 100 a second, and how many a second go.

Everybody is new and let through: the row of the person, the consent as evidence and the confirmation mail are stored
before the answer, by PostgreSQL that waits for its disk. Granian serves the form as script/start does; each visitor has
a network and a mail domain of their own, and only the limit of the one form is raised. At the fixed pace a wait counts
from the moment at which the form was to be sent. The sender of the forms runs on the same cores as the server, and with
``--mails`` the worker too that sends every confirmation mail meanwhile, to a local SES.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import quantiles

import aiohttp

from benchmarks import meter
from benchmarks.webhook import Place, a_place
from script import processes, project, services
from script.environment import PROJECT, PYTHON

CONNECTIONS, PACE, TARGET_MS = 64, 100, 80
_FORM = "/lists/benchmark/subscribe"
_LIMITS = dict.fromkeys(
    ("SIGNUP_PER_FORM", "SIGNUP_CAPTCHA_FROM", "SIGNUP_CLOSE_FROM", "SIGNUP_PER_DOMAIN"), "1000000"
)
_LIST = (
    "from mailinglist.models import MailingList as L; "
    "L.objects.create(slug='benchmark', name='Benchmark', from_email='news@example.com', is_public=True)"
)
_COUNT = "from mailinglist.models import Delivery as D; print(D.objects.filter(purpose=D.Purpose.CONFIRMATION).count())"

_SENT = _COUNT.replace("purpose=D.Purpose.CONFIRMATION", "state=D.State.SENT")
_SES_LATENCY_MS = 40


@dataclass(frozen=True, slots=True)
class Run:
    """``rate``: answers a second; waits in milliseconds; ``server_us``: processor time of the server per sign-up."""

    rate: float
    p50: float
    p95: float
    p99: float
    server_us: float
    failed: int


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sign_up",
        description="Measure the sign-up form with new people who are let through.",
    )
    parser.add_argument("--people", type=int, default=2000, metavar="N", help="of the flat-out run (2000)")
    parser.add_argument("--seconds", type=int, default=30, metavar="N", help=f"at {PACE}/s (30)")
    parser.add_argument("--mails", action="store_true", help="send the confirmation mails meanwhile")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    given = parser.parse_args()
    with a_place() as place:
        # Visitors' addresses are read from X-Forwarded-For, or all would be this machine, which has no limit.
        place.environment |= _LIMITS | {"SIGNUP_MIN_SECONDS": "0", "BEHIND_TLS_PROXY": "1"}
        server = place.ours()
        _shell(place, _LIST)
        with _mails_leave(place) if given.mails else nullcontext():
            asyncio.run(_run(server, "warm", 100, 0))
            paced = asyncio.run(_run(server, "paced", PACE * given.seconds, PACE))
        sent = int(_shell(place, _SENT).split()[-1])
        flat = asyncio.run(_run(server, "flat", given.people, 0))
        stored = int(_shell(place, _COUNT).split()[-1])
    figures = {
        f"p50_ms_at_{PACE}": round(paced.p50, 1),
        f"p95_ms_at_{PACE}": round(paced.p95, 1),
        f"p99_ms_at_{PACE}": round(paced.p99, 1),
        "sign_ups_per_second": round(flat.rate),
        "server_us_per_sign_up": round(paced.server_us),
        "failed": paced.failed + flat.failed,
        "answered_302": 100 + PACE * given.seconds + given.people - paced.failed - flat.failed,
        "stored": stored,
    } | ({"mails_sent_meanwhile": sent} if given.mails else {})
    print(json.dumps(figures) if given.json else "\n".join(f"{name:24} {figures[name]}" for name in figures))
    return 0 if paced.p95 < TARGET_MS and stored == figures["answered_302"] else 1


def _shell(place: Place, code: str) -> str:
    return project.manage("shell", "-v", "0", "-c", code, environment=place.environment)


@contextmanager
def _mails_leave(place: Place) -> Iterator[None]:
    """The worker of script/start sends meanwhile."""
    ses = subprocess.Popen(
        [str(PYTHON), "-m", "benchmarks.local_ses", "--latency-ms", str(_SES_LATENCY_MS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, start_new_session=True,
    )  # fmt: skip
    assert ses.stdout is not None
    to_ses = {"SES_ENDPOINT_URL": f"http://127.0.0.1:{int(ses.stdout.readline())}"}
    worker = services.worker("celery", var=place.var, environment=place.environment | to_ses)
    worker.start()
    try:
        yield
    finally:
        for child in (worker.child, ses):
            if child is not None:
                processes.kill_group(child)  # type: ignore[arg-type]


async def _run(server: tuple[int, int], run: str, people: int, pace: float) -> Run:
    port, pid = server
    address = f"http://127.0.0.1:{port}{_FORM}"
    waits: list[float] = []
    failed = 0
    numbers = iter(range(people))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as session:
        async with session.get(address) as page:
            hidden = dict(
                re.findall(r'name="(csrfmiddlewaretoken|stamp)"\s+value="([^"]+)"', await page.text())
            )
        before, begun = meter.processor_seconds(pid) or 0.0, time.monotonic()

        async def send() -> None:
            nonlocal failed
            for number in numbers:
                due = begun + number / pace if pace else time.monotonic()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                fields = hidden | {"email": f"{run}.{number}@{run}-{number}.example", "name": "Ada Lovelace"}
                headers = {"X-Forwarded-For": f"10.{number >> 8 & 255}.{number & 255}.{len(run)}"}
                async with session.post(
                    address, data=fields, headers=headers, allow_redirects=False
                ) as answer:
                    await answer.read()
                    failed += answer.status != 302
                waits.append(time.monotonic() - due)

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    took = time.monotonic() - begun
    spent = (meter.processor_seconds(pid) or 0.0) - before
    cuts = quantiles(waits, n=100)
    return Run(people / took, cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000, spent / people * 1e6, failed)


if __name__ == "__main__":
    sys.exit(main())
