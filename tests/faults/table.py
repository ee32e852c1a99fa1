"""What a row of the fault matrix came to, and the table of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

COLUMNS = ("row", "seed", "recipients", "kills", "lost", "duplicates", "unknown", "recovery s", "result")


@dataclass
class Row:
    """``violations`` empty: passed. ``unknown``: deliveries in doubt when the row was over."""

    name: str
    what: str
    seed: int
    recipients: int = 0
    accepted: int = 0
    kills: int = 0
    failpoints: list[str] = field(default_factory=list)
    lost: int = 0
    duplicates: int = 0
    unexplained: int = 0
    unknown: int = 0
    #: Deliveries that stayed unknown until the manager clicked; none of them was in the ledger.
    held: int = 0
    recovery_s: float = 0.0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def markdown(rows: Sequence[Row]) -> str:
    lines = [" | ".join(("", *COLUMNS, "")).strip(), "|" + " --- |" * len(COLUMNS)]
    for row in rows:
        result = "passed" if not row.violations else "FAILED: " + " ".join(row.violations)
        cells = (
            f"{row.name} {row.what}", row.seed, row.recipients, row.kills, row.lost, row.duplicates, row.unknown,
            f"{row.recovery_s:.1f}", result,
        )  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def summary(rows: Sequence[Row], ledger: str) -> dict[str, Any]:
    """The last line of ``script/faults --json``."""
    return {
        "kills": sum(row.kills for row in rows),
        "failpoints": sorted({name for row in rows for name in row.failpoints}),
        "recipients": sum(row.recipients for row in rows),
        "accepted": sum(row.accepted for row in rows),
        "lost": sum(row.lost for row in rows),
        "duplicates": sum(row.duplicates for row in rows),
        "duplicates_unexplained": sum(row.unexplained for row in rows),
        "unknown_left": sum(row.unknown for row in rows),
        "held_and_resent": sum(row.held for row in rows),
        "recovery_s_max": round(max((row.recovery_s for row in rows), default=0.0), 1),
        "violations": [f"{row.name}: {text}" for row in rows for text in row.violations],
        "rows": [asdict(row) for row in rows],
        "ledger": ledger,
    }


def as_line(rows: Sequence[Row], ledger: str) -> str:
    return json.dumps(summary(rows, ledger))
