"""Numbers from an address: plain digits that a row can have, and nothing else."""

import pytest

from mailinglist.whole_numbers import LARGEST, whole_number


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), (str(LARGEST), LARGEST), ("0", 0)])
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "-1",
        "+1",
        "1.0",
        " 1",
        "1\n",
        "1_0",
        "²",
        "١",
        "①",
        str(LARGEST + 1),
        "9" * 5000,
        "1\x00",
    ],
)
def test_everything_else_is_the_number_of_no_row(text: str | None) -> None:
    assert whole_number(text) == 0
