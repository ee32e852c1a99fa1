"""script/faults: the fault matrix at full size, the quick one, and the mutations that must turn it red."""

import argparse
import sys
import time
from queue import Empty

import psycopg

from tests.faults import mutations
from tests.faults import rig as rigs
from tests.faults.matrix import FULL, QUICK, Run
from tests.faults.table import Row, as_line, markdown

_EXAMPLES = """\
examples:
  script/faults --quick              about 2,000 recipients, every failpoint, in under ten minutes
  script/faults --seed 3             the full sizes, for a release; takes an hour or more
  script/faults --only kills,broker  some rows
  script/faults --mutations          break the engine in five ways; each must turn the rig red

exit status: 0 every row passed (with --mutations: every mutation was noticed), 1 not, 2 wrong arguments"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="script/faults",
        description="Kills, cuts and stalls everything around the sending engine, and checks what became of each mail.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="the quick sizes")
    parser.add_argument("--only", metavar="ROWS", help="rows by name, with commas between")
    parser.add_argument("--seed", type=_seed, default=1, metavar="N", help="of all random choices (1)")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--mutations", action="store_true", help="see below")
    given = parser.parse_args(arguments)
    matrix = QUICK if given.quick else FULL
    names = list(matrix) if given.only is None else [name.strip() for name in given.only.split(",")]
    if unknown := [name for name in names if name not in matrix]:
        parser.error(f"There is no row {unknown[0]!r}. Rows: {', '.join(matrix)}.")
    if given.mutations:
        return mutations.run(given.seed)
    rows, ledger = play({name: matrix[name] for name in names}, given.seed)
    print(markdown(rows))
    print(f"The ledger and the logs are in {ledger}.")
    if given.json:
        print(as_line(rows, ledger))
    return int(any(row.violations or row.lost or row.unexplained for row in rows))


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 0 or more.")
    return int(text)


def play(matrix: dict[str, Run], seed: int) -> tuple[list[Row], str]:
    """Run the rows one after the other in one rig; a row that ends with an error has failed."""
    rows = []
    with rigs.running(keep=True) as rig:
        for name, run in matrix.items():
            began = time.monotonic()
            try:
                row = run(rig, seed)
            except (AssertionError, OSError, RuntimeError, psycopg.Error, Empty) as error:
                row = Row(name, "", seed, violations=[f"{type(error).__name__}: {error}"])
                if rig.last:
                    rig.judge(row, *rig.last, drained=False, events=False)
            row.seconds = round(time.monotonic() - began, 1)
            rows.append(row)
            state = "FAILED " + " ".join(row.violations) if row.violations else "passed"
            print(f"{name}: {state} ({row.seconds} s)", file=sys.stderr, flush=True)
        return rows, str(rig.ledger)


if __name__ == "__main__":
    sys.exit(main())
