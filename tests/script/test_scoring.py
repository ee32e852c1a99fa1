"""script/score: what it compares, and that a machine without the corpus is told so."""

from pathlib import Path

import pytest

from script import scoring


def row(label: str, second: str = "") -> dict[str, str]:
    return {"class": label, "class_alt": second}


def test_the_second_class_counts_and_our_finer_words_are_theirs() -> None:
    rows = [row("hard"), row("block", "soft"), row("block"), row("undetermined"), row("soft")]
    found = scoring.compared(rows, ["hard", "soft", "message", "unknown", "delayed"])
    assert found == {"rows": 5, "class": 100.0, "wrong_hard": 0}


def test_what_is_not_hard_and_was_called_so_is_counted() -> None:
    found = scoring.compared([row("soft"), row("soft", "hard"), row("hard")], ["hard", "hard", "soft"])
    assert found == {"rows": 3, "class": 33.33, "wrong_hard": 1}


def test_a_verdict_too_few_is_no_score() -> None:
    with pytest.raises(ValueError):
        scoring.compared([row("soft"), row("soft")], ["soft"])


def test_without_the_corpus_it_says_so_and_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scoring.main(["--corpus", str(tmp_path / "none")]) == 0
    assert "were not scored" in capsys.readouterr().out
