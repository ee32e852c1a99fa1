"""Start the local SES from a test or a benchmark, as a process of its own on a free port.

::

    with sandbox(hook=url, config={"mix": {"hard": 0.1}}) as ses:
        ...                       # boto3 with endpoint_url=ses.url
        ses.wait_for_pushes()
        assert len(ses.ledger(recipient="ada@example.com")) == 1

It is ready when the block begins. Its state is in a temporary directory unless one is given; ``kill`` and
``start`` make a crash and a restart on the same port and state.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:mailinglist-local"
#: A hook at which nobody listens, for tests that need no events.
NOWHERE = "http://127.0.0.1:9/"
ROOT = Path(__file__).resolve().parent.parent


class SandboxDidNotStart(RuntimeError):
    """What the process said instead of starting."""


class RunningSandbox:
    """A sandbox process; ``url`` is the endpoint for boto3, ``ca_pem`` what a receiver of events trusts."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self.ca_pem = directory / "ca.pem"
        self.url = ""
        self._arguments = arguments
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process and return when it serves; raises SandboxDidNotStart with what it said."""
        command = [sys.executable, "-m", "sandbox", "--port", str(self._port), "--state", str(self.directory)]
        log = self.directory / "sandbox.log"
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [*command, *self._arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if " ready at " not in line:
            self._end()
            raise SandboxDidNotStart(log.read_text().strip())
        self.url = line.split(" ready at ")[1].split("/ (")[0]
        self._port = urlsplit(self.url).port or 0

    def stop(self) -> float:
        """End it by SIGTERM; the seconds that took."""
        began = time.monotonic()
        if self._process is not None:
            self._process.terminate()
            self._end()
        return time.monotonic() - began

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def config(self, **changes: Any) -> dict[str, Any]:
        """Change switches of ``faults.Config`` while it runs; the whole configuration after that."""
        return self._json("config", changes)

    def reset(self) -> None:
        """Configuration, ledger, inbox, counters and limits as at the first start."""
        self._json("reset", {})

    def release(self) -> None:
        """Push what ``pushes="hold"`` held back."""
        self._json("release", {})

    def stats(self) -> dict[str, Any]:
        return self._json("stats")

    def pushes(self) -> dict[str, Any]:
        return self._json("pushes")

    def ledger(self, *, recipient: str = "", since: str = "") -> list[dict[str, Any]]:
        """The entries of accepted mails in their order; ``since`` in ISO 8601."""
        query = urlencode(
            {name: value for name, value in (("recipient", recipient), ("since", since)) if value}
        )
        return [json.loads(line) for line in self._get(f"ledger?{query}").decode().splitlines()]

    def wait_for_pushes(self, timeout: float = 10.0) -> None:
        """Return when no event is open; raises TimeoutError, which says how many are."""
        end = time.monotonic() + timeout
        while (state := self.pushes())["open"]:
            if time.monotonic() > end:
                raise TimeoutError(f"After {timeout} s events are still open: {state}")
            time.sleep(0.02)

    def wait_until_confirmed(self, timeout: float = 10.0) -> None:
        """Return when the hook has confirmed its subscription; raises TimeoutError."""
        end = time.monotonic() + timeout
        while not self.pushes()["confirmed"]:
            if time.monotonic() > end:
                raise TimeoutError(f"After {timeout} s the subscription is not confirmed.")
            time.sleep(0.02)

    def _json(self, name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if changes is None else json.dumps(changes).encode()
        answer: dict[str, Any] = json.loads(self._get(name, data))
        return answer

    def _get(self, name: str, data: bytes | None = None) -> bytes:
        try:
            with urllib.request.urlopen(f"{self.url}/_sandbox/{name}", data=data, timeout=30) as answer:  # noqa: S310
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error

    def _end(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


@contextmanager
def sandbox(
    *,
    hook: str = NOWHERE,
    topic_arn: str = TOPIC_ARN,
    config: Mapping[str, Any] | None = None,
    directory: Path | None = None,
    confirmed: bool = True,
    bare: bool = False,
) -> Iterator[RunningSandbox]:
    """A running sandbox whose events go to ``hook``; ``confirmed=False`` makes it ask first."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as temporary:
        switches = [name for name, wanted in (("--confirmed", confirmed), ("--bare", bare)) if wanted]
        running = RunningSandbox(
            directory or Path(temporary),
            *("--hook", hook, "--topic", topic_arn, "--config", json.dumps(dict(config or {}))),
            *switches,
        )
        running.start()
        try:
            yield running
        finally:
            running.stop()
