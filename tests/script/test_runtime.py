"""What a running script/start tells the commands beside it, and what the settings make of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from script import runtime
from script.environment import PROJECT

ASK = (
    "import json; from django.conf import settings as s; "
    "print(json.dumps([s.DAY_SECONDS, s.SES_ENDPOINT_URL, s.LOCAL_SES_RUNS]))"
)
OURS = ("DAY_SECONDS", "SES_ENDPOINT_URL", "PUBLIC_URL", "MAILINGLIST_MODE")


def settings(var: Path, **values: str) -> list[Any]:
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    asked = {"DJANGO_SETTINGS_MODULE": "mailinglist.settings", "MAILINGLIST_VAR": str(var)}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**kept, **asked, **values},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


def test_a_command_beside_the_demo_has_its_days_and_its_ses_but_its_own_environment_wins(
    tmp_path: Path,
) -> None:
    runtime.write(tmp_path, {"sandbox_port": 7777, "environment": {"DAY_SECONDS": "2"}})
    assert settings(tmp_path) == [2, "http://127.0.0.1:7777", True]
    assert settings(tmp_path, DAY_SECONDS="5", SES_ENDPOINT_URL="http://ses") == [5, "http://ses", True]


def test_where_nothing_runs_no_ses_is_ours(tmp_path: Path) -> None:
    assert settings(tmp_path)[2] is False


def test_what_was_written_is_read_until_it_is_removed(tmp_path: Path) -> None:
    assert runtime.read(tmp_path) == {}
    runtime.write(tmp_path, {"sandbox_port": 7777})
    assert runtime.read(tmp_path)["sandbox_port"] == 7777
    runtime.remove(tmp_path)
    assert runtime.read(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": null}'])
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "runtime.json").write_text(text)
    assert runtime.read(tmp_path) == {}


def test_what_a_killed_start_left_says_nothing(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / "runtime.json").write_text(json.dumps({"pid": dead.pid, "sandbox_port": 7777}))
    assert runtime.read(tmp_path) == {}
