"""script/start: everything that the mailing list needs, in one process tree that ends with it."""

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from script import demo, embedded, environment, ports, processes, project, runtime, services, streams
from script.errors import StartError
from script.locks import Lock
from script.postgres import Postgres
from script.supervisor import Supervisor
from script.valkey import Valkey

_SES_PORT = 8025
_LARGEST_LOG = 10_000_000
#: What load_demo takes.
_MOST_RECIPIENTS = 1_000_000
_EPILOG = """\
examples:
  script/start                      the web server at http://127.0.0.1:8000, state under var/
  script/start --demo               send a campaign to 2,000 made-up people and go on serving
  script/start --demo --exit --json   a check: the report is the last line

exit status: 0 stopped (with --exit: everybody in a final state and the ledger agrees), 1 it cannot start or go
on (with --exit: or the demo went wrong), 2 wrong arguments. Settings: docs/operations.md."""


def main(arguments: Sequence[str]) -> int:
    """The exit status. Ctrl-C and SIGTERM end everything within five seconds."""
    streams.complete()
    given = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: processes.stopping.set())
    try:
        return _Start(given).run()
    except processes.Stopping:
        return 1 if given.exit else 0
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/start",
        description="Start the mailing list with all it needs. Ctrl-C stops all of it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8000, help="port of the web server (8000)")
    parser.add_argument(
        "--demo", action="store_true", help="send a campaign through the local SES, days as seconds"
    )
    parser.add_argument("--recipients", type=int, default=2000, metavar="N", help="people in the demo (2000)")
    parser.add_argument("--exit", action="store_true", help="stop after the report of the demo")
    parser.add_argument(
        "--json", action="store_true", help="print the report as JSON; other words go to stderr"
    )
    given = parser.parse_args(arguments)
    if not 1 <= given.port <= 65535:
        parser.error(f"--port {given.port} is not a port; use 1 to 65535.")
    if not 1 <= given.recipients <= _MOST_RECIPIENTS:
        parser.error(f"--recipients {given.recipients} is not between 1 and {_MOST_RECIPIENTS}.")
    if (given.exit or given.json) and not given.demo:
        parser.error("--exit and --json need --demo.")
    return given


