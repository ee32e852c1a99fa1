"""``runtime.json`` in var: where the servers of a running script/start are and how it counts time, for commands
that are started beside it.

Written by script/start, read by mailinglist/settings.py. A file that a killed start left behind says nothing.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NAME = "runtime.json"


def read(var: Path) -> dict[str, Any]:
    """What the script/start that runs in ``var`` wrote; empty where none runs."""
    try:
        found: dict[str, Any] = json.loads((var / _NAME).read_text())
        runs = _is_alive(int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if runs else {}


def write(var: Path, values: Mapping[str, object]) -> None:
    """Say that this process runs in ``var``, and ``values`` with it."""
    draft = var / f"{_NAME}.new"
    draft.write_text(json.dumps({"pid": os.getpid(), **values}))
    draft.replace(var / _NAME)


def remove(var: Path) -> None:
    """Nothing runs in ``var`` any more."""
    (var / _NAME).unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True
