"""The frame loop: every step gives each running stream one frame. `step` is the whole engine on one screen.

Streams join and leave only at frame borders. A plain class without threads: the engine around it brings them, and a
clock.
"""

import time
from collections.abc import Callable, Iterator

from swara.capacity import LOW_LEAD_SECONDS
from swara.speech import Priority
from token_service.engines.native.model import FrameModel, Spoken
from token_service.engines.native.stream import Stream

# How much earlier than the host's work needs a frame is queued behind the one that is running: threads wake late.
MARGIN_SECONDS = 0.004


class FrameLoop:
    """Continuous batching over one model."""

    def __init__(self, model: FrameModel) -> None:
        self._model = model
        self._unread_frames = 0
        self._host_seconds = 0.0
        # When the device turned to the frame that is on its way, at the earliest.
        self._began_seconds = 0.0
        self.streams: list[Stream] = []

    def join(self, stream: Stream) -> None:
        """Adds a stream; its prompt is read from the next step on."""
        self._model.join(stream)
        self.streams.append(stream)

    def leave(self, stream: Stream) -> None:
        """Takes a stream out and frees its place. A frame of it that is still on its way will be dropped."""
        self.streams.remove(stream)
        self._model.give_back(stream.cache_slot)

    def step(
        self, clock: Callable[[], float], stepped: Callable[[int, float], None] = lambda streams, seconds: None
    ) -> Iterator[Spoken]:
        """Reads some of the waiting prompts, asks for a frame of each stream that is not paused, and yields the frames
        that are due, a group of streams at a time: these, or with a model that works ahead the ones before.

        `clock` tells the seconds on the caller's clock: a frame is its listener's when it comes, which is some time
        after the step began. `stepped` is told of each group how many streams it was and how many seconds they took.
        """
        began = time.perf_counter()
        self._model.read(self.streams)
        speaking = self._speaking(clock())
        for start in range(0, len(speaking), self._model.rows):
            since, group = time.perf_counter(), speaking[start : start + self._model.rows]
            self._queue(group)
            self._host_seconds = max(time.perf_counter() - began, 0.9 * self._host_seconds)
            spoken = self._spoken(clock) if self._unread_frames > self._model.frames_ahead else []
            stepped(len(group), time.perf_counter() - since)
            yield spoken
        if self._unread_frames and not speaking:
            yield self._spoken(clock)

    def idle_seconds(self, now_seconds: float) -> float | None:
        """How long there will be nothing to do unless a stream joins; None is for ever.

        A frame that is on its way is followed by the next as late as can be, so that who comes meanwhile is in it.
        """
        if self._unread_frames:
            left = self._began_seconds + self._model.frame_seconds - time.perf_counter()
            return max(0.0, left - 2 * self._host_seconds - MARGIN_SECONDS)
        if any(not stream.ready for stream in self.streams):
            return 0.0
        return min((stream.paused_seconds(now_seconds) for stream in self.streams), default=None)

    def lowest_lead_seconds(self, now_seconds: float) -> float:
        """How far the slowest stream that somebody hears is ahead of real time; infinite where nobody hears any."""
        leads = (stream.lead_seconds(now_seconds) for stream in self.streams if stream.listened_to)
        return min(leads, default=float("inf"))

    def _speaking(self, now_seconds: float) -> list[Stream]:
        """Those whose turn it is. Those that somebody hears come first, and of them the one that would run dry first;
        while any of these is short of frames, work that nobody hears waits.
        """
        speaking = [stream for stream in self.streams if stream.may_speak and not stream.paused_seconds(now_seconds)]
        if self.lowest_lead_seconds(now_seconds) < LOW_LEAD_SECONDS:
            speaking = [stream for stream in speaking if stream.request.priority is Priority.INTERACTIVE]
        speaking.sort(key=lambda stream: (stream.request.priority is Priority.BATCH, stream.lead_seconds(now_seconds)))
        return speaking

    def _queue(self, streams: list[Stream]) -> None:
        if not self._unread_frames:
            self._began_seconds = time.perf_counter()
        self._model.queue(streams)
        for stream in streams:
            stream.queued_frames += 1
        self._unread_frames += 1

    def _spoken(self, clock: Callable[[], float]) -> Spoken:
        self._unread_frames -= 1
        spoken = self._model.spoken()
        self._began_seconds = time.perf_counter()
        members = set(self.streams)
        events, now_seconds = [(stream, codes) for stream, codes in spoken if stream in members], clock()
        for stream, codes in events:
            if codes is not None:
                stream.complete_frame(now_seconds)
        return events
