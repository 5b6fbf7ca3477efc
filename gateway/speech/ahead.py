"""Speaks the segments of one text, and begins one before its turn where the listener would otherwise wait for it.

Most listeners hold seconds when a segment ends, and the next one is ordered then. One who holds little, because speech
is made hardly faster than it is played, would hear the next one's start as a gap: for this one the next segment is
generated beside the end of the current one.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.speech.pace import Pace
from gateway.speech.segment import AudioSource, SegmentChunk, SegmentEvent, SegmentOrder
from swara.errors import Full
from swara.frames import SAMPLE_RATE_HZ
from swara.pcm import SAMPLE_BYTES
from swara.speech import Priority
from swara.stopwatch import Stopwatch

# Two seconds of speech and more, twice what a segment is begun early by; past it the service behind is held back.
HELD_EVENTS = 16


class Ahead:
    """One text's way to its audio services; at most one segment waits for its turn. `clock` began with the request."""

    def __init__(self, source: AudioSource, clock: Stopwatch) -> None:
        self._source = source
        self._clock = clock
        self._pace = Pace()
        self._priority = Priority.BATCH
        self._begun: Begun | None = None

    @property
    def wanted(self) -> bool:
        """Whether the next segment should begin now. Of work that nobody waits for, none does."""
        if self._begun is not None or self._priority is not Priority.INTERACTIVE:
            return False
        return self._pace.runs_short(self._clock.seconds)

    def begin(self, order: SegmentOrder) -> None:
        """Orders the segment after the one that is being spoken; where there is no room it waits for its turn."""
        self._begun = Begun(self._source, order)

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        """Speaks the segment whose turn it is; closing it stops the work at once."""
        self._priority = order.priority
        self._pace.begin(len(order.text), order.first_sample / SAMPLE_RATE_HZ)
        async with aclosing(self._events(order)) as events:
            async for event in events:
                if isinstance(event, SegmentChunk):
                    self._pace.heard(len(event.pcm) / SAMPLE_BYTES / SAMPLE_RATE_HZ, self._clock.seconds)
                yield event

    async def aclose(self) -> None:
        """Stops what was begun and is not wanted any more."""
        begun, self._begun = self._begun, None
        if begun is not None:
            await begun.close()

    async def _events(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        begun, self._begun = self._begun, None
        if begun is not None:
            heard = False
            try:
                if begun.is_for(order):
                    async for event in begun.events():
                        heard = heard or isinstance(event, SegmentChunk)
                        yield event
                    return
            except Full:
                # Before any of it was heard nothing is lost: it is ordered as every segment is whose turn has come.
                if heard:
                    raise
            finally:
                await begun.close()
        async with aclosing(self._source.speak(order)) as events:
            async for event in events:
                yield event


class Begun:
    """A segment that is being spoken before its turn; what comes of it is held, up to `HELD_EVENTS`."""

    def __init__(self, source: AudioSource, order: SegmentOrder) -> None:
        self._order = order
        self._held: asyncio.Queue[SegmentEvent | Exception | None] = asyncio.Queue(HELD_EVENTS)
        self._filling = asyncio.create_task(self._fill(source))

    def is_for(self, order: SegmentOrder) -> bool:
        """Whether it is the segment that is wanted: one that said nothing is spoken again instead of the next."""
        return (self._order.segment, self._order.text) == (order.segment, order.text)

    async def events(self) -> AsyncGenerator[SegmentEvent, None]:
        """What has come of it and what comes; raises what its source raised."""
        while (event := await self._held.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def close(self) -> None:
        """Ends it, and waits until its source has let go."""
        self._filling.cancel()
        await asyncio.wait([self._filling])

    async def _fill(self, source: AudioSource) -> None:
        try:
            async with aclosing(source.speak(self._order)) as events:
                async for event in events:
                    await self._held.put(event)
        except Exception as error:
            await self._held.put(error)
        else:
            await self._held.put(None)
