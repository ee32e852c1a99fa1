"""script/score: what classify_bounces says about a corpus of real bounces, against what people say about it.

The corpus is no part of the project (its mails have licences of their own). Where its folder is not there, nothing is
measured, and that is said and no failure.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from script import environment
from script.environment import PROJECT, PYTHON
from script.errors import StartError

_SHARED = PROJECT.parent / "shared"
#: In per cent: what the verdicts on whole mails must reach.
LEAST = {"recipients": 98, "hard_or_not": 98, "class": 96, "answered": 100}
MOST = {"wrong_hard": 0, "false_alarm": 0}
#: The same for single answers of servers.
LEAST_DIAGNOSTICS = 96.0
#: Our words for the classes of the corpus.
_SAME = {"message": "block", "unknown": "undetermined", "suppressed": "hard", "delayed": "soft"}


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 when every figure reaches its least, or when there is nothing to measure."""
    parser = argparse.ArgumentParser(
        prog="script/score", description="Score classify_bounces on a corpus of bounce mails and diagnostics."
    )
    parser.add_argument("--corpus", type=Path, default=_SHARED / "data" / "bounce-mails", metavar="FOLDER",
                        help="mails/, labels.csv and diagnostics.csv (../shared/data/bounce-mails)")  # fmt: skip
    parser.add_argument("--scorer", type=Path, default=_SHARED / "tools" / "score_verdicts.py", metavar="FILE",
                        help="the program that compares (../shared/tools/score_verdicts.py)")  # fmt: skip
    parser.add_argument("--wrong", action="store_true", help="list the mails that were judged wrongly")
    given = parser.parse_args(arguments)
    if not given.corpus.is_dir() or not given.scorer.is_file():
        print(f"The verdicts were not scored: {given.corpus} or {given.scorer} is not there.")
        return 0
    try:
        environment.ensure("requirements.txt", say=print)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    mails = _mails(given.corpus, given.scorer, wrong=given.wrong)
    diagnostics = _diagnostics(given.corpus / "diagnostics.csv")
    return int(not (mails and diagnostics))


def _mails(corpus: Path, scorer: Path, *, wrong: bool) -> bool:
    count = sum(1 for _ in (corpus / "mails").iterdir())
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as verdicts:
        begun = time.monotonic()
        done = _classify(str(corpus / "mails"), "--json")
        took = time.monotonic() - begun
        verdicts.write(done)
        verdicts.flush()
        asked = [f"--min={key}={value}" for key, value in LEAST.items()]
        asked += [f"--max={key}={value}" for key, value in MOST.items()]
        asked += ["--wrong"] if wrong else []
        command = [sys.executable, str(scorer), str(corpus / "labels.csv"), verdicts.name, *asked]
        scored = subprocess.run(command, capture_output=True, text=True, check=False)
    print(scored.stdout.strip() or scored.stderr.strip())
    print(f"{count} mails in {took:.1f} s with the start of Python.")
    return scored.returncode == 0


def _diagnostics(table: Path) -> bool:
    if not table.is_file():
        return True
    verdicts = [
        json.loads(line)["verdict"] for line in _classify("--diagnostics", str(table), "--json").splitlines()
    ]
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    figures = compared(rows, verdicts)
    print(json.dumps({"diagnostics": figures}))
    return figures["class"] >= LEAST_DIAGNOSTICS and figures["wrong_hard"] == 0


def compared(rows: Sequence[dict[str, str]], verdicts: Sequence[str]) -> dict[str, float]:
    """``class``: rows in per cent whose verdict is the labelled class or its second; ``wrong_hard``: rows that
    are not hard and were called so. Raises ValueError when there is not one verdict a row.
    """
    right = wrong_hard = 0
    for row, verdict in zip(rows, verdicts, strict=True):
        accepted = {row["class"], row["class_alt"] or row["class"]}
        right += _SAME.get(verdict, verdict) in accepted
        wrong_hard += verdict == "hard" and "hard" not in accepted
    return {"rows": len(rows), "class": round(100 * right / max(1, len(rows)), 2), "wrong_hard": wrong_hard}


def _classify(*arguments: str) -> str:
    command = [str(PYTHON), str(PROJECT / "manage.py"), "classify_bounces", *arguments]
    return subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True).stdout
