"""One request at one door, from its arrival to its last sample: its place, its two log lines, its metrics."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from gateway.admission import Admission
from gateway.ending import Ending
from gateway.events import Chunk, SpeechEvent, Started
from gateway.metrics import FINISHED, Door, GatewayMetrics
from gateway.pipeline import Pipeline
from gateway.request import SpeechRequest
from gateway.window import Window
from swara.errors import Broken, Cancelled, SwaraError, Unavailable
from swara.logs import request_log
from swara.pcm import from_bytes
from swara.player import Player
from swara.speech import AdmissionClass
from swara.stopwatch import Stopwatch

log = logging.getLogger(__name__)


class Sessions:
    """Opens sessions; every door has the same ones."""

    def __init__(
        self, pipeline: Pipeline, admission: Admission, metrics: GatewayMetrics, silent_seconds: float
    ) -> None:
        self._pipeline = pipeline
        self._admission = admission
        self._metrics = metrics
        self._silent_seconds = silent_seconds
        self._endings: set[Ending] = set()

    def cut_off(self) -> None:
        """Ends every open session now; each listener is told that the gateway is shutting down."""
        for ending in self._endings:
            ending.tell(Unavailable("this gateway is shutting down"))

    @asynccontextmanager
    async def open(self, door: Door, request_id: str) -> AsyncIterator["Session"]:
        """A session that counts how it ends and says so in one log line; errors pass through."""
        ending = Ending()
        window = Window(self._silent_seconds, ending.tell)
        session = Session(door, request_id, self._pipeline, self._admission, self._metrics, window)
        outcome, sentence = FINISHED, ""
        self._endings.add(ending)
        try:
            async with ending.reached():
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
            self._endings.discard(ending)
            self._metrics.ended(door, outcome)
            session.log.info("%s: %s%s", session.closing_words, outcome, f": {sentence}" if sentence else "")


class Session:
    """One request; `arrival` began when it came."""

    def __init__(
        self,
        door: Door,
        request_id: str,
        pipeline: Pipeline,
        admission: Admission,
        metrics: GatewayMetrics,
        window: Window,
    ) -> None:
        self.request_id = request_id
        self.arrival = Stopwatch()
        self.log = request_log(log, request_id)
        self._door = door
        self._pipeline = pipeline
        self._admission = admission
        self._metrics = metrics
        self._window = window
        self._player: Player | None = None

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The pipeline's events, with a place held and everything measured while they flow."""
        admission_class = AdmissionClass.RESUMED if request.resume_token else AdmissionClass.NEW
        with self._admission.place(admission_class), self._metrics.active.labels(self._door.value).track_inprogress():
            self.log.info("stream opened at %s: %s", self._door.value, _wanted(request))
            try:
                async with aclosing(self._window.through(self._pipeline.speak(request))) as events:
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


def _wanted(request: SpeechRequest) -> str:
    return "the rest of another's" if request.resume_token else f"{len(request.text)} characters"
