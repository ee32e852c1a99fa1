"""``python -m tests.faults.nursery``: starts the celery programs of a rig in a twentieth of the time.

Most of a worker's start is the import of libraries. This process imports them once and forks: each child is a process of
its own in a group of its own, which reads its settings from its own environment. Orders come as JSON lines on stdin, and
each is answered by one line; at the end of stdin, or when this process is killed, the children are killed.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from script import processes

#: What celery and the app need and what reads no setting of ours when it is imported.
_LIBRARIES = (
    "aiohttp", "boto3", "botocore.session", "celery.apps.beat", "celery.apps.worker", "celery.bin.celery",
    "celery.worker", "cryptography.hazmat.primitives.asymmetric.padding", "css_inline", "dj_database_url",
    "django.contrib.admin", "django.core.handlers.wsgi", "django.db.backends.postgresql.base",
    "django.template.backends.django", "greenlet", "httptools", "kombu.transport.redis", "markdown_it", "nh3", "psycopg",
)  # fmt: skip


def main() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)
    children: dict[int, int | None] = {}
    gc.freeze()
    _say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        if pid := order.get("poll"):
            _reap(children)
            _say(children[pid])
        else:
            pid = _fork(order["arguments"], order["environment"], order["log"])
            children[pid] = None
            _say(pid)
    for pid in children:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _fork(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> int:
    dies_with_us = processes.dies_with_parent(signal.SIGTERM) if processes.LINUX else None
    if pid := os.fork():
        return pid
    os.setsid()
    if dies_with_us:
        dies_with_us()
    with open(os.devnull, "rb") as nothing, open(log, "ab") as out:
        os.dup2(nothing.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = list(arguments)
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _reap(children: dict[int, int | None]) -> None:
    """Take down how those ended that did; a signal is its negative number, as subprocess has it."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        children[pid] = os.waitstatus_to_exitcode(status)


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
