"""The process: what it refuses, how it ends, and what survives its death."""

import json
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from sandbox.__main__ import main
from sandbox.testing import NOWHERE, ROOT, TOPIC_ARN, RunningSandbox, sandbox
from tests.sandbox.aws import client, send
from tests.sandbox.conftest import QUICK
from tests.sandbox.hook import listening

GOOD = {"--port": "0", "--hook": NOWHERE, "--topic": TOPIC_ARN}


def command_line(state: Path, **changes: str) -> list[str]:
    options = {**GOOD, "--state": str(state), **{f"--{name}": value for name, value in changes.items()}}
    return [part for pair in options.items() for part in pair]


def start(state: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *command_line(state, **changes)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "0.0.0.0"}, "can be reached by others"),
        ({"host": "mail.example"}, "is not an address"),
        ({"port": "99999"}, "is not a port"),
        ({"hook": "ftp://x"}, "is not a web address"),
        ({"topic": "mytopic"}, "is not an SNS topic"),
        ({"config": '{"throtle_all": true}'}, "Unknown key throtle_all. Known keys: account_suspended"),
        ({"config": '{"max_send_rate": 0}'}, "max_send_rate: Expected a number above 0. Got 0."),
        ({"config": "{"}, "is not valid JSON"),
        ({"config": "no-such-file.json"}, "cannot be read"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], said: str
) -> None:
    """What the process says and ends with, but for its start."""
    status = main(command_line(tmp_path, **changes))
    told = capsys.readouterr()
    assert (status, told.out) == (2, "")
    assert told.err.startswith("The local SES does not start: ") and said in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_a_taken_port_and_a_taken_directory_are_refused(ses: RunningSandbox, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = start(tmp_path, port=str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("The local SES does not start: ") and "is taken" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    done = start(ses.directory)
    assert done.returncode == 2 and "Another sandbox is using" in done.stderr


def test_the_help_shows_an_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "python -m sandbox --port 8025 --state" in done.stdout


def test_the_configuration_may_be_a_file_and_is_refused_while_running(
    ses: RunningSandbox, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"quota": 5}))
    arguments = ("--hook", NOWHERE, "--topic", TOPIC_ARN, "--config", str(tmp_path / "config.json"))
    other = RunningSandbox(tmp_path, *arguments)
    other.start()
    assert other.config()["quota"] == 5
    other.stop()
    with pytest.raises(ValueError, match="Unknown key nonsense"):
        ses.config(nonsense=1, throttle_all=True)
    assert ses.config()["throttle_all"] is False


def test_every_answered_mail_and_every_open_event_survives_a_kill() -> None:
    with listening() as hook:
        hook.answer = lambda envelope: 503
        with sandbox(hook=hook.url, config=QUICK) as ses:
            answered: list[str] = []

            def post(worker: int) -> None:
                sesv2 = client(ses)
                try:
                    for i in range(1000):
                        answered.append(send(sesv2, f"p{worker}-{i}@example.com"))
                except BotoCoreError:
                    return

            threads = [threading.Thread(target=post, args=(worker,)) for worker in range(4)]
            for thread in threads:
                thread.start()
            hook.wait_for(lambda hook: len(answered) > 60)
            ses.kill()
            for thread in threads:
                thread.join()
            hook.clear()
            ses.start()
            ses.wait_for_pushes()
            ledger = [line["message_id"] for line in ses.ledger()]
            assert set(answered) <= set(ledger) and len(ledger) == len(set(ledger))
            heard = {(event["mail"]["messageId"], event["eventType"]) for event in hook.events()}
            assert heard == {(message_id, kind) for message_id in ledger for kind in ("Send", "Delivery")}


def test_sigterm_ends_it_at_once_and_loses_nothing() -> None:
    with listening() as hook, sandbox(hook=hook.url, config={**QUICK, "pushes": "hold"}) as ses:
        sesv2 = client(ses)
        ids = {send(sesv2, f"p{i}@example.com") for i in range(5)}
        ses.config(hang_after=1)

        def post_and_hang() -> None:
            with pytest.raises(BotoCoreError):
                send(client(ses), "h@example.com")

        hanging = threading.Thread(target=post_and_hang)
        hanging.start()
        while len(ses.ledger()) < 6:
            time.sleep(0.02)
        assert ses.stop() < 2
        hanging.join()
        assert hook.received == []
        ses.start()
        ses.release()
        ses.wait_for_pushes()
        assert ids < {line["message_id"] for line in ses.ledger()} and len(hook.events("Send")) == 6


def test_limits_and_attempts_are_remembered_over_a_restart() -> None:
    with sandbox(config={**QUICK, "quota": 3}) as ses:
        send(client(ses), "later+2@example.com")
        ses.stop()
        ses.start()
        sesv2 = client(ses)
        assert sesv2.get_account()["SendQuota"]["SentLast24Hours"] == 1
        send(sesv2, "later+2@example.com")
        ses.stop()
        ses.start()
        assert len(ses.ledger()) == 2


def test_the_bare_mode_accepts_counts_and_tells_nobody() -> None:
    with listening() as hook, sandbox(hook=hook.url, config={**QUICK, "quota": 2}, bare=True) as ses:
        sesv2 = client(ses)
        ids = [send(sesv2, f"hard+{i}@example.com") for i in range(2)]
        with pytest.raises(sesv2.exceptions.LimitExceededException):
            send(sesv2, "hard+2@example.com")
        assert [line["message_id"] for line in ses.ledger()] == ids
        assert (ses.stats()["accepted"], ses.stats()["refused"]) == (2, {"LimitExceededException": 1})
        assert hook.received == [] and ses.pushes()["open"] == 0


def test_what_is_kept_is_for_the_owner_only(tmp_path: Path) -> None:
    state = tmp_path / "new"
    running = RunningSandbox(tmp_path, "--hook", NOWHERE, "--topic", TOPIC_ARN, "--state", str(state))
    try:
        running.start()
        send(client(running), "ada@post.example")
        modes = {kept.name: stat.S_IMODE(kept.stat().st_mode) for kept in (state, *state.iterdir())}
        running.stop()
        (state / "inbox.sqlite3").chmod(0o644)  # as an earlier version left it
        running.start()
    finally:
        running.stop()
    assert modes.pop("new") == 0o700 and {"inbox.sqlite3", "ledger.jsonl"} <= set(modes)
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert stat.S_IMODE((state / "inbox.sqlite3").stat().st_mode) == 0o600
