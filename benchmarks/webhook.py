"""``python -m benchmarks.webhook``: notifications a second that the webhook takes, and how long each waits at 200/s.

Granian serves it as script/start does, with PostgreSQL that waits for its disk and the broker beside it; django-ses's
own view, which stores nothing, stands beside it. Messages are signed as SNS signs them (SignatureVersion 1), sent over
16 connections; at a fixed pace a wait counts from the moment at which the message was to be sent. The sender runs on
the same cores as the server: the absolutes are low, read the ratios.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import quantiles

import aiohttp

from benchmarks import meter
from sandbox import signing
from script import embedded, environment, processes, project, services
from script.postgres import Postgres
from script.valkey import Valkey

TOPIC = "arn:aws:sns:us-east-1:123456789012:ses-events"
PEER_CERT_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"
CONNECTIONS, PACE = 16, 200
TARGET_RATE, TARGET_MS = 500, 100


@dataclass(frozen=True, slots=True)
class Run:
    """``rate``: answers a second; waits in milliseconds; ``server_us``: processor time of the server per message."""

    rate: float
    p50: float
    p99: float
    server_us: float
    failed: int


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.webhook", description="Measure the webhook beside django-ses's own view."
    )
    parser.add_argument("--messages", type=int, default=6000, metavar="N", help="of each flat-out run (6000)")
    parser.add_argument("--seconds", type=int, default=20, metavar="N", help=f"at {PACE}/s (20)")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    given = parser.parse_args()
    with a_place() as place:
        ours_flat, ours_paced = _measure(place.ours(), place, given.messages, given.seconds, place.origin)
        stored = place.stored()
        peer_flat, peer_paced = _measure(place.peer(), place, given.messages, given.seconds, "")
    figures = {
        "requests_per_second": round(ours_flat.rate),
        "django_ses_per_second": round(peer_flat.rate),
        "ratio": round(ours_flat.rate / peer_flat.rate, 2),
        f"p50_ms_at_{PACE}": round(ours_paced.p50, 1),
        f"p99_ms_at_{PACE}": round(ours_paced.p99, 1),
        f"django_ses_p99_ms_at_{PACE}": round(peer_paced.p99, 1),
        "server_us_per_message": round(ours_flat.server_us),
        "django_ses_us_per_message": round(peer_flat.server_us),
        "failed": ours_flat.failed + ours_paced.failed,
        "answered_200": given.messages + PACE * given.seconds - ours_flat.failed - ours_paced.failed,
        "stored": stored,
    }
    print(json.dumps(figures) if given.json else "\n".join(f"{name:28} {figures[name]}" for name in figures))
    reached = figures["requests_per_second"] >= TARGET_RATE and ours_paced.p99 < TARGET_MS
    return 0 if reached and stored == figures["answered_200"] else 1


class Place:
    """Servers in a folder of their own."""

    def __init__(self, var: Path, origin: str, signer: signing.Signer, server: Postgres) -> None:
        self.var, self.origin, self.signer, self.server = var, origin, signer, server
        no_proxy = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        left_out = ("DATABASE_URL", "CELERY_BROKER_URL", "PUBLIC_URL", "SNS_REQUIRE_V2")
        inherited = {name: value for name, value in os.environ.items() if name not in left_out}
        self.environment = inherited | no_proxy | {
            "MAILINGLIST_MODE": "local", "MAILINGLIST_VAR": str(var), "SNS_TOPIC_ARNS": TOPIC, "SNS_CERT_ORIGIN": origin,
            "SNS_TRUST_ANCHOR": str(var / "sandbox" / "ca.pem"), "PEER_TOPIC": TOPIC, "PEER_CERT_URL": PEER_CERT_URL,
            "PEER_CERT": str(var / "sandbox" / "sns-cert.pem"), "PYTHONPATH": str(environment.PROJECT),
        }  # fmt: skip
        self.running: list[services.Program] = []

    def ours(self) -> tuple[int, int]:
        project.manage("migrate", "--noinput", environment=self.environment)
        project.manage("collectstatic", "--noinput", environment=self.environment)
        return self.serve()

    def serve(self) -> tuple[int, int]:
        """Ours, with the tables that are there."""
        return self._serve("mailinglist.wsgi:application", "/readyz")

    def peer(self) -> tuple[int, int]:
        return self._serve("benchmarks.webhook_peer:application", None)

    def _serve(self, application: str, ready: str | None) -> tuple[int, int]:
        """Port and process id of granian, with the arguments of script/start."""
        self.stop()
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        program = services.web(port, var=self.var, environment=self.environment)
        program._arguments = [
            application if part == "mailinglist.wsgi:application" else part for part in program._arguments
        ]
        if ready is None:
            program._ready = lambda pid: _listens(port)
        program.start()
        self.running.append(program)
        assert program.child is not None
        return port, program.child.pid

    def stored(self) -> int:
        code = "from bounces.models import Notification as N; print(N.objects.count())"
        return int(project.manage("shell", "-v", "0", "-c", code, environment=self.environment).split()[-1])

    def stop(self) -> None:
        for program in self.running:
            if program.child is not None:
                processes.kill_group(program.child)
        self.running.clear()

    def messages(self, number: int, cert_url: str) -> list[bytes]:
        event = (environment.PROJECT / "tests/payloads/events/delivery.json").read_text()
        found = []
        for _ in range(number):
            message = {
                "Type": "Notification", "MessageId": str(uuid.uuid4()), "TopicArn": TOPIC,
                "Subject": "Amazon SES Email Event Notification", "Message": event,
                "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "SignatureVersion": "1", "SigningCertURL": cert_url,
            }  # fmt: skip
            found.append(json.dumps(message | {"Signature": self.signer.signature(message)}).encode())
        return found


@contextmanager
def a_place() -> Iterator[Place]:
    var = Path(tempfile.mkdtemp(prefix="mailinglist-bench-"))
    embedded.make_private(var / "log")
    embedded.make_private(var / "sandbox")
    signer = signing.load_or_make(var / "sandbox")
    server, broker = Postgres(var), Valkey(var)
    server.owner.take()
    with _certificates(signer) as origin:
        place = Place(var, origin, signer, server)
        try:
            server.start()
            broker.start()
            yield place
        finally:
            place.stop()
            for child in (broker.child, server.child):
                if child is not None:
                    processes.kill_group(child)
            server.owner.release()
            shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
            shutil.rmtree(var, ignore_errors=True)


@contextmanager
def _certificates(signer: signing.Signer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(signer.certificate_pem)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _measure(
    server: tuple[int, int], place: Place, messages: int, seconds: int, origin: str
) -> tuple[Run, Run]:
    """Flat out, then at the fixed pace."""
    port, pid = server
    cert_url = origin + place.signer.certificate_path if origin else PEER_CERT_URL
    flat, paced = place.messages(messages, cert_url), place.messages(PACE * seconds, cert_url)
    return asyncio.run(_run(port, pid, flat, 0)), asyncio.run(_run(port, pid, paced, PACE))


async def _run(port: int, pid: int, messages: Sequence[bytes], pace: float) -> Run:
    waits: list[float] = []
    failed = 0
    numbers = iter(range(len(messages)))
    before, begun = meter.processor_seconds(pid) or 0.0, time.monotonic()

    async def send(session: aiohttp.ClientSession) -> None:
        nonlocal failed
        for number in numbers:
            due = begun + number / pace if pace else time.monotonic()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
            async with session.post(
                f"http://127.0.0.1:{port}/hooks/ses/", data=messages[number], headers=headers
            ) as answer:
                await answer.read()
                failed += answer.status != 200
            waits.append(time.monotonic() - due)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(send(session) for _ in range(CONNECTIONS)))
    took = time.monotonic() - begun
    spent = (meter.processor_seconds(pid) or 0.0) - before
    cuts = quantiles(waits, n=100)
    return Run(len(messages) / took, cuts[49] * 1000, cuts[98] * 1000, spent / len(messages) * 1e6, failed)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
