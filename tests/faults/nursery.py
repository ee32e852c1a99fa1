"""``python -m tests.faults.nursery``: starts the celery programs of a rig in a twentieth of the time.

Most of a worker's start is the import of libraries and the set-up of Django. This process imports the libraries once and
forks one room for each environment that it is asked for. A room sets the app up in that environment, once, and forks the
programs: each is a process of its own in a group of its own. Orders come as JSON lines on stdin, and each is answered by
one line; at the end of stdin, or when this process is killed, the children are killed.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from script import processes

#: What celery and the app need and what reads no setting of ours when it is imported.
LIBRARIES = (
    "aiohttp", "boto3", "botocore.session", "celery.apps.beat", "celery.apps.worker", "celery.bin.celery",
    "celery.worker", "cryptography.hazmat.primitives.asymmetric.padding", "css_inline", "dj_database_url",
    "django.contrib.admin", "django.core.handlers.wsgi", "django.db.backends.postgresql.base",
    "django.template.backends.django", "greenlet", "httptools", "kombu.transport.redis", "markdown_it", "nh3", "psycopg",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """Another process that forks for one environment; ``orders`` to it, ``answers`` from it, a line each."""

    orders: IO[str]
    answers: IO[str]

    def ask(self, line: str) -> str:
        self.orders.write(line)
        self.orders.flush()
        return self.answers.readline()


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    rooms: dict[str, Room] = {}
    where: dict[int, Room] = {}
    _say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        if pid := order.get("poll"):
            answer = where[pid].ask(line)
        else:
            environment = json.dumps(order["environment"], sort_keys=True)
            room = rooms.get(environment)
            if room is None:
                room = rooms[environment] = _room(order["environment"], rooms.values())
            answer = room.ask(line)
            where[int(answer)] = room
        sys.stdout.write(answer)
        sys.stdout.flush()
    for room in rooms.values():
        room.orders.close()
        room.answers.read()  # until it has killed its children


def _room(environment: Mapping[str, str], others: Iterable[Room]) -> Room:
    """Fork a room; it ends at the end of its orders, which it alone must be able to see."""
    (orders_out, orders_in), (answers_out, answers_in) = os.pipe(), os.pipe()
    dies_with_us = processes.dies_with_parent(signal.SIGTERM) if processes.LINUX else None
    if os.fork():
        os.close(orders_out)
        os.close(answers_in)
        return Room(os.fdopen(orders_in, "w"), os.fdopen(answers_out))
    if dies_with_us:
        dies_with_us()
    os.close(orders_in)
    os.close(answers_out)
    for other in others:
        other.orders.close()
        other.answers.close()
    os.dup2(orders_out, 0)
    os.dup2(answers_in, 1)
    os.environ.clear()
    os.environ.update(environment)
    _set_up()
    _serve()
    os._exit(0)


def _set_up() -> None:
    """All that a celery program of the app does before it knows which program it is."""
    import django

    from mailinglist import celery_app

    django.setup()
    celery_app.loader.import_default_modules()
    importlib.import_module("mailinglist.sending.ses")
    gc.freeze()


def _serve() -> None:
    children: dict[int, int | None] = {}
    with open(0, closefd=False) as orders:
        for line in orders:
            order = json.loads(line)
            if pid := order.get("poll"):
                _reap(children)
                _say(children[pid])
            else:
                pid = _fork(order["arguments"], order["log"])
                children[pid] = None
                _say(pid)
    for pid in children:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _fork(arguments: Sequence[str], log: str) -> int:
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
