"""A TCP proxy that can cut, stall, delay and drop replies: the network between two processes of the rig.

Runs in an event loop of its own thread. A mode holds for connections that are open as well as for new ones.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

Target = tuple[str, int] | Path


class Proxy:
    """Listens on a free port of loopback and passes on to ``target`` (host and port, or a unix socket)."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.refuse = False
        #: Nothing passes and nothing ends: a half-open connection.
        self.stalled = False
        #: Seconds that each reply takes longer.
        self.delay = 0.0
        #: Says of a piece of a reply whether it is swallowed and its connection reset.
        self.drop_reply: Callable[[bytes], bool] | None = None
        self.dropped = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self.port = self._call(self._listen())

    def cut(self) -> None:
        """Reset all connections; new ones are accepted again at once (see ``refuse``)."""
        self._call(self._cut())

    def heal(self) -> None:
        """Everything passes again. Connections that were stalled while it lasted are reset."""
        was_stalled, self.stalled = self.stalled, False
        self.refuse, self.delay, self.drop_reply = False, 0.0, None
        if was_stalled:
            self.cut()

    def close(self) -> None:
        self.cut()
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.refuse:
            return _reset(writer)
        try:
            there = await self._connect()
        except OSError:
            return _reset(writer)
        self._open |= {writer, there[1]}
        try:
            await asyncio.gather(self._forward(reader, there[1]), self._answer(there[0], writer))
        except (OSError, asyncio.CancelledError):
            _reset(writer)
            _reset(there[1])
        finally:
            self._open -= {writer, there[1]}
            for end in (writer, there[1]):
                with contextlib.suppress(OSError, RuntimeError):
                    end.close()
        return None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(str(self.target))
        return await asyncio.open_connection(*self.target)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._while_stalled()
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._while_stalled()
            if self.drop_reply is not None and self.drop_reply(data):
                self.dropped += 1
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _while_stalled(self) -> None:
        while self.stalled:
            await asyncio.sleep(0.02)


def _reset(writer: asyncio.StreamWriter) -> None:
    """A TCP reset where the socket knows one, so that the other side sees a cut and not an end."""
    with contextlib.suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    with contextlib.suppress(RuntimeError):
        writer.transport.abort()
