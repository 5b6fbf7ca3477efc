"""One request at one door, from its arrival to its last sample: its place, its two log lines, its metrics."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace

from gateway.access.account import Account
from gateway.access.admission import Admission
from gateway.access.guard import Guard
from gateway.access.usage import Ledger, Usage
from gateway.ending import Ending
from gateway.events import Chunk, Finished, SpeechEvent, Started, Timings
from gateway.hearing import Hearing
from gateway.metrics import FINISHED, Door, GatewayMetrics
from gateway.request import ListenRequest, SpeechRequest
from gateway.sharing.broadcasts import Broadcasts
from gateway.speech.manuscript import Manuscript
from gateway.speech.pipeline import Limits, Pipeline
from gateway.window import Window
from swara import tracing
from swara.errors import Broken, Cancelled, SwaraError, Unavailable
from swara.logs import request_log
from swara.pcm import SAMPLE_BYTES
from swara.player import Player
from swara.speech import AdmissionClass, FinishReason
from swara.stopwatch import Stopwatch

log = logging.getLogger(__name__)

# What a usage record is of; a relay's listener is counted at the gateway that it came to.
SPEECH, LISTEN, RELAY = "speech", "listen", "relay"


@dataclass(frozen=True)
class House:
    """What all sessions of a gateway share; `speakers` and `listeners` count those who speak and those who joined."""

    pipeline: Pipeline
    limits: Limits
    broadcasts: Broadcasts
    speakers: Admission
    listeners: Admission
    metrics: GatewayMetrics
    guard: Guard
    ledger: Ledger


class Sessions:
    """Opens sessions; every door has the same ones."""

    def __init__(self, house: House, silent_seconds: float) -> None:
        self._house = house
        self._silent_seconds = silent_seconds
        self._endings: set[Ending] = set()

    def cut_off(self) -> None:
        """Ends every open session now; each listener is told that the gateway is shutting down."""
        for ending in self._endings:
            ending.tell(Unavailable("this gateway is shutting down"))

    def manuscript(self, patience_seconds: float | None) -> Manuscript:
        """A text to be written: how long it may wait for the end of its sentence, None for as long as it takes."""
        limits = self._house.limits
        return Manuscript(limits.max_text_characters, patience_seconds, limits.writer_pause_seconds)

    def identify(self, door: Door, request_id: str, key: str) -> None:
        """Checks the API key of a caller who asks for no speech yet; raises Unauthenticated, counted and logged."""
        try:
            self._house.guard.account(key)
        except SwaraError as error:
            self._house.metrics.ended(door, error.label)
            request_log(log, request_id).info("refused at %s: %s", door.value, error.sentence)
            raise

    @asynccontextmanager
    async def open(self, door: Door, request_id: str, key: str = "") -> AsyncIterator["Session"]:
        """A session of whoever has this API key; it counts how it ends and says so in one log line.

        Raises Unauthenticated; errors of the block pass through.
        """
        ending = Ending()
        window = Window(self._silent_seconds, ending.tell)
        session = Session(door, request_id, self._house, window)
        outcome, sentence = FINISHED, ""
        trace = tracing.begin("request", {"door": door.value, "request_id": request_id})
        self._endings.add(ending)
        try:
            session.account = self._house.guard.account(key)
            async with ending.reached():
                yield session
            if session.stopped:
                outcome = Cancelled.label
        except SwaraError as error:
            # Whoever hangs up when everything has been sent has heard it all.
            if not (session.finished and isinstance(error, Cancelled)):
                outcome, sentence = error.outcome, error.sentence
            raise
        except (asyncio.CancelledError, GeneratorExit):
            outcome = FINISHED if session.finished else Cancelled.label
            raise
        except Exception:
            outcome = Broken.label
            raise
        finally:
            self._endings.discard(ending)
            self._house.metrics.ended(door, outcome)
            trace.end({"outcome": outcome})
            session.account_for(outcome)
            session.log.info("%s: %s%s", session.closing_words, outcome, f": {sentence}" if sentence else "")


class Session:
    """One request; `arrival` began when it came, `account` is that of the caller's API key.

    `stopped` is whether its listener stopped it, `finished` whether its end has been given out.
    """

    def __init__(self, door: Door, request_id: str, house: House, window: Window) -> None:
        self.request_id = request_id
        self.account = Account()
        self.arrival = Stopwatch()
        self.log = request_log(log, request_id)
        self.stopped = False
        self._door = door
        self._house = house
        self._window = window
        self._player: Player | None = None
        self._hearing: Hearing | None = None
        self._last: Chunk | None = None
        self.finished = False
        self._started: Started | None = None
        self._kind = SPEECH
        self._request: SpeechRequest | None = None

    def stop(self) -> None:
        """Ends the speech at once, as its listener wished: no more chunks, and Finished when the slot is free."""
        self.stopped = True
        self._window.stop()

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The pipeline's events, with a place held and everything measured while they flow."""
        events = self._placed(replace(request, key_name=self.account.name))
        if request.shareable:
            events = self._house.broadcasts.open(events, self.account.name)
        async with aclosing(self._heard(events)) as heard:
            async for event in heard:
                yield event

    async def listen(self, wanted: ListenRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The events of a synthesis that another has asked for."""
        listening = self._house.metrics.listeners.labels(self._door.value)
        with self._house.listeners.place(), self.account.listening(), listening.track_inprogress():
            self._kind = RELAY if self._house.broadcasts.vouched_for(wanted) else LISTEN
            self.log.info("listener joined at %s%s", self._door.value, self._whose)
            async with aclosing(self._heard(self._house.broadcasts.listen(wanted))) as heard:
                async for event in heard:
                    yield replace(event, request_id=self.request_id) if isinstance(event, Started) else event

    async def _placed(self, request: SpeechRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The synthesis itself, which may go on for others when its session has ended."""
        self._request = request
        admission_class = AdmissionClass.RESUMED if request.resume_token else AdmissionClass.NEW
        active = self._house.metrics.active.labels(self._door.value)
        place, own_place = self._house.speakers.place(admission_class), self.account.speaking(admission_class)
        with place, own_place, active.track_inprogress():
            self.log.info("stream opened at %s%s: %s", self._door.value, self._whose, _wanted(request))
            # Counted before it is spoken, so that many at once are too many; one that is being written grows meanwhile.
            counted = request.characters
            self.account.spoke(counted)
            try:
                async with aclosing(self._house.pipeline.speak(request)) as events:
                    async for event in events:
                        yield event
            finally:
                self.account.spoke(request.characters - counted)

    async def _heard(self, events: AsyncGenerator[SpeechEvent, None]) -> AsyncGenerator[SpeechEvent, None]:
        """The events as the listener takes them, measured."""
        try:
            async with aclosing(self._window.through(events)) as kept:
                async for event in kept:
                    self._note(event)
                    with self._delivering():
                        yield event
            if self.stopped and not self.finished:
                yield self._cut_short()
        finally:
            if self._hearing:
                self._hearing.finish()

    def _note(self, event: SpeechEvent) -> None:
        match event:
            case Started():
                self._started = event
                self._player = Player(event.sample_rate_hz)
                self._hearing = Hearing(
                    self._house.metrics, self._door, event.model, self._player, self.arrival, event.writer
                )
            case Chunk() if self._hearing:
                self._last = event
                self.arrival.mark("heard")
                self._hearing.hear(event.pcm)
            case Finished():
                self.finished = True
                # However many hear a speech, its services took their time once.
                if self._hearing and self._kind == SPEECH:
                    self._hearing.timed(event.timings)

    def encoding(self) -> AbstractContextManager[None]:
        """For the block in which a door puts speech into its listener's format."""
        return self._hearing.encoding() if self._hearing else nullcontext()

    def _delivering(self) -> AbstractContextManager[None]:
        return self._hearing.delivering() if self._hearing else nullcontext()

    def _cut_short(self) -> Finished:
        """The end of a speech that was stopped: what was heard of it."""
        last = self._last
        return Finished(
            reason=FinishReason.CANCELLED,
            samples=last.first_sample + len(last.pcm) // SAMPLE_BYTES if last else 0,
            segments=last.segment + 1 if last else 0,
            frames=0,
            timings=Timings(self.arrival.at("heard") or 0.0, self.arrival.seconds),
        )

    def account_for(self, outcome: str) -> None:
        """Keeps what it took, where anything was begun."""
        if not (self._started and self._player):
            return
        usage = Usage(
            request_id=self.request_id,
            key=self.account.name,
            door=self._door.value,
            kind=self._kind,
            model=self._started.model,
            voice=self._started.voice,
            characters=self._request.characters if self._request else 0,
            audio_seconds=round(self._player.held_seconds, 3),
            outcome=outcome,
        )
        self._house.ledger.note(usage)

    @property
    def _whose(self) -> str:
        return f" with key {self.account.name}" if self.account.name else ""

    @property
    def closing_words(self) -> str:
        """What the log line at the end begins with."""
        if not self._player:
            return f"request closed at {self._door.value} before any audio"
        return f"stream closed after {self.arrival.seconds:.2f} s with {self._player.held_seconds:.2f} s of audio"


def _wanted(request: SpeechRequest) -> str:
    if request.manuscript is not None:
        return "a text that is being written"
    return "the rest of another's" if request.resume_token else f"{len(request.text)} characters"
