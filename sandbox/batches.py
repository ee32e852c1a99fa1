"""Writing in batches from one thread: many callers, one fsync; the event loop never waits for the disk.

Used by the ledger (callers wait until their line is on the disk) and by the inbox (nobody waits).
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


class BatchWriter(Generic[Item]):
    """Hands what came in since the last write to ``write``, in order, always in the same thread."""

    def __init__(self, write: Callable[[list[Item]], None], *, name: str, most: int = 1_000) -> None:
        self._write = write
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[None] | None]] = []
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def put(self, item: Item) -> None:
        """Return when ``item`` has been written; raises what the write raised."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(item, written)
        await written

    def put_soon(self, item: Item) -> None:
        """Write ``item`` in its turn; nobody waits for it."""
        self._enqueue(item, None)

    async def run(self, function: Callable[[], Result]) -> Result:
        """Run ``function`` in the writing thread, after all that was put before."""
        await self.drain()
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def drain(self) -> None:
        while self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        await self.drain()
        self._thread.shutdown(wait=True)

    def _enqueue(self, item: Item, written: asyncio.Future[None] | None) -> None:
        self._waiting.append((item, written))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                error = await loop.run_in_executor(self._thread, self._try_write, [item for item, _ in batch])
                for _, written in batch:
                    _settle(written, error)
        finally:
            self._task = None

    def _try_write(self, items: list[Item]) -> Exception | None:
        try:
            self._write(items)
        except Exception as error:  # whatever it is, those who wait must hear of it
            log.exception("Writing %d items failed", len(items))
            return error
        return None


def _settle(written: asyncio.Future[None] | None, error: Exception | None) -> None:
    if written is None or written.done():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)
