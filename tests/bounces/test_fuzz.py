"""The fuzzer itself for a few seconds, and that it notices what it is there for."""

import contextlib
import resource
import time

import pytest

from bounces import reading
from tests.bounces import fuzz


@pytest.fixture(autouse=True)
def beside_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the fuzzer's own; what earlier tests of this process took does not count."""
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    monkeypatch.setattr(fuzz, "MEGABYTES", fuzz.MEGABYTES + taken)


@pytest.mark.no_cover
def test_a_hundred_broken_inputs_break_nothing() -> None:
    assert fuzz.rounds(1, 5 / 60, 100, lambda checked: None) > 50


@pytest.mark.no_cover
def test_every_sample_is_read_without_being_broken() -> None:
    for raw in fuzz.samples():
        fuzz.check(raw)


def test_an_exception_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(reading, "of_json", broken)
    with pytest.raises(KeyError):
        fuzz.rounds(1, 5 / 60, 50, lambda checked: None)


def test_a_hang_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(raw: bytes) -> None:
        with contextlib.suppress(Exception):
            until = time.process_time() + 3
            while time.process_time() < until:
                pass

    monkeypatch.setattr(reading, "of_json", slow)
    monkeypatch.setattr(fuzz, "SECONDS", 0.1)
    with pytest.raises(fuzz.Hang):
        fuzz.check(b"x")
