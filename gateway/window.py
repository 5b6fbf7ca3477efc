"""The window between a stream and its listener: a slow reader fills its own window, and nobody waits for it.

While there is room the stream goes on without its listener; once it is full the services behind are held back, as far
as they can be. A listener who takes nothing at all of a full window, or of what is left at the end, is hung up on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from gateway.events import Chunk, SpeechEvent
from swara.errors import Silent, SwaraError

# About 8 s of PCM: longer than the pauses of a player that reads in gulps; 256 full windows are 100 MB.
WINDOW_BYTES = 8 * 48_000


class Window:
    """One stream's window; `hang_up` ends the session, since its listener's task may be stuck in a write."""

    def __init__(self, silent_seconds: float, hang_up: Callable[[SwaraError], None]) -> None:
        self._silent_seconds = silent_seconds
        self._hang_up = hang_up
        self._held: deque[SpeechEvent] = deque()
        self._held_bytes = 0
        self._ended = False
        self._stopped = False
        self._filling: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def through(self, events: AsyncGenerator[SpeechEvent, None]) -> AsyncGenerator[SpeechEvent, None]:
        """The events, and what they raise; closing it closes them at once."""
        filling = self._filling = asyncio.create_task(self._fill(events))
        try:
            while (event := await self._next()) is not None:
                yield event
        finally:
            filling.cancel()
            await asyncio.wait([filling])

    def stop(self) -> None:
        """Ends it now, even while the listener is stuck in a write: nothing that is held is heard any more.

        The stream behind is closed before the listener sees the end.
        """
        self._stopped = True
        self._news.set()
        if self._filling:
            self._filling.cancel()

    async def _fill(self, events: AsyncGenerator[SpeechEvent, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    await self._wait_for_room()
                    self._held.append(event)
                    self._held_bytes += _size_bytes(event)
                    self._news.set()
            self._end()
            while self._held:
                await self._until_taken()
        except Exception as error:
            self._error = error
        finally:
            self._end()

    def _end(self) -> None:
        self._ended = True
        self._news.set()

    async def _wait_for_room(self) -> None:
        while self._held_bytes >= WINDOW_BYTES:
            await self._until_taken()

    async def _until_taken(self) -> None:
        """Waits until the listener takes something; hangs up and raises Silent where it takes nothing."""
        self._room.clear()
        try:
            async with asyncio.timeout(self._silent_seconds):
                await self._room.wait()
        except TimeoutError:
            error = Silent(f"the listener took nothing for {self._silent_seconds:g} s and was hung up on")
            self._hang_up(error)
            raise error from None

    async def _next(self) -> SpeechEvent | None:
        while self._stopped or not self._held:
            if self._stopped or (self._ended and self._error is None):
                return None
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()
        event = self._held.popleft()
        self._held_bytes -= _size_bytes(event)
        self._room.set()
        return event


def _size_bytes(event: SpeechEvent) -> int:
    return len(event.pcm) + len(event.resume_token) if isinstance(event, Chunk) else 0
