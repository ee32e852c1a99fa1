"""script/start as people use it: from the first start to kill -9 and back, in real processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from script import processes, services
from script.environment import PROJECT
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.script import journey
from tests.script.test_ports import free_port

pytestmark = pytest.mark.slow
_SERVING = "Ctrl-C stops everything."
_FOREIGN = (
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "PUBLIC_URL",
    "MAILINGLIST_MODE",
    "SES_ENDPOINT_URL",
    "SECRET_KEY",
)


class Start:
    """One run of script/start in a var folder; ``port`` is its web server's."""

    def __init__(self, var: Path, *arguments: str, port: int, **values: str) -> None:
        self.var, self.port = var, port
        self.words = var.parent / f"start-{time.monotonic_ns()}.txt"
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        with self.words.open("w") as out:
            self.child = subprocess.Popen(
                [sys.executable, str(PROJECT / "script" / "start"), "--port", str(port), *arguments],
                env={**kept, "MAILINGLIST_VAR": str(var), **values},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.words.read_text()

    def until_serving(self) -> "Start":
        processes.wait_until(lambda: _SERVING in self.said() or self.child.poll() is not None, 120, every=0.1)
        assert _SERVING in self.said(), self.said()
        return self

    def left(self) -> list[str]:
        """Command lines of living processes that work in this var folder."""
        mine = (int(file.name) for file in Path("/proc").iterdir() if file.name.isdigit())
        found = [processes.command_of(pid) for pid in mine if pid != os.getpid()]
        return [words for words in found if str(self.var) in words]


class Installation:
    """One var folder in which script/start runs: its first run, and the run of now."""

    def __init__(self, var: Path) -> None:
        self.first = self.now = Start(var, port=free_port()).until_serving()

    def running(self) -> Start:
        """The run of now; a new one on the same port when that has ended."""
        if self.now.child.poll() is not None:
            self.now = Start(self.now.var, port=self.now.port).until_serving()
        return self.now


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    found = Installation(tmp_path_factory.mktemp("start") / "a var")
    yield found
    found.now.child.terminate()
    found.now.child.wait(20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Start]]:
    runs: list[Start] = []

    def begin(*arguments: str, port: int = 0, **values: str) -> Start:
        runs.append(Start(tmp_path / "a var", *arguments, port=port or free_port(), **values))
        return runs[-1]

    yield begin
    for run in runs:
        run.child.terminate()
        run.child.wait(20)


def test_the_first_start_serves_and_shows_a_password(installation: Installation) -> None:
    said = installation.first.said()
    assert f"http://127.0.0.1:{installation.first.port}/" in said
    assert re.search(r"user admin, password \S{16} \(shown", said)
    run = installation.running()
    assert services.get(f"http://127.0.0.1:{run.port}/readyz") == "ok\n"
    runtime = json.loads((run.var / "runtime.json").read_text())
    assert runtime["public_url"] == f"http://127.0.0.1:{run.port}"
    assert services.get(f"http://127.0.0.1:{runtime['sandbox_port']}/_sandbox/health")


@pytest.mark.browser
def test_a_new_manager_imports_writes_sends_reads_and_takes_back(installation: Installation) -> None:
    run = installation.running()
    password = re.search(r"user admin, password (\S{16})", installation.first.said())
    assert password
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        journey.walk(chromium, f"http://127.0.0.1:{run.port}", password[1])
        chromium.close()


def test_a_second_start_refuses_and_does_not_disturb_the_first(installation: Installation) -> None:
    run = installation.running()
    second = Start(run.var, port=free_port())
    assert second.child.wait(20) == 1
    assert re.fullmatch(r"script/start runs already for .*\n", second.said())
    assert services.get(f"http://127.0.0.1:{run.port}/readyz") == "ok\n"


def test_whatever_dies_is_started_again(installation: Installation) -> None:
    run = installation.running()
    dead = [int(pid) for pid in json.loads((run.var / "processes.json").read_text())]
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    again = (
        "PostgreSQL", "The broker", "The local SES", "The web server", "The worker", "The worker for bounces",
        "The scheduler",
    )  # fmt: skip
    assert processes.wait_until(
        lambda: all(f"{name} runs again." in run.said() for name in again), 60, every=0.2
    ), run.said()
    assert services.get(f"http://127.0.0.1:{run.port}/readyz") == "ok\n"
    assert not set(dead) & set(json.loads((run.var / "processes.json").read_text()))


def test_a_killed_start_leaves_nothing_and_the_next_one_goes_on(installation: Installation) -> None:
    killed = installation.running()
    killed.child.kill()
    killed.child.wait()
    assert processes.wait_until(lambda: killed.left() == [], 15, every=0.2), killed.left()

    run = installation.running()
    assert run is not killed and "password as before" in run.said()
    begin = time.monotonic()
    run.child.send_signal(signal.SIGTERM)
    assert run.child.wait(20) == 0
    assert time.monotonic() - begin < 5.5
    assert run.left() == []
    assert not (run.var / "runtime.json").exists()


def test_ctrl_c_in_the_middle_of_starting_leaves_nothing(start: Callable[..., Start]) -> None:
    run = start()
    processes.wait_until(lambda: "Preparing the database" in run.said(), 60, every=0.05)
    run.child.send_signal(signal.SIGINT)
    assert run.child.wait(10) == 0
    assert run.left() == []


def test_a_taken_port_is_one_sentence_that_names_another(start: Callable[..., Start]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = start(port=port)
        assert run.child.wait(20) == 1
    assert run.said() == f"Port {port} is taken. Choose another one: script/start --port {port % 65535 + 1}\n"


def test_unsafe_production_settings_stop_the_start_with_sentences(start: Callable[..., Start]) -> None:
    run = start(MAILINGLIST_MODE="production", PUBLIC_URL="http://lists.example.org", SUPPRESSION_KEY="")
    assert run.child.wait(60) == 1
    for setting in ("SECRET_KEY is missing", "SUPPRESSION_KEY is not", "PUBLIC_URL="):
        assert setting in run.said()
    assert "Traceback" not in run.said()
    assert run.left() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--exit"], "--demo"),
        (["--port", "0"], "--port 0"),
        (["--demo", "--recipients", "0"], "--recipients 0"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_arguments_are_explained(arguments: list[str], told: str) -> None:
    command = [sys.executable, str(PROJECT / "script" / "start"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, told in done.stderr) == (2, True)


def test_the_demo_ends_with_everybody_in_a_final_state_and_an_agreeing_ledger(
    installation: Installation,
) -> None:
    installation.now.child.terminate()
    installation.now.child.wait(20)
    run = Start(installation.now.var, "--demo", "--exit", "--json", "--recipients", "60", port=free_port())
    assert run.child.wait(170) == 0, run.said()
    report = json.loads(run.said().splitlines()[-1])
    assert report["recipients"] == sum(report["by_state"].values()) == 60
    assert report["final"] and report["open"] == report["duplicates"] == 0
    assert report["accepted"] == report["ledger"] > 60, "nothing was retried"
    assert report["hard"] and report["soft"] and report["recovered"]
    assert run.left() == []
