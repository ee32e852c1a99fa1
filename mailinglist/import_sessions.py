"""All staged people of an import merged, chunk by chunk: a large file by two database sessions at once.

Called by imports.py. The people are in the order of their keys; each session takes one half of them, so that the two
never touch the same person, and no transaction ever waits for the other's. What is done of each half is told in the
transaction that does it, so that a run that was killed goes on where each session was.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Lock

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from mailinglist import import_staging
from mailinglist.import_merge import Counts, Order, merge_chunk

CHUNK = 20_000
#: From so many chunks on a second session is worth its while.
ALONE_BELOW = 4
_TELL_EVERY_SECONDS = 0.5


@dataclass(slots=True)
class Part:
    """People with the numbers from ``done`` (itself left out) to ``upto`` are still to be merged by one session."""

    done: int
    upto: int


@dataclass(slots=True)
class Work:
    """What is done so far, and what is still to be done. What was kept of it goes on with ``merge``."""

    parts: list[Part]
    total: Counts

    @property
    def people_done(self) -> int:
        """How many of all people are through."""
        return self.parts[-1].upto - sum(part.upto - part.done for part in self.parts)


def work_for(people: int) -> Work:
    """The work of merging so many people, before its beginning."""
    if people < ALONE_BELOW * CHUNK or connection.in_atomic_block:  # nobody else sees what is not committed
        return Work([Part(0, people)], Counts())
    middle = people // CHUNK // 2 * CHUNK
    return Work([Part(0, middle), Part(middle, people)], Counts())


def merge(
    work: Work,
    order: Order,
    *,
    done: Callable[[int], None],
    keep: Callable[[Work], None] | None = None,
) -> Counts:
    """Merge what is staged in this session; ``done`` hears how many people are through.

    ``keep`` hears it too, inside the transaction of the chunk: what it writes is there exactly when the chunk is. It may
    be called in another thread, and stops all by raising.
    """
    merging = _Merging(work, order, keep)
    mine, *other = work.parts
    if not other:
        for _ in merging.chunks(mine):
            done(work.people_done)
    else:
        merging.with_second_session(mine, other[0], done)
    import_staging.drop_staged()
    return work.total


class _Stopped(Exception):
    """The other session has failed."""


class _Merging:
    """One run of ``merge``: what its sessions share."""

    def __init__(self, work: Work, order: Order, keep: Callable[[Work], None] | None) -> None:
        self._work, self._order, self._keep = work, order, keep
        self._lock, self._failed = Lock(), False

    def chunks(self, part: Part) -> Iterator[None]:
        """Merge a part in the session of this thread; comes back after each chunk."""
        while part.done < part.upto:
            upto = min(part.done + CHUNK, part.upto)
            # The order matters: it is the next one's turn only after the commit.
            with ExitStack() as turn, transaction.atomic(), connection.cursor() as cursor:
                counts = merge_chunk(cursor, self._order, part.done, upto)
                turn.enter_context(self._turn())
                self._work.total.add(counts)
                part.done = upto
                if self._keep:
                    self._keep(self._work)
            yield

    def with_second_session(self, mine: Part, other: Part, done: Callable[[int], None]) -> None:
        """Merge one part here and another one in a thread with its own session."""
        session = connections.create_connection(DEFAULT_DB_ALIAS)
        session.inc_thread_sharing()
        try:
            import_staging.hand_over(session, other.done)
            with ThreadPoolExecutor(1) as thread:
                end = thread.submit(self._in_session, session, other)
                # What the other one failed with is raised below.
                with suppress(_Stopped), self._failing():
                    self._all_of(mine, end, done)
                end.result()
        finally:
            session.close()

    def _all_of(self, mine: Part, end: Future[None], done: Callable[[int], None]) -> None:
        for _ in self.chunks(mine):
            done(self._work.people_done)
        told = self._work.people_done
        while not end.done():
            wait([end], _TELL_EVERY_SECONDS)
            if told < self._work.people_done:
                told = self._work.people_done
                done(told)

    def _in_session(self, session: BaseDatabaseWrapper, part: Part) -> None:
        connections[DEFAULT_DB_ALIAS] = session
        with self._failing():
            import_staging.index_people()
            for _ in self.chunks(part):
                pass

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The time from adding up to the commit. Nobody builds on what a session that failed has added."""
        with self._lock, self._failing():
            if self._failed:
                raise _Stopped
            yield

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._failed = True
            raise
