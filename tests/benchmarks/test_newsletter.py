"""django-newsletter is measured where it is installed, and left out with a sentence where it is not."""

from argparse import Namespace
from typing import Any

import pytest

from benchmarks import __main__ as bench
from benchmarks.place import Failed, Took
from script.errors import StartError


class Place:
    """Every task finds the same."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def do(self, task: str, **arguments: Any) -> Took:
        return Took(2.0, 1.0, 0.5, 90.0, self.found)


def make(said: list[str], *, quick: bool = False, found: Any = None) -> bench._Bench:
    return bench._Bench(Place(found), Namespace(quick=quick, only=None), said.append)  # type: ignore[arg-type]


def test_it_is_installed_unless_the_measurement_has_to_be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[str] = []
    monkeypatch.setattr(bench.environment, "ensure", lambda *files, say: wanted.extend(files))
    said: list[str] = []
    assert make(said)._has_newsletter() and not wanted  # it is here already
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    assert not make(said, quick=True)._has_newsletter() and not wanted
    assert "left out" in said.pop()
    assert make(said)._has_newsletter() and "requirements-dev.txt" in wanted


def test_what_cannot_be_installed_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*files: str, say: object) -> None:
        raise StartError("There is no pip.")

    monkeypatch.setattr(bench.environment, "ensure", fails)
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    said: list[str] = []
    assert not make(said)._has_newsletter()
    assert "no pip" in said[0] and "left out" in said[0]


def test_its_run_counts_the_database_and_fails_when_a_mail_is_missing() -> None:
    measured = make([], found=7)
    measured.messages[7] = measured.messages[8] = 1
    run = measured._submission(7, 0)
    assert (run.way, run.rate, run.database_cpu) == ("newsletter", 3.5, 0.5)
    with pytest.raises(Failed, match="7 messages of 8"):
        measured._submission(8, 0)
