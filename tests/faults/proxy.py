"""A TCP proxy that can be a bad network: slow, cut, a black hole, half open. In a thread of its own."""

import asyncio
import threading
from collections.abc import Callable

from swara.process import free_port

PIECE_BYTES = 65_536
ANSWER_SECONDS = 60.0

Ends = tuple[asyncio.StreamWriter, asyncio.StreamWriter]


class Proxy:
    """Passes bytes on between callers of `address` and `target` (`host:port`); a context manager."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._delay_seconds = 0.0
        self._keeps_callers = False
        self._connections: set[Ends] = set()
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(ANSWER_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._server.close)
        self.heal()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)

    def slow(self, seconds: float) -> None:
        """Every piece takes this long from now on."""
        self._delay_seconds = seconds

    def cut(self) -> None:
        """Both ends of every connection are closed at once; new ones are let through."""
        self._do(lambda: [writer.transport.abort() for ends in self._connections for writer in ends])

    def swallow(self) -> None:
        """A black hole: connections stay, and nothing comes through until `heal`."""
        self._do(self._passing.clear)

    def half_open(self) -> None:
        """The ends towards the target are closed at once, and the callers do not hear of it."""
        self._keeps_callers = True
        self._do(lambda: [target.transport.abort() for _, target in self._connections])

    def heal(self) -> None:
        """All as it was; callers that were left half open are let go."""
        self._delay_seconds, self._keeps_callers = 0.0, False
        self._do(self._passing.set)
        self._do(lambda: [caller.transport.abort() for caller, target in self._connections if target.is_closing()])

    def _do(self, action: Callable[[], object]) -> None:
        """Does it on the proxy's thread, and waits for it."""

        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result(ANSWER_SECONDS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target_reader, target_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = writer, target_writer
        self._connections.add(ends)
        try:
            await asyncio.gather(self._pass(reader, target_writer), self._pass(target_reader, writer))
        finally:
            if not self._keeps_callers:
                self._connections.discard(ends)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, until its source ends or its sink is gone."""
        try:
            while data := await reader.read(PIECE_BYTES):
                await asyncio.sleep(self._delay_seconds)
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        if not self._keeps_callers:
            writer.close()
