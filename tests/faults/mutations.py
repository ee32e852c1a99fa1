"""The engine broken in five ways, each in a copy of the project: a rig that was never red proves nothing."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from script.environment import PROJECT

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True, slots=True)
class Mutation:
    """``changes``: (file, text, what stands there instead). ``rows``: those of the quick matrix that must notice."""

    what: str
    rows: str
    changes: tuple[tuple[str, str, str], ...]


MUTATIONS = (
    Mutation(
        "the claim is committed only after the call of SES",
        # At a random moment the window is open for milliseconds; a failpoint is always in it.
        "failpoints",
        (
            ("mailinglist/sending/claims.py", "transaction.atomic(durable=True)", "transaction.atomic()"),
            (
                "mailinglist/sending/engine.py",
                "    def _round(self) -> None:\n",
                "    def _round(self) -> None:\n        from django.db import transaction\n\n"
                "        with transaction.atomic():\n            self._round_inside()\n"
                "            while self.in_hand:\n                self._collect()\n\n"
                "    def _round_inside(self) -> None:\n",
            ),
        ),
    ),
    Mutation(
        "nothing makes a delivery unique",
        "schedulers",
        (
            (
                "mailinglist/sending/audience.py",
                "ON CONFLICT (campaign_id, subscriber_id) DO NOTHING",
                "",
            ),
            (
                "mailinglist/migrations/0001_squashed_0055.py",
                'models.UniqueConstraint(\n                        fields=("subscriber", "campaign")',
                "models.CheckConstraint(\n                        condition=models.Q(id__gt=0)",
            ),
        ),
    ),
    Mutation(
        "a call without an answer is made three times",
        "lost-response",
        (
            (
                "mailinglist/sending/wire.py",
                "        return _parsed(operation, hub.run(lambda: self._post(path, body)))",
                "        for _ in range(2):\n            try:\n"
                "                return _parsed(operation, hub.run(lambda: self._post(path, body)))\n"
                "            except boto.HTTPClientError:\n                continue\n"
                "        return _parsed(operation, hub.run(lambda: self._post(path, body)))",
            ),
        ),
    ),
    Mutation(
        "the webhook answers 200 before the notification is committed",
        "webhook-crashes",
        (
            (
                "bounces/ingest.py",
                "def store(\n",
                "def store(*args, **values):\n    import threading\n"
                "    threading.Timer(1.0, _store, args, values).start()\n    return Stored(0, True)\n\n\n"
                "def _store(\n",
            ),
        ),
    ),
    Mutation(
        "a worker's rows count as sent from the moment it took them, like a cursor that moved on",
        # Most rows are posted right after the claim, and then they are sent; a failpoint is in between.
        "failpoints",
        (
            (
                "mailinglist/sending/claims.py",
                "UPDATE mailinglist_delivery d SET state = 'unknown', lease_until = NULL",
                "UPDATE mailinglist_delivery d SET state = 'sent', lease_until = NULL",
            ),
        ),
    ),
)


def run(seed: int) -> int:
    """0 when every mutation turned its rows red."""
    noticed = []
    for mutation in MUTATIONS:
        with tempfile.TemporaryDirectory(prefix="mailinglist-mutation-") as folder:
            copy = Path(folder) / "project"
            shutil.copytree(PROJECT, copy, ignore=_LEFT_OUT)
            (copy / ".venv").symlink_to(PROJECT / ".venv")
            _change(copy, mutation)
            python = str(copy / ".venv" / "bin" / "python")
            command = [python, "-m", "tests.faults", "--quick", "--only", mutation.rows, "--seed", str(seed)]
            # What the run would keep for inspection goes with the copy.
            here = {**os.environ, "TMPDIR": folder}
            done = subprocess.run(command, cwd=copy, env=here, capture_output=True, text=True, check=False)
        # An engine that does not even start proves nothing: a promise must be named that was broken.
        red = re.search(r"FAILED: .*?(\b[IF]\d+: [^|]*)", done.stdout) if done.returncode == 1 else None
        noticed.append(bool(red))
        print(
            f"{'noticed' if red else 'NOT NOTICED'}: {mutation.what} ({mutation.rows})"
            + (f" – {red[1].strip()}" if red else ""),
            flush=True,
        )
        if not red:
            print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
    return int(not all(noticed))


def _change(copy: Path, mutation: Mutation) -> None:
    for name, text, instead in mutation.changes:
        file = copy / name
        source = file.read_text()
        if source.count(text) != 1:
            raise SystemExit(f"The mutation “{mutation.what}” does not fit {name} any more; mend it.")
        file.write_text(source.replace(text, instead))
