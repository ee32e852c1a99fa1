"""``python -m benchmarks.sign_up``: how long a sign-up waits for its answer at 100 a second, and how many a second go.

Everybody is new and let through: the row of the person, the consent as evidence and the confirmation mail are stored
before the answer, by PostgreSQL that waits for its disk. Granian serves the form as script/start does; each visitor has
a network and a mail domain of their own, and only the limit of the one form is raised. At the fixed pace a wait counts
from the moment at which the form was to be sent. The sender runs on the same cores as the server.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass
from statistics import quantiles

import aiohttp

from benchmarks import meter
from benchmarks.webhook import Place, a_place
from script import project

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
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    given = parser.parse_args()
    with a_place() as place:
        # Visitors' addresses are read from X-Forwarded-For, or all would be this machine, which has no limit.
        place.environment |= _LIMITS | {"SIGNUP_MIN_SECONDS": "0", "BEHIND_TLS_PROXY": "1"}
        server = place.ours()
        _shell(place, _LIST)
        asyncio.run(_run(server, "warm", 100, 0))
        paced = asyncio.run(_run(server, "paced", PACE * given.seconds, PACE))
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
    }
    print(json.dumps(figures) if given.json else "\n".join(f"{name:24} {figures[name]}" for name in figures))
    return 0 if paced.p95 < TARGET_MS and stored == figures["answered_302"] else 1


def _shell(place: Place, code: str) -> str:
    return project.manage("shell", "-v", "0", "-c", code, environment=place.environment)


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
