"""What script/start runs beside the embedded servers: the local SES, the web server, worker and scheduler."""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from signal import SIGTERM

from script import ports, processes
from script.environment import PROJECT, PYTHON
from script.errors import StartError

#: Where the local SES sends its events from; the same as LOCAL_TOPIC_ARN of the settings.
LOCAL_TOPIC = "arn:aws:sns:us-east-1:000000000000:mailinglist-local"
#: More threads of the web server only wait for each other: with 16 a notification costs a third more processor.
_BLOCKING_THREADS, _WORKER_THREADS = 8, 4
_READY_SECONDS = 60.0
_CLOSE_SECONDS = 1.0
#: In it the health pages say which process answers: the web server's main process, or the local SES.
_PROCESS_HEADER = "X-Process"
#: Our own servers are never behind the proxy that the environment may name.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Program:
    """A Python module that runs until it is told to end.

    ``ready`` says of its process id whether it can be used; ``port`` is where it listens, claimed by the caller.
    """

    ends_by = SIGTERM

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        ready: Callable[[int], bool],
        port: int | None = None,
        pid_file: Path | None = None,
        ends_first: bool = True,
    ) -> None:
        self.ends_first = ends_first
        self.name = name
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None
        self._arguments = [str(PYTHON), "-m", *arguments]
        self._environment = environment
        self._ready = ready
        self._port = port
        self._pid_file = pid_file

    def start(self) -> None:
        """Start it and return when it is ready. Raises StartError, Stopping."""
        self._check_port()
        if self._pid_file:
            self._pid_file.unlink(missing_ok=True)  # nobody else runs it, whatever the number there says
        self.child = child = processes.spawn(
            self._arguments, log=self.log, environment=self._environment, folder=PROJECT
        )
        processes.wait_until(
            lambda: child.poll() is not None or self._ready(child.pid), _READY_SECONDS, every=0.05
        )
        if child.poll() is not None or not self._ready(child.pid):
            processes.kill_group(child)
            self._check_port()
            raise StartError(f"{self.name} does not start: {last_words(self.log)} More in {self.log}.")

    def _check_port(self) -> None:
        """Raises StartError when somebody else listens there; the killed children of an earlier run get a moment."""
        port = self._port
        if port is not None and not processes.wait_until(lambda: ports.is_free(port), _CLOSE_SECONDS):
            raise StartError(
                f"{self.name} does not start: another program has taken port {port}. Stop that one, then start again."
            )


def local_ses(
    port: int, web_port: int, *, var: Path, environment: Mapping[str, str], config: Mapping[str, object]
) -> Program:
    return Program(
        "the local SES",
        [
            "sandbox", "--port", str(port), "--state", str(var / "sandbox"),
            "--hook", f"http://127.0.0.1:{web_port}/hooks/ses/", "--topic", LOCAL_TOPIC,
            "--config", json.dumps(config),
        ],
        log=var / "log" / "sandbox.log",
        environment=environment,
        ready=lambda pid: answers(f"http://127.0.0.1:{port}/_sandbox/health", pid),
        port=port,
        ends_first=False,
    )  # fmt: skip


def web(port: int, *, var: Path, environment: Mapping[str, str]) -> Program:
    pid_file = var / "web.pid"
    return Program(
        "the web server",
        [
            "granian", "--interface", "wsgi", "mailinglist.wsgi:application", "--host", "127.0.0.1",
            "--port", str(port), "--blocking-threads", str(_BLOCKING_THREADS), "--no-ws",
            "--log-level", "warning", "--respawn-failed-workers", "--workers-kill-timeout", "3",
            "--pid-file", str(pid_file),
        ],
        log=var / "log" / "web.log",
        environment=environment,
        ready=lambda pid: answers(f"http://127.0.0.1:{port}/readyz", pid),
        port=port,
        pid_file=pid_file,
    )  # fmt: skip


def worker(queue: str, *, var: Path, environment: Mapping[str, str]) -> Program:
    """A worker of one queue: ``celery`` sends, ``bounces`` takes in what comes back. Each has a core of its own."""
    name = "worker" if queue == "celery" else f"worker-{queue}"
    pid_file = var / f"{name}.pid"
    return Program(
        "the worker" if queue == "celery" else f"the worker for {queue}",
        [
            "celery", "-A", "mailinglist", "worker", "--pool", "threads", "--concurrency", str(_WORKER_THREADS),
            "--queues", queue, "--hostname", f"{name}@%h",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
            "--pidfile", str(pid_file).replace("%", "%%"),
        ],
        log=var / "log" / f"{name}.log",
        environment=environment,
        ready=lambda _: pid_file.exists(),
        pid_file=pid_file,
    )  # fmt: skip


def beat(*, var: Path, environment: Mapping[str, str]) -> Program:
    pid_file = var / "beat.pid"
    return Program(
        "the scheduler",
        [
            "celery", "-A", "mailinglist", "beat", "--schedule", str(var / "beat-schedule"),
            "--loglevel", "WARNING", "--pidfile", str(pid_file),
        ],
        log=var / "log" / "beat.log",
        environment=environment,
        ready=lambda _: pid_file.exists(),
        pid_file=pid_file,
    )  # fmt: skip


def queue_reader(*, var: Path, environment: Mapping[str, str]) -> Program:
    """Reads the SQS queue of SQS_QUEUE_URL; it tells when it has begun."""
    log = var / "log" / "queue.log"
    before = log.stat().st_size if log.exists() else 0
    return Program(
        "the reader of the SQS queue",
        ["manage", "poll_sqs"],
        log=log,
        environment=environment,
        ready=lambda _: b"Reading " in log.read_bytes()[before:],
    )


def get(url: str) -> str | None:
    """The body of the page when it answers with 2xx within five seconds, else None."""
    found = _fetch(url)
    return found and found[1]


def answers(url: str, pid: int) -> bool:
    """Whether the page answers with 2xx within five seconds and it is process ``pid`` that does."""
    found = _fetch(url)
    return found is not None and found[0].get(_PROCESS_HEADER) == str(pid)


def _fetch(url: str) -> tuple[Message, str] | None:
    try:
        with _opener.open(url, timeout=5) as answer:
            body: bytes = answer.read()
    except (OSError, HTTPException):
        return None
    return answer.headers, body.decode(errors="replace")


def last_words(log: Path) -> str:
    """The last line with something in it."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing."
