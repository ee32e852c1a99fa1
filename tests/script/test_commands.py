"""manage.py with nothing running, with any Python, and which commands need a database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from script import commands
from script.environment import PROJECT


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ("migrate", True),
        ("campaign_report 1 --json", True),
        ("campaign_report --help", False),
        ("classify_bounces mail.eml", False),
        ("help", False),
        ("", False),
    ],
)
def test_only_commands_that_ask_the_database_get_one(
    monkeypatch: pytest.MonkeyPatch, words: str, needs: bool
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert commands.needs_embedded(["manage.py", *words.split()]) is needs
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/db")
    assert commands.needs_embedded(["manage.py", *words.split()]) is False


def manage(var: Path, *arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE")
    }
    return subprocess.run(
        [python, str(PROJECT / "manage.py"), *arguments],
        env={**kept, "MAILINGLIST_VAR": str(var)},
        cwd=var,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_commands_work_from_cron_with_nothing_running(tmp_path: Path) -> None:
    assert manage(tmp_path, "migrate", "-v0").returncode == 0
    shown = manage(tmp_path, "campaign_report", "1")
    assert (shown.returncode, "There is no campaign 1." in shown.stderr) == (1, True)
    assert not (tmp_path / "postgres" / "postmaster.pid").exists(), "the server outlived the command"


def test_another_python_finds_the_one_with_django(tmp_path: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    done = manage(tmp_path, "version", python=base)
    assert done.returncode == 0 and done.stdout.startswith("5."), done.stderr


def test_without_a_venv_script_start_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "PYTHON", tmp_path / "bin" / "python")
    assert commands.again_in_venv(["manage.py"]) == 1
    assert "Run script/start once" in capsys.readouterr().err


@pytest.mark.slow
def test_a_database_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    done = manage(tmp_path, "migrate")
    assert done.returncode == 1 and "was made by PostgreSQL 9" in done.stderr
    assert "Traceback" not in done.stderr
