"""What counts as a good demo: the application's report against the ledger of the local SES."""

from typing import Any

import pytest

from script import demo

GOOD: dict[str, Any] = {"open": 0, "accepted": 3, "duplicates": 0}


def lines(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"recipient": recipient, "rule": rule} for recipient, rule in pairs]


@pytest.mark.parametrize(
    ("report", "entries", "told"),
    [
        (GOOD, lines(("a", "success"), ("b", "hard"), ("c", "ooto")), []),
        (GOOD, lines(("a", "soft"), ("a", "soft"), ("b", "success")), []),
        (GOOD, lines(("a", "later"), ("A", "later"), ("b", "success")), []),
        ({**GOOD, "open": 1}, lines(*[("a", "soft")] * 3), ["1 recipients are in no final state"]),
        (GOOD, lines(("a", "success")), ["names 3 accepted mails, the local SES 1"]),
        (GOOD, lines(*[(name, "success") for name in "abcd"]), ["names 3 accepted mails, the local SES 4"]),
        ({**GOOD, "duplicates": 2}, lines(*[("a", "soft")] * 3), ["names 2 duplicates"]),
        (GOOD, lines(("a", "success"), ("A", "success"), ("b", "hard")), ["was sent again to a."]),
        (GOOD, lines(("a", "ooto"), ("a", "soft"), ("b", "hard")), ["was sent again to a."]),
    ],
)
def test_report_and_ledger_are_compared(
    report: dict[str, Any], entries: list[dict[str, Any]], told: list[str]
) -> None:
    found = demo.problems(report, entries)
    assert len(found) == len(told) and all(part in whole for part, whole in zip(told, found, strict=True)), (
        found
    )
