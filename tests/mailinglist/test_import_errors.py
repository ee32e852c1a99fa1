"""import_subscribers --errors: the file of bad rows never costs another file."""

import io
import os
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.factories import make_list

pytestmark = pytest.mark.django_db
PEOPLE = "email,name\nada@post.example,Ada\nbad,Bo\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_list("news")
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "re.csv"
    found.write_text(PEOPLE)
    return found


def run(*arguments: str) -> int:
    try:
        call_command("import_subscribers", "news", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    except SystemExit as end:
        return int(str(end.code))
    return 0


@pytest.mark.parametrize("errors", ["re.csv", "./re.csv", "hard.csv", "symbolic.csv"])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_the_file_that_is_read_is_not_written(file: Path, errors: str, dry: tuple[str, ...]) -> None:
    os.link(file, "hard.csv")
    os.symlink(file, "symbolic.csv")
    with pytest.raises(CommandError, match="is the file that is read") as refusal:
        run("re.csv", "--errors", errors, *dry)
    assert refusal.value.returncode == 2
    assert file.read_text() == PEOPLE


def test_nor_is_the_file_that_is_the_standard_input(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file.open() as given:
        monkeypatch.setattr(sys, "stdin", given)
        with pytest.raises(CommandError, match="is the file that is read"):
            run("-", "--errors", "re.csv")
    assert file.read_text() == PEOPLE


@pytest.mark.parametrize("name", ["missing.csv", "utf16.csv"])
def test_earlier_errors_survive_an_input_that_cannot_be_read(file: Path, name: str) -> None:
    Path("utf16.csv").write_bytes(PEOPLE.encode("utf-16"))
    bad = Path("bad.csv")
    bad.write_text("earlier")
    before = set(file.parent.iterdir())
    with pytest.raises(CommandError):
        run(name, "--errors", "bad.csv")
    assert bad.read_text() == "earlier"
    assert set(file.parent.iterdir()) == before


def test_errors_are_written_where_a_link_leads(file: Path) -> None:
    Path("bad.csv").write_text("earlier")
    os.symlink("bad.csv", "link.csv")
    assert run("re.csv", "--errors", "link.csv") == 1
    assert "The address has no @ sign." in Path("bad.csv").read_text()
    assert Path("link.csv").is_symlink()


@pytest.mark.parametrize(("errors", "told"), [(".", "is a folder"), ("no/bad.csv", "no/bad.csv: No such")])
def test_a_place_that_cannot_be_written_is_told_before_anybody_is_subscribed(
    file: Path, errors: str, told: str
) -> None:
    with pytest.raises(CommandError, match=told) as refusal:
        run("re.csv", "--errors", errors)
    assert refusal.value.returncode == 2


def test_a_pipe_gets_the_errors_as_they_come(file: Path) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run("re.csv", "--errors", "pipe") == 1
    assert b"no @ sign" in os.read(reader, 1000)
    os.close(reader)
