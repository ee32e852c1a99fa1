"""script/faults says what is wrong with its arguments before it starts anything."""

import pytest

from tests.faults import __main__ as faults


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "-1"], "'-1' is no whole number of 0 or more."),
        (["--seed", "x"], "'x' is no whole number of 0 or more."),
        (["--only", ""], "There is no row ''. Rows: kills,"),
        (["--only", "kills,", "--mutations"], "There is no row ''. Rows: kills,"),
        (["--only", "kill"], "There is no row 'kill'. Rows: kills,"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for started in ("play", "mutations"):
        monkeypatch.setattr(faults, started, None)
    with pytest.raises(SystemExit) as end:
        faults.main(arguments)
    assert end.value.code == 2
    assert said in capsys.readouterr().err
