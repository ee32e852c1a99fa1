"""manage.py with nothing running, with any Python, which commands need a database, and how they end without one."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from script import commands, embedded
from script.environment import PROJECT
from tests.script import forked

UNREACHABLE = "postgres://somebody:secret@127.0.0.1:1/mailinglist"


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


def manage(var: Path, *arguments: str, words: str = "", **values: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as all here; see below for those that start from nothing."""
    environment = {**_kept(), "MAILINGLIST_VAR": str(var), **values}
    folder = var if var.exists() else None
    return forked.run(PROJECT / "manage.py", arguments, environment=environment, folder=folder, words=words)


def manage_from_nothing(
    var: Path, *arguments: str, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(PROJECT / "manage.py"), *arguments],
        env={**_kept(), "MAILINGLIST_VAR": str(var)},
        cwd=var,
        capture_output=True,
        text=True,
        check=False,
    )


def _kept() -> dict[str, str]:
    ours = ("DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in ours}


def unprepared() -> str:
    """A database of the tests' own server in which nothing was ever made."""
    url = os.environ.get("DATABASE_URL", "").strip() or embedded.database_url(embedded.var_dir())
    return urlsplit(url)._replace(path="/postgres").geturl()


@pytest.mark.slow
def test_commands_work_from_cron_with_nothing_running(tmp_path: Path) -> None:
    """The first makes the database, with a part of the tables; the next one finds it."""
    assert manage_from_nothing(tmp_path, "migrate", "contenttypes", "-v0").returncode == 0
    assert not (tmp_path / "postgres" / "postmaster.pid").exists(), "the server outlived the command"
    shown = manage_from_nothing(tmp_path, "showmigrations", "contenttypes")
    assert (shown.returncode, shown.stdout.count("[X]")) == (0, 2), shown.stderr


def test_another_python_finds_the_one_with_django(tmp_path: Path) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    done = manage_from_nothing(tmp_path, "version", python=base)
    assert done.returncode == 0 and done.stdout.startswith("5."), done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"), [((), 1), (("ingest_bounces", "mail.eml"), 1), (("ingest_bounces", "-"), 75)]
)
def test_without_a_venv_script_start_is_named(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
) -> None:
    monkeypatch.setattr(commands, "PYTHON", tmp_path / "bin" / "python")
    assert commands.again_in_venv(["manage.py", *arguments]) == status
    assert "Run script/start once" in capsys.readouterr().err


@pytest.mark.slow
def test_a_database_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    done = manage(tmp_path, "migrate")
    assert done.returncode == 1 and "was made by PostgreSQL 9" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "url", "told"),
    [
        (("campaign_report", "1"), "", "is not prepared for this version"),
        (("process_notifications",), "", "manage.py migrate"),
        (("process_notifications",), UNREACHABLE, "Look at DATABASE_URL"),
        (("migrate",), "mysql://somebody:secret@127.0.0.1/x", "DATABASE_URL names no PostgreSQL"),
        (("check",), "garbage", "DATABASE_URL names no PostgreSQL"),
    ],
)
def test_what_is_wrong_around_a_command_is_one_line_and_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], url: str, told: str
) -> None:
    done = manage(tmp_path, *arguments, DATABASE_URL=url or unprepared())
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert told in done.stderr and "secret" not in done.stderr


def test_whoever_asks_for_the_traceback_gets_it(tmp_path: Path) -> None:
    done = manage(tmp_path, "campaign_report", "1", "--traceback", DATABASE_URL=unprepared())
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_the_doctor_examines_a_database_in_which_nothing_is_yet(tmp_path: Path) -> None:
    done = manage(tmp_path, "bounce_doctor", DATABASE_URL=unprepared())
    assert (done.returncode, done.stderr) == (1, "") and "MEND" in done.stdout


@pytest.mark.parametrize(
    ("var", "values"),
    [
        ("", {"DATABASE_URL": "the unprepared one"}),
        ("", {"DATABASE_URL": UNREACHABLE}),
        ("", {"DATABASE_URL": "garbage"}),
        ("", {"DATABASE_URL": UNREACHABLE, "SEND_CONCURRENCY": "abc"}),
        ("", {"DATABASE_URL": UNREACHABLE, "PUBLIC_URL": "http://lists.example.org"}),
        ("/proc/nope", {}),
    ],
    ids=["no-tables", "no-server", "no-url", "bad-setting", "failed-check", "no-folder"],
)
def test_a_mail_server_keeps_the_mail_for_all_that_is_our_fault(
    tmp_path: Path, var: str, values: dict[str, str]
) -> None:
    if values.get("DATABASE_URL") == "the unprepared one":
        values = {"DATABASE_URL": unprepared()}
    mail = "From: MAILER-DAEMON@post.example\n\nIt bounced.\n"
    done = manage(Path(var) if var else tmp_path, "ingest_bounces", "-", words=mail, **values)
    assert done.returncode == 75, done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_arguments_of_the_pipe_are_not_tried_again(tmp_path: Path) -> None:
    assert manage(tmp_path, "ingest_bounces", "-", "--nonsense", DATABASE_URL=UNREACHABLE).returncode == 2


def test_what_nobody_foresaw_keeps_the_mail_too(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(SystemExit) as end,
        commands.database(["manage.py", "ingest_bounces", "-", "--help"]),
    ):
        raise RuntimeError("a mistake of ours")
    assert end.value.code == 75 and "a mistake of ours" in capsys.readouterr().err


def test_a_command_whose_reader_has_gone_ends_without_a_word(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), "version"],
        env={**_kept(), "MAILINGLIST_VAR": str(tmp_path)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("classify_bounces mail.json >&-", 0, ""),
        ("classify_bounces nowhere.json >&-", 2, "there is no such file"),
        ("classify_bounces - <&-", 2, "The standard input cannot be read: it is closed."),
        ("ingest_bounces - <&-", 75, "The standard input cannot be read: it is closed."),
        ("classify_bounces mail.json >/dev/full", 1, "Not everything could be written: the output: No space"),
    ],
)
def test_streams_that_are_closed_or_full_are_one_sentence_at_most(
    tmp_path: Path, line: str, status: int, told: str
) -> None:
    (tmp_path / "mail.json").write_text("{}")
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" "{PROJECT / "manage.py"}" {line}'],
        env={**_kept(), "MAILINGLIST_VAR": str(tmp_path), "DATABASE_URL": UNREACHABLE},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (status, bool(told)), done.stderr
    assert told in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import_subscribers", "gar\udcffden", "x.csv"), r"The argument 'gar\xffden' is not UTF-8."),
        (("unlock_login", "\udcff"), r"The argument '\xff' is not UTF-8."),
        (("send_campagne", "7"), "Unknown command: 'send_campagne'"),
    ],
)
def test_what_names_nothing_is_a_wrong_argument(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = manage(tmp_path, *arguments, DATABASE_URL=unprepared())
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_a_file_may_have_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    Path(tmp_path, "x\udcff.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), "classify_bounces", "x\udcff.json"],
        env={**_kept(), "MAILINGLIST_VAR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.startswith(b"x\xff.json"), done.stderr
