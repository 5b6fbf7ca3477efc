"""A request's way through the native engine, from its admission to its last event."""

import asyncio
import time
from collections.abc import AsyncIterator

from swara.frames import Codes
from token_service.engines.base import Ended, GenerationRequest
from token_service.engines.native.stream import Stream


class Ticket:
    """A request's way through the engine: where its events go, and when each stage happened (monotonic seconds)."""

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.loop = asyncio.get_running_loop()
        # One event a frame and one for the end, so the request's own frame limit bounds it.
        self.events: asyncio.Queue[Codes | Ended | Exception] = asyncio.Queue(request.max_frames + 2)
        self.stream: Stream | None = None
        self.asked_seconds = time.monotonic()
        self.joined_seconds = self.asked_seconds
        self.spoke_seconds: float | None = None
        self.cancelled = False

    async def arriving(self) -> AsyncIterator[Codes | Ended]:
        """The events up to the last one; raises the engine's error."""
        event: Codes | Ended | Exception | None = None
        while not isinstance(event, Ended):
            event = await self.events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    def deliver(self, event: Codes | Ended | Exception) -> None:
        """Hands an event to the asyncio side; called on the engine's thread."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.events.put_nowait, event)

    def ended(self) -> Ended:
        """The last event, with where the time went."""
        now = time.monotonic()
        spoke = self.spoke_seconds or now
        by_model = self.stream is not None and self.stream.ended_by_model
        return Ended(by_model, self.joined_seconds - self.asked_seconds, spoke - self.joined_seconds, now - spoke)
