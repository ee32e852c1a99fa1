"""script/test: everything that must hold before a change is kept, in the environment of script/start.

Without arguments: style, types, migrations, and all tests; with --coverage also how much of the code they reach. With
other arguments: the tests that these name, and nothing else. The last line is pytest's own closing line.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from script import environment
from script.environment import PROJECT, PYTHON
from script.errors import StartError

_HELP = """\
usage: script/test [--coverage | pytest arguments]

Without arguments: ruff, mypy, the migrations, and all tests. With --coverage also how much of the code the tests reach,
and whether that is enough; they then take half as long again. With other arguments: only the tests that they name.

examples:
  script/test
  script/test --coverage
  script/test tests/bounces -k policy -x

exit status: 0 all is well, 1 something failed, 2 wrong arguments. REQUIRE_BROWSER=1 fails where no Chromium is."""
_CHECKS = (
    ("ruff check", ("-m", "ruff", "check", ".", "script/start", "script/test")),
    ("ruff format", ("-m", "ruff", "format", "--check", "--quiet", ".", "script/start", "script/test")),
    ("mypy", ("-m", "mypy")),
    ("makemigrations", ("manage.py", "makemigrations", "--check", "--dry-run")),
)
#: One more than there are cores: many tests wait for real processes. Files in our order: tests/conftest.py.
_PROCESSES = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder")
_COVERAGE = "--coverage"
_MEASURE = ("--cov", "--cov-branch", "--cov-report=")
_LEAST_LINES, _LEAST_BRANCHES = 90.0, 95.0
#: Where a wrong turn costs somebody a mail, or a subscription.
_EVERY_BRANCH = (
    "bounces/policy.py",
    "bounces/classify*.py",
    "bounces/sns.py",
    "mailinglist/sending/queue.py",
    "mailinglist/sending/claims.py",
)
#: The tests choose these themselves; and with the last one, each of their hundred processes would compile all code anew.
_UNWANTED = (
    "MAILINGLIST_VAR", "MAILINGLIST_MODE", "PUBLIC_URL", "DAY_SECONDS", "DJANGO_SETTINGS_MODULE",
    "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 only when nothing failed."""
    if set(arguments) & {"-h", "--help"}:
        print(_HELP)
        return 0
    measured = _COVERAGE in arguments
    if measured and len(arguments) > 1:
        print(f"{_COVERAGE} measures all tests, so it goes without other arguments.", file=sys.stderr)
        return 2
    try:
        environment.ensure("requirements.txt", "requirements-dev.txt", say=_say)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    values = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    try:
        return _tests(arguments, values) if arguments and not measured else _everything(values, measured)
    except KeyboardInterrupt:
        return 130


def _tests(arguments: Sequence[str], values: Mapping[str, str]) -> int:
    chosen = any(part.startswith(("-n", "--numprocesses", "--pdb")) for part in arguments)
    command = [PYTHON, "-m", "pytest", *(() if chosen else _PROCESSES), *arguments]
    return subprocess.run(command, cwd=PROJECT, env=values, check=False).returncode


def _everything(values: Mapping[str, str], measured: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="mailinglist-checks-") as var:
        here = {**values, "MAILINGLIST_VAR": var}
        failed = [name for name, command in _CHECKS if _fails(name, command, here)]
        _say("pytest …")
        kept = {**values, "COVERAGE_FILE": str(Path(var) / "coverage")}
        status, closing = _pytest(kept, _MEASURE if measured else ())
        # A run that was cut short says nothing about coverage.
        if measured and status in (0, 1):
            failed += _coverage(kept, Path(var) / "coverage.json")
    if failed:
        _say(f"\nFailed: {', '.join(failed)}.")
    _say(closing)
    return status or int(bool(failed))


def _fails(name: str, command: Sequence[str], values: Mapping[str, str]) -> bool:
    _say(f"{name} …")
    return subprocess.run([PYTHON, *command], cwd=PROJECT, env=values, check=False).returncode != 0


def _pytest(values: Mapping[str, str], more: Sequence[str]) -> tuple[int, str]:
    """Run all tests and show what they say but the last line; the status, and that line."""
    color = "yes" if sys.stdout.isatty() else "auto"
    arguments = [*_PROCESSES, *more, f"--color={color}"]
    held = ""
    with subprocess.Popen(
        [PYTHON, "-m", "pytest", *arguments], cwd=PROJECT, env=values, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(held, end="", flush=True)
            held = line
    return child.returncode, held.rstrip("\n")


def _coverage(values: Mapping[str, str], report: Path) -> list[str]:
    """Print what the tests reach; what is below its least, in words."""
    coverage = [str(PYTHON), "-m", "coverage"]
    subprocess.run([*coverage, "report"], cwd=PROJECT, env=values, check=False)
    made = subprocess.run([*coverage, "json", "-q", "-o", str(report)], cwd=PROJECT, env=values, check=False)
    if made.returncode:
        return ["coverage"]
    return shortfalls(json.loads(report.read_text()))


def shortfalls(report: Mapping[str, Any]) -> list[str]:
    """Where coverage's JSON report is below what we ask for."""
    found = []
    totals = report["totals"]
    lines = 100 * totals["covered_lines"] / max(1, totals["num_statements"])
    if lines < _LEAST_LINES:
        found.append(f"coverage of lines is {lines:.1f} %, less than {_LEAST_LINES:g} %")
    for file, numbers in sorted(report["files"].items()):
        summary = numbers["summary"]
        if not any(fnmatch(file, pattern) for pattern in _EVERY_BRANCH) or not summary["num_branches"]:
            continue
        branches = 100 * summary["covered_branches"] / summary["num_branches"]
        if branches < _LEAST_BRANCHES:
            found.append(
                f"coverage of branches in {file} is {branches:.1f} %, less than {_LEAST_BRANCHES:g} %"
            )
    return found


def _say(words: str) -> None:
    print(words, flush=True)
