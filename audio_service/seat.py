"""A stream's place at the decoder: frames go in under back-pressure, PCM comes out."""

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
from numpy.typing import NDArray

from audio_service.hops import next_hop, safe_seconds
from audio_service.rows import Work
from audio_service.stream import Piece, Stream, Taken
from swara.capacity import LOW_LEAD_SECONDS
from swara.errors import SwaraError
from swara.frames import SAMPLES_PER_FRAME, Codes

# About 5 s of audio each way: enough to ride out a pause of either side, 270 kB of PCM at most.
MAX_WAITING_FRAMES = 64
MAX_UNREAD_SAMPLES = 64 * SAMPLES_PER_FRAME


class Seat:
    """One open stream. `changed` wakes the batcher."""

    def __init__(self, stream: Stream, row: int, keys: tuple[int, ...], changed: asyncio.Event) -> None:
        self.stream, self.row = stream, row
        self.opened_seconds = time.perf_counter()
        self.codec_seconds = 0.0
        self._keys = keys
        self._changed = changed
        self._unread: list[Piece] = []
        self.unread_samples = 0
        self._late_before_frame = 0
        self._error: SwaraError | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def feed(self, first_frame: int, codes: Codes) -> None:
        """Takes the next frames [F, 7], waiting while enough others wait already."""
        while self.stream.waiting_frames >= MAX_WAITING_FRAMES and self._error is None:
            self._room.clear()
            await self._room.wait()
        if self._error is not None:
            raise self._error
        self.receive(first_frame, codes, time.perf_counter())
        self._changed.set()

    def receive(self, first_frame: int, codes: Codes, now_seconds: float) -> None:
        """Takes the next frames [F, 7] at once."""
        late = self.stream.promised_seconds(now_seconds) < LOW_LEAD_SECONDS
        self.stream.feed(first_frame, codes)
        if late:
            self._late_before_frame = self.stream.next_frame + self.stream.waiting_frames

    def end(self) -> None:
        """No more frames will come."""
        self.stream.end()
        self._news.set()
        self._changed.set()

    async def pieces(self) -> AsyncIterator[Piece]:
        """PCM as it becomes final; all that has gathered while the reader was away comes as one piece."""
        while True:
            if self._unread:
                yield self._read()
            elif self._error is not None:
                raise self._error
            elif self.stream.done:
                return
            else:
                self._news.clear()
                await self._news.wait()

    @property
    def held_back(self) -> bool:
        """Whether it waits for its reader: whoever is late then, it is not the codec."""
        return self.unread_samples >= MAX_UNREAD_SAMPLES

    @property
    def listened_to(self) -> bool:
        """Whether somebody hears this and would miss what comes next."""
        return self.stream.heard and not self.stream.done and not self.held_back

    def hop(self, now_seconds: float) -> int:
        """How many frames the next step may take; 0 for none now."""
        if self._error is not None or self.held_back:
            return 0
        return self.stream.hop(now_seconds)

    def due_seconds(self) -> float:
        """When the frames that wait are worth a step even if no more come; infinity if never."""
        frames = self.stream.waiting_frames
        following = next_hop(frames)
        if self._error or not frames or following is None or self.held_back:
            return np.inf
        return self.stream.dry_seconds() - safe_seconds(following)

    def lead_seconds(self, now_seconds: float) -> float:
        """How much its listener holds; infinity where that says nothing about the codec: playback has not begun, hardly
        a frame waits, or those that wait came when the listener had nearly nothing left already.
        """
        in_time = self.stream.waiting_frames > 1 and self.stream.next_frame >= self._late_before_frame
        behind = self.listened_to and self.stream.playing and in_time
        return self.stream.dry_seconds() - now_seconds if behind else np.inf

    def urgency(self) -> tuple[float, float]:
        """Sorts streams: unheard ones by age, then the others by when their listeners run dry."""
        return self.stream.dry_seconds(), self.opened_seconds

    def work(self, hop: int) -> Work:
        """The next frames for the decoder."""
        taken = self.stream.take(hop)
        fresh = taken.first_frame == self.stream.start_frame
        work = Work(self.row, fresh, self._keys, self.stream.voicing.noise.value, taken)
        self._room.set()
        return work

    def deliver(self, taken: Taken, audio: NDArray[np.float32], now_seconds: float, seconds: float) -> None:
        """Takes a step's audio and this stream's share of its time."""
        self.codec_seconds += seconds
        piece = self.stream.give(taken, audio, now_seconds)
        if len(piece.samples):
            self._unread.append(piece)
            self.unread_samples += len(piece.samples)
        self._news.set()

    def fail(self, error: SwaraError) -> None:
        """Ends the stream for its reader, after what it can still read."""
        self._error = error
        self._news.set()
        self._room.set()

    def _read(self) -> Piece:
        if self.held_back:
            self.stream.play_on(time.perf_counter(), self.unread_samples)
        pieces, self._unread, self.unread_samples = self._unread, [], 0
        self._changed.set()
        return Piece(pieces[0].first_sample, np.concatenate([piece.samples for piece in pieces]))
