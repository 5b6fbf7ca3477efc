"""Runs many streams through one decoder: who goes into the next step, and when it begins.

The decoder works in one thread of its own, so the event loop stays free. Streams join and leave between steps, at frame
borders. Those that nobody has heard anything of go first, then those whose listeners would run dry first.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audio_service.modes import new_stream
from audio_service.rows import Work
from audio_service.seat import Seat
from audio_service.stream import NO_END, Delays, Taken, Voicing
from swara.capacity import Capacity
from swara.errors import Broken, Full, label_of
from swara.frames import SLOTS
from swara.orca import LoadReport
from swara.speech import AdmissionClass

log = logging.getLogger(__name__)

# Streams of one token service get their frames within a millisecond or two of each other: worth one step for all.
GATHER_SECONDS = 0.002
# Milliseconds each, half a second in all on a CPU: one of them will be held up by nothing else that starts here.
REHEARSED_STEPS = 10


@dataclass(frozen=True)
class Limits:
    """Streams at once: `streams` for anybody, `reserve` more for work that was begun before; frames of one step."""

    streams: int
    reserve: int
    step_frames: int

    @property
    def rows(self) -> int:
        """States to keep room for."""
        return self.streams + self.reserve

    @property
    def step_streams(self) -> int:
        """Most streams in one step."""
        return min(self.rows, self.step_frames)


class Watcher(Protocol):
    """Whoever counts what happens here."""

    def opened(self) -> None:
        """A stream has begun."""

    def refused(self) -> None:
        """A stream has found no place."""

    def heard(self, seconds: float) -> None:
        """A stream's first PCM came this long after it began."""

    def closed(self, outcome: str) -> None:
        """A stream is over: `finished`, or the label of the error that ended it."""

    def stepped(self, rows: int, frames: int, seconds: float) -> None:
        """The decoder took this many frames of each of these streams."""

    def fell_silent(self) -> None:
        """A stream was cut short because its model went on saying nothing."""


class Rows(Protocol):
    """The states of all streams, and the steps over some of them: audio_service.rows, or .fused.rows on CUDA."""

    def keys(self, voicing: Voicing) -> tuple[int, ...]:
        """The noise keys of one stream."""

    def run(self, works: Sequence[Work]) -> NDArray[np.float32]:
        """One step of these streams: audio [B, F * 2048]."""

    def warm_up(self) -> None:
        """Makes every kind of step ready."""