class _Start:
    """One run; ``run`` reads from top to bottom."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.var = embedded.var_dir()
        self.web_port = ports.Port(given.port)
        self.ses_port = ports.Port(_SES_PORT)
        self.environment = _environment(self.var, demo.ENVIRONMENT if given.demo else {})
        self.supervisor = Supervisor(self.var, self.say)

    def say(self, words: str) -> None:
        self._print(words, sys.stderr if self.given.json else sys.stdout)

    def _print(self, words: str, stream: TextIO) -> None:
        """Where nobody reads any more, it is time to stop, as on Ctrl-C; the stopping itself must not fail by it."""
        try:
            print(words, file=stream, flush=True)
        except OSError:
            streams.silence(stream)
            processes.stopping.set()

    def run(self) -> int:
        embedded.make_private(self.var / "log")
        with self._alone():
            self.supervisor.end_leftovers()
            self._claim_ports()
            try:
                environment.ensure("requirements.txt", say=self.say)
                settings = self._settings()
                self._start_servers(settings)
                first = self._prepare(settings)
                self._start_programs(settings)
                self._greet(settings, first)
                report, wrong = self._demo(settings) if self.given.demo else ({}, [])
                if not self.given.exit:
                    self._serve(settings)
            finally:
                self._stop()
                self.web_port.release()
                self.ses_port.release()
        if self.given.exit and self.given.json:
            self._print(json.dumps(report), sys.stdout)
        return 1 if self.given.exit and wrong else 0

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = Lock(self.var / "start.lock")
        if not lock.take():
            raise StartError(
                f"script/start runs already for {self.var}. Stop it with Ctrl-C there, or set MAILINGLIST_VAR to "
                "another folder (and --port) for a second one."
            )
        try:
            yield
        finally:
            lock.release()

    def _claim_ports(self) -> None:
        """Before anything is started, and until everything has ended."""
        port = self.given.port
        if not self.web_port.claim():
            raise StartError(
                f"Port {port} is taken. Choose another one: script/start --port {port % 65535 + 1}"
            )
        self.ses_port = ports.claim_or_another(_SES_PORT)

    def _settings(self) -> project.Settings:
        _shorten_logs(self.var / "log")
        runtime.write(
            self.var,
            {
                "public_url": f"http://127.0.0.1:{self.given.port}",
                "sandbox_port": self.ses_port.number,
                # A command beside us has to count days as our workers do.
                "environment": {
                    name: self.environment[name] for name in demo.ENVIRONMENT if name in self.environment
                },
            },
        )
        settings = project.settings(self.environment)
        if self.given.demo and not self._has_local_ses(settings):
            raise StartError(
                "--demo needs local mode and the local SES: take MAILINGLIST_MODE, PUBLIC_URL and "
                "SES_ENDPOINT_URL out of the environment."
            )
        return settings

    def _has_local_ses(self, settings: project.Settings) -> bool:
        return settings.local and settings.ses_endpoint_url == f"http://127.0.0.1:{self.ses_port.number}"

    def _start_servers(self, settings: project.Settings) -> None:
        project.probe(self.environment)
        if self._has_local_ses(settings):
            config: Mapping[str, object] = demo.LOCAL_SES if self.given.demo else {}
            self.supervisor.start(
                services.local_ses(
                    self.ses_port.number,
                    self.given.port,
                    var=self.var,
                    environment=self.environment,
                    config=config,
                )
            )
        if not self.environment.get("DATABASE_URL", "").strip():
            server = Postgres(self.var)
            if not server.owner.take():
                self.say("Waiting for a command that uses the database …")
                processes.wait_until(server.owner.take, float("inf"), every=0.2)
            self.supervisor.start(server)
        if not self.environment.get("CELERY_BROKER_URL", "").strip():
            self.supervisor.start(Valkey(self.var))

    def _prepare(self, settings: project.Settings) -> dict[str, Any]:
        """Database, static files and the first administrator: {"username", "password"}."""
        if not settings.local:
            self.say("Checking the settings …")
            project.manage("check", "--deploy", "--fail-level", "ERROR", environment=self.environment)
        self.say("Preparing the database …")
        loads = ["--load-demo"] if settings.local and not self.given.demo else []
        return project.manage_json("prepare", *loads, environment=self.environment)

    def _start_programs(self, settings: project.Settings) -> None:
        self.supervisor.start(services.web(self.given.port, var=self.var, environment=self.environment))
        for queue in ("celery", "bounces"):
            self.supervisor.start(services.worker(queue, var=self.var, environment=self.environment))
        self.supervisor.start(services.beat(var=self.var, environment=self.environment))
        if self.environment.get("SQS_QUEUE_URL", "").strip():
            self.supervisor.start(services.queue_reader(var=self.var, environment=self.environment))

    def _greet(self, settings: project.Settings, first: Mapping[str, Any]) -> None:
        password = (
            f"password {first['password']} (shown only now)" if first["password"] else "password as before"
        )
        self.say(f"\nThe mailing list is at {settings.public_url}/")
        self.say(f"The admin is at {settings.public_url}/admin/: user {first['username']}, {password}")
        if self._has_local_ses(settings):
            self.say(f"Mails go to the local SES; read them at {settings.ses_endpoint_url}/")
        self.say("")

    def _demo(self, settings: project.Settings) -> tuple[demo.Report, list[str]]:
        report, wrong = demo.run(
            self.given.recipients,
            ses_url=settings.ses_endpoint_url,
            environment=self.environment,
            say=self.say,
            look=self.supervisor.look,
        )
        self.say("\n" + demo.table(report))
        self.say(
            "\n".join(wrong) or "Every recipient is in a final state, and the local SES's ledger agrees."
        )
        if self.given.json and not self.given.exit:
            self._print(json.dumps(report), sys.stdout)
        return report, wrong

    def _serve(self, settings: project.Settings) -> None:
        self.say("Ctrl-C stops everything.")
        while not processes.stopping.wait(0.2):
            self.supervisor.look()

    def _stop(self) -> None:
        # From here on nothing is to be interrupted; whoever asked to stop waits for the end.
        processes.stopping.clear()
        self.say("Stopping …")
        self.supervisor.stop()
        runtime.remove(self.var)
        self.say("Stopped.")


def _environment(var: Path, values: Mapping[str, str]) -> dict[str, str]:
    """What all children get: ours, where the caller has not set it otherwise."""
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]))
    ours = {"PYTHONUNBUFFERED": "1", "NO_PROXY": no_proxy, "no_proxy": no_proxy, "MAILINGLIST_VAR": str(var)}
    return {**values, **os.environ, **ours}


def _shorten_logs(folder: Path) -> None:
    """Keep one earlier log where one has grown large."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
