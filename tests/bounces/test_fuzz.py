"""The fuzzer itself for a few seconds, and that it notices what it is there for."""

import contextlib
import time

import pytest

from bounces import reading
from tests.bounces import fuzz


def test_a_few_hundred_broken_inputs_break_nothing() -> None:
    assert fuzz.rounds(1, 5 / 60, 200, lambda checked: None) > 100


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
            time.sleep(3)

    monkeypatch.setattr(reading, "of_json", slow)
    monkeypatch.setattr(fuzz, "SECONDS", 0.1)
    with pytest.raises(fuzz.Hang):
        fuzz.check(b"x")
