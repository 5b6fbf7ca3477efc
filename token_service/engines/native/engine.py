"""The native engine: the frame loop on its own thread, and an async door to it."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import torch

from swara.capacity import USABLE_SHARE, Capacity
from swara.errors import Broken, Full, Unavailable
from swara.frames import FRAME_SECONDS, Codes
from swara.profile import Profile
from swara.speech import AdmissionClass
from token_service.engines.base import Ended, EngineLoad, GenerationRequest
from token_service.engines.limits import Limits
from token_service.engines.native.frame_loop import FrameLoop
from token_service.engines.native.model import FrameModel, Spoken
from token_service.engines.native.stream import Stream
from token_service.engines.native.ticket import Ticket
from token_service.grammar import SlotGrammar

log = logging.getLogger(__name__)

WARM_UP_STEPS = 7
# A join or a step takes milliseconds, and seconds on a machine that swaps; one of half a minute will never end.
HUNG_SECONDS = 30.0
WATCH_SECONDS = 0.5
# Longer than a healthy step; a hung thread is left behind when the process ends.
JOIN_SECONDS = 5.0


class NativeEngine:
    """Runs a Llama checkpoint, all streams a frame at a time; on which device and how is the model's affair."""

    name = "native"
    can_pause = True

    def __init__(
        self,
        open_model: Callable[[], FrameModel],
        profile: Profile,
        max_streams: int,
        limits: Limits,
        deterministic: bool,
    ) -> None:
        self._open_model = open_model
        self._profile = profile
        self._grammar = SlotGrammar(profile)
        self._max_streams = max_streams
        self._capacity = Capacity(max_streams, max_streams)
        self._limits = limits
        self.context_tokens = limits.context_tokens
        self.deterministic = deterministic
        # Told of each step; called on the engine's thread.
        self.stepped: Callable[[int, float], None] = lambda streams, seconds: None
        self.kv_capacity_tokens = 0
        # The event loop waits for this lock, so nobody who holds it waits for the device.
        self._wake = threading.Condition()
        self._waiting: deque[Ticket] = deque()
        self._running: dict[Stream, Ticket] = {}
        # Of those that run: who has a place, and is unknown to the model.
        self._seated: list[Stream] = []
        self._stopping = False
        self._failure: Exception | None = None
        self._failed = asyncio.Event()
        self._busy_since_seconds: float | None = None
        self._thread = threading.Thread(target=self._run, name="frame-loop", daemon=True)

    async def start(self) -> None:
        """Loads the model, speaks some unheard frames on every row of a step, and starts the loop."""
        await asyncio.to_thread(self._load)
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @asynccontextmanager
    async def open(self, request: GenerationRequest) -> AsyncIterator[AsyncIterator[Codes | Ended]]:
        """A place for this request; inside it, frames [1, 7] as they are made, then one Ended."""
        ticket = self._admit(request)
        try:
            yield ticket.arriving()
        finally:
            with self._wake:
                ticket.cancelled = True
                self._wake.notify()

    def load(self) -> EngineLoad:
        """The load now."""
        now = time.monotonic()
        with self._wake:
            streams = list(self._running)
            queued = len(self._waiting)
        paused = sum(1 for stream in streams if stream.paused_seconds(now))
        slack = min((stream.lead_seconds(now) for stream in streams if stream.listened_to), default=0.0)
        return EngineLoad(len(streams), queued, paused, self._capacity.streams, slack)

    @property
    def kv_free_tokens(self) -> int:
        """Tokens of attention's memory that no stream has reserved."""
        return self._model.free_tokens

    async def failed(self) -> None:
        """Returns when the frame loop has broken, or the device does not answer it."""
        while not self._hangs():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._failed.wait(), WATCH_SECONDS)
                return

    def _hangs(self) -> bool:
        since = self._busy_since_seconds
        if since is None or time.monotonic() - since < HUNG_SECONDS:
            return False
        self._failure = TimeoutError(f"the device has not answered for more than {HUNG_SECONDS:g} s")
        log.error("%s", self._failure)
        self._tell_all(Broken("the engine hangs; it will be started again"))
        return True

    async def stop(self) -> None:
        """Ends the loop after the frame it is at; streams still running are told."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, JOIN_SECONDS)

    def _admit(self, request: GenerationRequest) -> Ticket:
        self._limits.check(request)
        with self._wake:
            if self._failure or self._stopping:
                raise Unavailable("the engine is not running")
            held = sum(not ticket.cancelled for ticket in (*self._running.values(), *self._waiting))
            if request.admission_class is AdmissionClass.NEW and held >= self._capacity.streams:
                raise Full(f"all {self._capacity.streams} streams are taken; try again soon")
            ticket = Ticket(request)
            self._waiting.append(ticket)
            self._wake.notify()
            return ticket

    def _load(self) -> None:
        began = time.perf_counter()
        self._model = self._open_model()
        self._frames = FrameLoop(self._model)
        self.kv_capacity_tokens = self._model.free_tokens
        loaded = time.perf_counter()
        with torch.inference_mode():
            self._warm_up()
        log.info("cold start: model %.1f s, warm-up %.1f s", loaded - began, time.perf_counter() - loaded)

    def _warm_up(self) -> None:
        """Speaks on every row of a step; the capacity is that of the largest step that keeps up with real time."""
        for rows in self._model.rehearsals:
            step_seconds = self._rehearse(rows)
            if step_seconds <= USABLE_SHARE * FRAME_SECONDS:
                break
        ceiling = self._max_streams if not self._model.frames_ahead else min(self._max_streams, rows)
        self._capacity = Capacity(ceiling, rows)
        self._capacity.stepped(step_seconds)
        log.info("warm: a step of %d takes %.1f ms, capacity %d", rows, 1e3 * step_seconds, self._capacity.streams)

    def _rehearse(self, rows: int) -> float:
        """Unheard frames of so many streams, or as many as there is room for; the seconds of a step."""
        prompt, sampling = self._profile.unheard_prompt_ids, self._profile.sampling
        request = GenerationRequest("warm-up", prompt, sampling, 0, max_frames=WARM_UP_STEPS, ignore_end=True)
        places = [place for _ in range(rows) if (place := self._model.take(request.most_tokens)) is not None]
        streams = [Stream(request, self._grammar, place) for place in places]
        for stream in streams:
            self._frames.join(stream)
        while not all(stream.ready for stream in streams):
            self._model.read(streams)
        step_seconds = [self._timed_step() for _ in range(WARM_UP_STEPS)]
        self._timed_step()
        for stream in streams:
            self._frames.leave(stream)
        # The shortest, since what else is starting on this machine only ever makes a step longer; the first steps of a
        # model that works ahead wait for nothing.
        return min(step_seconds[2 * self._model.frames_ahead :])

    def _timed_step(self) -> float:
        start = time.perf_counter()
        for _ in self._frames.step(time.monotonic):
            pass
        return time.perf_counter() - start

    def _run(self) -> None:
        try:
            with torch.inference_mode():
                while self._border():
                    self._busy_since_seconds = time.monotonic()
                    self._join_seated()
                    if self._frames.idle_seconds(time.monotonic()) == 0:
                        self._speak()
                    self._busy_since_seconds = None
        except Exception as error:
            log.exception("the frame loop failed")
            self._failure = error
            self._loop.call_soon_threadsafe(self._failed.set)
        self._tell_all(
            Broken("the engine failed; the log tells why") if self._failure else Unavailable("shutting down")
        )

    def _border(self) -> bool:
        """Between frames: frees and gives places, and sleeps while there is nothing to do. False ends the loop."""
        with self._wake:
            self._drop_cancelled()
            self._seat_waiting()
            idle = 0.0 if self._seated else self._frames.idle_seconds(time.monotonic())
            if (idle is None or idle > 0) and not self._stopping:
                self._wake.wait(idle)
            return not self._stopping

    def _drop_cancelled(self) -> None:
        self._waiting = deque(ticket for ticket in self._waiting if not ticket.cancelled)
        for stream in [stream for stream, ticket in self._running.items() if ticket.cancelled]:
            self._free(stream)

    def _seat_waiting(self) -> None:
        while self._waiting and (place := self._model.take(self._waiting[0].request.most_tokens)) is not None:
            ticket = self._waiting.popleft()
            ticket.stream = Stream(ticket.request, self._grammar, place)
            ticket.joined_seconds = time.monotonic()
            self._running[ticket.stream] = ticket
            self._seated.append(ticket.stream)

    def _join_seated(self) -> None:
        """Makes new streams known to the model, which may wait for the device to take what it is sent."""
        for stream in self._seated:
            self._frames.join(stream)
            if stream.finished:
                with self._wake:
                    self._finish(stream)
        self._seated.clear()

    def _speak(self) -> None:
        now = time.monotonic()
        self._capacity.observe(now, len(self._running), self._frames.lowest_lead_seconds(now))
        for spoken in self._frames.step(time.monotonic, self._stepped):
            self._deliver(spoken)

    def _deliver(self, spoken: Spoken) -> None:
        """Hands a group's frames to the asyncio side, all at once."""
        now = time.monotonic()
        arrived = [(self._running[stream], codes) for stream, codes in spoken if codes is not None]
        for ticket, _ in arrived:
            ticket.spoke_seconds = ticket.spoke_seconds or now
        if arrived and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_put_all, arrived)
        for stream in [stream for stream, _ in spoken if stream.finished]:
            with self._wake:
                self._finish(stream)

    def _stepped(self, streams: int, step_seconds: float) -> None:
        self.stepped(streams, step_seconds)
        # The streams of a step that works ahead share the weights: its time says little about one stream more.
        if not self._model.frames_ahead:
            self._capacity.stepped(step_seconds)

    def _finish(self, stream: Stream) -> None:
        ticket = self._running[stream]
        self._free(stream)
        ticket.deliver(Broken("the model's logits are not numbers") if stream.broken else ticket.ended())

    def _free(self, stream: Stream) -> None:
        self._frames.leave(stream)
        del self._running[stream]

    def _tell_all(self, error: Exception) -> None:
        with self._wake:
            for ticket in [*self._running.values(), *self._waiting]:
                ticket.deliver(error)


def _put_all(arrived: list[tuple[Ticket, Codes]]) -> None:
    for ticket, codes in arrived:
        ticket.events.put_nowait(codes)