class Batcher:
    """Shares one decoder among streams; `run` must be running."""

    def __init__(
        self,
        rows: Rows,
        delays: Delays,
        limits: Limits,
        watcher: Watcher,
        prepare_thread: Callable[[], None],
    ) -> None:
        self._rows, self._delays, self._limits, self._watcher = rows, delays, limits, watcher
        self._thread = ThreadPoolExecutor(1, "decoder", prepare_thread)
        self._free = list(range(limits.rows))
        self._capacity = Capacity(limits.streams, limits.step_streams)
        self._seats: list[Seat] = []
        self._stepping: list[Seat] = []
        self._changed = asyncio.Event()

    @property
    def running_streams(self) -> int:
        """Streams that are open."""
        return len(self._seats)

    @property
    def capacity_streams(self) -> int:
        """Streams that may be open before a new one is refused: places, or fewer where this machine is slower."""
        return self._capacity.streams

    @property
    def free_rows(self) -> int:
        """States that no stream holds."""
        return len(self._free)

    def slack_seconds(self) -> float:
        """How long the listener plays on who would run dry first; 0 while nobody hears anything."""
        now = time.perf_counter()
        return min((seat.stream.dry_seconds() - now for seat in self._seats if seat.listened_to), default=0.0)

    def load_report(self) -> LoadReport:
        """The load, for balancers."""
        return LoadReport(self.running_streams, self.capacity_streams, self.slack_seconds())

    def fell_silent(self) -> None:
        """A stream is cut short because its model goes on saying nothing."""
        self._watcher.fell_silent()

    @asynccontextmanager
    async def open(self, voicing: Voicing, admission: AdmissionClass) -> AsyncIterator[Seat]:
        """A place for one stream, given back at the end of the block; raises Full when there is none."""
        seat = self._admit(voicing, admission)
        outcome = "finished"
        try:
            yield seat
        except BaseException as error:
            outcome = label_of(error)
            raise
        finally:
            self._leave(seat)
            self._watcher.closed(outcome)

    async def run(self) -> None:
        """Steps for as long as it is not cancelled."""
        try:
            while True:
                batch = next_batch(self._seats, time.perf_counter(), self._limits.step_frames)
                if not batch:
                    await self._idle()
                    continue
                await self._step(batch)
        finally:
            self._thread.shutdown(cancel_futures=True)

    async def warm_up(self) -> None:
        """Runs every kind of step once in the decoder's thread, and measures what a full one takes."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._rows.warm_up)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._rehearse)

    def _rehearse(self) -> None:
        keys = self._rows.keys(Voicing(0))
        frame = Taken(np.zeros((1, SLOTS), np.uint16), 0, NO_END)
        works = [Work(row, True, keys, 1.0, frame) for row in range(self._limits.step_streams)]
        self._rows.run(works)
        # The shortest, since what else is starting on this machine only ever makes a step longer.
        self._capacity.stepped(min(self._timed_run(works) for _ in range(REHEARSED_STEPS)))

    def _timed_run(self, works: Sequence[Work]) -> float:
        began = time.perf_counter()
        self._rows.run(works)
        return time.perf_counter() - began

    def _measure(self, frames: int, seconds: float) -> None:
        """A full step takes no longer than so many smaller ones as hold its frames: more frames at once are cheaper."""
        self._capacity.stepped_within(seconds * max(1.0, self._limits.step_streams / frames))

    def _admit(self, voicing: Voicing, admission: AdmissionClass) -> Seat:
        room = self.capacity_streams if admission is AdmissionClass.NEW else self._limits.rows
        if len(self._seats) >= room or not self._free:
            self._watcher.refused()
            raise Full(f"the audio service is full: {len(self._seats)} streams are running")
        seat = Seat(new_stream(voicing, self._delays), self._free.pop(), self._rows.keys(voicing), self._changed)
        self._seats.append(seat)
        self._watcher.opened()
        return seat

    def _leave(self, seat: Seat) -> None:
        self._seats.remove(seat)
        # A row in the running step is written to at its end: it is free only then.
        if seat not in self._stepping:
            self._free.append(seat.row)

    async def _idle(self) -> None:
        """Waits for frames, or until waiting for more of them stops being safe; then a moment for company."""
        self._changed.clear()
        now = time.perf_counter()
        due = min((seat.due_seconds() for seat in self._seats), default=float("inf"))
        try:
            async with asyncio.timeout(max(0.0, due - now) if due < float("inf") else None):
                await self._changed.wait()
        except TimeoutError:
            return
        if len(self._seats) > 1:
            await asyncio.sleep(GATHER_SECONDS)

    async def _step(self, batch: Sequence[tuple[Seat, int]]) -> None:
        self._stepping = [seat for seat, _ in batch]
        works = [seat.work(hop) for seat, hop in batch]
        began = time.perf_counter()
        try:
            await self._work(works, began)
        finally:
            self._free += [seat.row for seat in self._stepping if seat not in self._seats]
            self._stepping = []

    async def _work(self, works: Sequence[Work], began: float) -> None:
        try:
            audios = await asyncio.get_running_loop().run_in_executor(self._thread, self._rows.run, works)
        except Exception:
            log.exception("a step of the decoder failed")
            for seat in self._stepping:
                seat.fail(Broken("the codec failed; the log tells what"))
            return
        now = time.perf_counter()
        hop = len(works[0].taken.codes)
        self._watcher.stepped(len(works), hop, now - began)
        self._measure(len(works) * hop, now - began)
        for seat, work, audio in zip(self._stepping, works, audios, strict=True):
            was_heard = seat.stream.heard
            seat.deliver(work.taken, audio, now, (now - began) / len(works))
            if seat.stream.heard and not was_heard:
                self._watcher.heard(now - seat.opened_seconds)
        lowest_lead_seconds = min((seat.lead_seconds(now) for seat in self._seats), default=np.inf)
        self._capacity.observe(now, len(self._seats), lowest_lead_seconds)


def next_batch(seats: Sequence[Seat], now_seconds: float, step_frames: int) -> list[tuple[Seat, int]]:
    """The most urgent stream and those that take steps of the same length, most urgent first, each with that length."""
    ready = [(seat, hop) for seat in seats if (hop := seat.hop(now_seconds))]
    if not ready:
        return []
    ready.sort(key=lambda pair: pair[0].urgency())
    hop = ready[0][1]
    return [pair for pair in ready if pair[1] == hop][: max(1, step_frames // hop)]
