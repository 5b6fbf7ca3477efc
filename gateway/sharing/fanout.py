"""One synthesis for many listeners: each at its own place in a bounded history, and nobody waits for the slowest."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from gateway.events import Chunk, Finished, SpeechEvent, Started
from swara.errors import OutOfRange
from swara.pcm import SAMPLE_BYTES


class History:
    """The last chunks of one synthesis, counted from its first: PCM, resume tokens and all, at most `limit_bytes`, but
    the newest chunk always.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._chunks: deque[Chunk] = deque()
        self._held_bytes = 0
        self._dropped = 0

    @property
    def end(self) -> int:
        """How many chunks there have been."""
        return self._dropped + len(self._chunks)

    def put(self, chunk: Chunk) -> None:
        """Adds the newest chunk, and forgets the oldest ones past the limit."""
        self._chunks.append(chunk)
        self._held_bytes += chunk.content_bytes
        while self._held_bytes > self._limit_bytes and len(self._chunks) > 1:
            self._held_bytes -= self._chunks.popleft().content_bytes
            self._dropped += 1

    def chunk(self, index: int) -> Chunk:
        """A chunk by its number; raises OutOfRange for one that has been forgotten."""
        if index < self._dropped:
            raise OutOfRange(f"this listener fell behind what is kept, the last {self._limit_bytes} bytes")
        return self._chunks[index - self._dropped]

    def index_at(self, sample: int) -> int:
        """The number of the chunk with this sample, or of the one to come; raises OutOfRange for a forgotten one."""
        if sample < self._first_sample:
            raise OutOfRange(f"sample {sample} is no longer kept; the first that is has number {self._first_sample}")
        return self._dropped + max(0, bisect_right(self._chunks, sample, key=lambda chunk: chunk.first_sample) - 1)

    @property
    def _first_sample(self) -> int:
        return self._chunks[0].first_sample if self._chunks else 0


class Seat:
    """One listener's place: the number of the next chunk, and the sample before which nothing is wanted."""

    def __init__(self, index: int, first_sample: int) -> None:
        self.index = index
        self._first_sample = first_sample

    def take(self, chunk: Chunk) -> Chunk | None:
        """The chunk as this listener gets it; None where it ends before the first sample that is wanted."""
        self.index += 1
        unwanted_bytes = max(0, self._first_sample - chunk.first_sample) * SAMPLE_BYTES
        if not unwanted_bytes:
            return chunk
        if unwanted_bytes >= len(chunk.pcm):
            return None
        return replace(chunk, first_sample=self._first_sample, pcm=chunk.pcm[unwanted_bytes:])


class Broadcast:
    """One synthesis and who listens to it. It runs as fast as its fastest listener and ends when the last has left."""

    def __init__(self, history_bytes: int) -> None:
        self._history = History(history_bytes)
        self._seats: set[Seat] = set()
        self._started: Started | None = None
        self._finished: Finished | None = None
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @property
    def deserted(self) -> bool:
        """Whether nobody listens any more."""
        return not self._seats

    @property
    def finished(self) -> bool:
        """Whether it has been spoken to its end."""
        return self._finished is not None

    @property
    def abandoned(self) -> bool:
        """Whether its last listener left before its end: it is being let go of, and says nothing more."""
        return self.deserted and not self.finished

    @property
    def synthesis_id(self) -> str:
        """By which others join; empty before it has started."""
        return self._started.synthesis_id if self._started else ""

    def start(self, events: AsyncGenerator[SpeechEvent, None]) -> None:
        """Begins to take the events of the synthesis; the first listener must join before anything else happens."""
        self._running = asyncio.create_task(self._run(events))

    async def listen(self, first_sample: int | None) -> AsyncGenerator[SpeechEvent, None]:
        """Everything from a sample on, or what is yet to come (None); raises OutOfRange, and what the synthesis raises.

        Closing it leaves; the last to leave ends the synthesis and waits until it has let go.
        """
        live = first_sample is None
        seat = Seat(self._history.end if live else self._history.index_at(first_sample or 0), first_sample or 0)
        self._seats.add(seat)
        self._taken.set()
        try:
            while self._started is None:
                await self._until_news()
            yield self._started
            while await self._has(seat):
                chunk = seat.take(self._history.chunk(seat.index))
                self._taken.set()
                if chunk:
                    yield chunk
            if self._finished:
                yield self._finished
        finally:
            await self._leave(seat)

    async def _has(self, seat: Seat) -> bool:
        """Waits until there is a chunk for this seat; False at the end of the synthesis."""
        while seat.index >= self._history.end:
            if self._finished:
                return False
            await self._until_news()
        return True

    async def _until_news(self) -> None:
        """Waits for the next event; raises what ended the synthesis early."""
        if self._error:
            raise self._error
        await self._news.wait()

    async def _leave(self, seat: Seat) -> None:
        self._seats.discard(seat)
        self._taken.set()
        if not self._seats and self._running:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self, events: AsyncGenerator[SpeechEvent, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self._put(event)
                    await self._paced()
        except Exception as error:
            self._error = error
            self._tell()

    def _put(self, event: SpeechEvent) -> None:
        match event:
            case Started():
                self._started = event
            case Chunk():
                self._history.put(event)
            case Finished():
                self._finished = event
        self._tell()

    def _tell(self) -> None:
        """Wakes everybody who waits now; those who come later wait for the next news."""
        self._news.set()
        self._news = asyncio.Event()

    async def _paced(self) -> None:
        """Waits until the fastest listener has taken everything."""
        while not any(seat.index >= self._history.end for seat in self._seats):
            self._taken.clear()
            await self._taken.wait()
