"""One request at one door, from its arrival to its last sample: its place, its two log lines, its metrics."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from gateway.admission import Admission
from gateway.events import Chunk, SpeechEvent, Started
from gateway.metrics import FINISHED, Door, GatewayMetrics
from gateway.pipeline import Pipeline
from gateway.request import SpeechRequest
from swara.errors import Broken, Cancelled, SwaraError, Unavailable
from swara.logs import request_log
from swara.pcm import from_bytes
from swara.player import Player
from swara.stopwatch import Stopwatch

log = logging.getLogger(__name__)


class Sessions:
    """Opens sessions; every door has the same ones."""

    def __init__(self, pipeline: Pipeline, admission: Admission, metrics: GatewayMetrics) -> None:
        self._pipeline = pipeline
        self._admission = admission
        self._metrics = metrics
        self._ends: set[asyncio.Timeout] = set()

    def cut_off(self) -> None:
        """Ends every open session now; each listener is told that the gateway is shutting down."""
        for end in self._ends:
            end.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def open(self, door: Door, request_id: str) -> AsyncIterator["Session"]:
        """A session that counts how it ends and says so in one log line; errors pass through."""
        session = Session(door, request_id, self._pipeline, self._admission, self._metrics)
        outcome, sentence = FINISHED, ""
        try:
            async with self._until_cut_off():
                yield session
        except SwaraError as error:
            outcome, sentence = error.label, error.sentence
            raise
        except (asyncio.CancelledError, GeneratorExit):
            outcome = Cancelled.label
            raise
        except Exception:
            outcome = Broken.label
            raise
        finally:
            self._metrics.ended(door, outcome)
            session.log.info("%s: %s%s", session.closing_words, outcome, f": {sentence}" if sentence else "")

    @asynccontextmanager
    async def _until_cut_off(self) -> AsyncIterator[None]:
        end = asyncio.timeout(None)
        self._ends.add(end)
        try:
            async with end:
                yield
        except TimeoutError:
            if end.expired():
                raise Unavailable("this gateway is shutting down") from None
            raise
        finally:
            self._ends.discard(end)


class Session:
    """One request; `arrival` began when it came."""

    def __init__(
        self, door: Door, request_id: str, pipeline: Pipeline, admission: Admission, metrics: GatewayMetrics
    ) -> None:
        self.request_id = request_id
        self.arrival = Stopwatch()
        self.log = request_log(log, request_id)
        self._door = door
        self._pipeline = pipeline
        self._admission = admission
        self._metrics = metrics
        self._player: Player | None = None

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The pipeline's events, with a place held and everything measured while they flow."""
        with self._admission.place(), self._metrics.active.labels(self._door.value).track_inprogress():
            self.log.info("stream opened at %s: %d characters", self._door.value, len(request.text))
            try:
                async with aclosing(self._pipeline.speak(request)) as events:
                    async for event in events:
                        self._note(event)
                        yield event
            finally:
                if self._player:
                    self._metrics.played(self._door, self._player.finish(self.arrival.seconds))

    def _note(self, event: SpeechEvent) -> None:
        match event:
            case Started():
                self._player = Player(event.sample_rate_hz)
            case Chunk() if self._player:
                self._player.feed(self.arrival.seconds, from_bytes(event.pcm))
                self._metrics.sent(self._door, len(event.pcm))

    @property
    def closing_words(self) -> str:
        """What the log line at the end begins with."""
        if not self._player:
            return f"request closed at {self._door.value} before any audio"
        return f"stream closed after {self.arrival.seconds:.2f} s with {self._player.held_seconds:.2f} s of audio"
