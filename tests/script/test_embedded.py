"""Where the embedded servers are, and the keys of an installation."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import dj_database_url
import pytest

from script import embedded
from script.environment import PROJECT
from script.errors import StartError


def test_var_is_in_the_project_unless_another_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MAILINGLIST_VAR")
    assert embedded.var_dir() == PROJECT / "var"
    monkeypatch.setenv("MAILINGLIST_VAR", str(tmp_path))
    assert embedded.var_dir() == tmp_path
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILINGLIST_VAR", "here")
    assert embedded.var_dir() == tmp_path / "here"


def test_the_keys_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    made = embedded.local_settings(tmp_path / "new")
    assert embedded.local_settings(tmp_path / "new") == made
    assert len(bytes.fromhex(made["SUPPRESSION_KEY"])) == 32 and len(made["SECRET_KEY"]) >= 50
    assert stat.S_IMODE((tmp_path / "new" / "local.json").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["local.json"]


def test_processes_that_need_the_keys_at_once_get_the_same(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from script import embedded; "
        "print(embedded.local_settings(pathlib.Path(sys.argv[1])))"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    said = {child.communicate(timeout=30)[0] for child in children}
    assert len(said) == 1 and b"SECRET_KEY" in said.pop()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"SECRET_KEY": "x"}'])
def test_damaged_keys_are_never_replaced(tmp_path: Path, damage: str) -> None:
    (tmp_path / "local.json").write_text(damage)
    with pytest.raises(StartError, match=r"local\.json with the keys .* cannot be read"):
        embedded.local_settings(tmp_path)
    assert (tmp_path / "local.json").read_text() == damage


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"file/var cannot be made .* MAILINGLIST_VAR"):
        embedded.local_settings(tmp_path / "file" / "var")


@pytest.mark.parametrize(
    ("var", "close"),
    [
        ("/srv/mailinglist/var", True),
        ("/srv/a folder with spaces/var", True),
        ("/srv/" + "long/" * 30 + "var", False),
        ("/srv/" + "é" * 45, False),
        ("/srv/one,two/var", False),
        ('/srv/"quoted"/var', False),
    ],
)
def test_sockets_are_in_var_unless_its_path_is_too_long_or_odd(var: str, close: bool) -> None:
    folder = embedded.socket_dir(Path(var))
    assert (folder == Path(var) / "run") is close
    assert len(os.fsencode(folder / embedded.POSTGRES_SOCKET)) <= 103
    assert embedded.socket_dir(Path(var)) == folder != embedded.socket_dir(Path(var + "2"))


def test_the_place_of_the_sockets_does_not_depend_on_tmpdir(monkeypatch: pytest.MonkeyPatch) -> None:
    var = Path("/srv/" + "long/" * 30)
    before = embedded.socket_dir(var)
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert embedded.socket_dir(var) == before


def test_a_folder_for_sockets_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folder = embedded.make_socket_dir(tmp_path)
    assert embedded.make_socket_dir(tmp_path) == folder
    folder.chmod(0o755)
    with pytest.raises(StartError, match="not a private folder"):
        embedded.make_socket_dir(tmp_path)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(StartError, match="not a private folder"):
        embedded.make_socket_dir(tmp_path)


def test_the_url_of_the_database_survives_odd_paths() -> None:
    var = Path("/srv/50% of a/var?x=y#z")
    parsed = dj_database_url.parse(embedded.database_url(var))
    assert (
        parsed["HOST"] == str(embedded.socket_dir(var)) and parsed["NAME"] == parsed["USER"] == "mailinglist"
    )


def test_the_settings_use_what_is_named_here(tmp_path: Path) -> None:
    program = (
        "import json; from mailinglist import settings as s; "
        "print(json.dumps([s.DATABASE_URL, s.CELERY_BROKER_URL, s.SECRET_KEY]))"
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_URL") and name != "SECRET_KEY"
    }
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={**kept, "MAILINGLIST_VAR": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert json.loads(said.stdout) == [
        embedded.database_url(tmp_path),
        embedded.broker_url(tmp_path),
        embedded.local_settings(tmp_path)["SECRET_KEY"],
    ]
