"""What script/test asks of coverage, and how it is called."""

from typing import Any

import pytest

from script import testing


def report(lines: int, **branches: int) -> dict[str, Any]:
    """A coverage report: so many of 100 lines; by file, so many of 100 branches."""
    names = {
        "queue": "mailinglist/sending/queue.py",
        "classify": "bounces/classify.py",
        "other": "bounces/views.py",
    }
    files = {names[n]: {"summary": {"covered_branches": b, "num_branches": 100}} for n, b in branches.items()}
    return {"totals": {"covered_lines": lines, "num_statements": 100}, "files": files}


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (report(90, queue=95, classify=100, other=10), []),
        (report(89), ["coverage of lines is 89.0 %, less than 90 %"]),
        (
            report(95, queue=94),
            ["coverage of branches in mailinglist/sending/queue.py is 94.0 %, less than 95 %"],
        ),
        (report(95, classify=0), ["coverage of branches in bounces/classify.py is 0.0 %, less than 95 %"]),
    ],
)
def test_too_little_coverage_is_named(measured: dict[str, Any], told: list[str]) -> None:
    assert testing.shortfalls(measured) == told


def test_coverage_of_a_few_tests_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert testing.main(["--coverage", "tests/bounces"]) == 2
    assert "goes without other arguments" in capsys.readouterr().err
