"""One synthesis as the client sees it, without I/O: what the events of its stream add up to.

Both clients, the blocking one and the asyncio one, are shells around this file.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from google.protobuf.message import Message

from swara.frames import SAMPLE_RATE_HZ
from swara.pcm import Samples, from_bytes
from swara.player import Playback, Player
from swara.stopwatch import Stopwatch
from swara.v1 import speech_service_pb2 as speech_pb2
from swara.v1 import token_service_pb2 as token_pb2
from swara_client.errors import Broken, Unavailable


@dataclass(frozen=True)
class Started:
    """The request as the gateway took it."""

    request_id: str
    synthesis_id: str
    model: str
    model_fingerprint: str
    voice: str
    seed: int
    sample_rate_hz: int


@dataclass(frozen=True)
class Finished:
    """The end of a synthesis: `reason` is end_of_speech, max_frames or runaway; times as the gateway measured them."""

    reason: str
    samples: int
    segments: int
    frames: int
    first_chunk_seconds: float
    total_seconds: float


Response = speech_pb2.SynthesizeResponse | speech_pb2.StreamSynthesizeResponse | speech_pb2.ListenResponse


class Progress:
    """Adds up the events of one synthesis: `take` each, and None at the end; the clock starts when it is made.

    `first_sample` is where it begins; None takes whatever comes first, as a listener who joins does. `samples` counts
    from the start of the synthesis.
    """

    def __init__(self, first_sample: int | None = 0) -> None:
        self.first_sample = first_sample
        self.started: Started | None = None
        self.finished: Finished | None = None
        self.playback: Playback | None = None
        self.samples = first_sample or 0
        self.resumed = 0
        self.resume_token = b""
        self._player = Player()
        self._stopwatch = Stopwatch()

    def take(self, response: Response | None) -> Samples | None:
        """The samples this event brings, maybe none; None at the end. Raises Broken and Unavailable."""
        if response is None:
            self._end()
            return None
        event = response.WhichOneof("event")
        if event == "started":
            self._start(Started(**_values(Started, response.started)))
            return np.empty(0, np.int16)
        self.accepted()
        if event == "chunk":
            return self._chunk(response.chunk)
        if event == "finished":
            reason = token_pb2.FinishReason.Name(response.finished.reason).removeprefix("FINISH_REASON_").lower()
            self.finished = Finished(**{**_values(Finished, response.finished), "reason": reason})
        return np.empty(0, np.int16)

    def _start(self, started: Started) -> None:
        """The first one counts; the gateway at which the speech goes on says it again."""
        if self.samples and self.started:
            self.resumed += 1
            return
        self.started = started
        self._player = Player(started.sample_rate_hz or SAMPLE_RATE_HZ)

    def _end(self) -> None:
        self.playback = self._player.finish(self._stopwatch.seconds)
        if self.finished is None:
            raise Unavailable("the gateway ended the stream before the speech was finished", self.request_id)
        if self.first_sample is not None and self.finished.samples != self.samples:
            raise Broken(f"{self.finished.samples} samples were announced, {self.samples} came", self.request_id)

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio received."""
        return self._player.held_seconds

    @property
    def passed_seconds(self) -> float:
        """Seconds since the request left."""
        return self._stopwatch.seconds

    def accepted(self) -> Started:
        """How the gateway took the request; raises Broken if its first event did not tell."""
        if self.started is None:
            raise Broken("the gateway's first event was not `started`")
        return self.started

    @property
    def request_id(self) -> str:
        """The id to quote when something went wrong; empty before `started`."""
        return self.started.request_id if self.started else ""

    def _chunk(self, chunk: speech_pb2.SpeechChunk) -> Samples:
        if self.first_sample is None:
            self.first_sample = self.samples = chunk.first_sample
        if chunk.first_sample != self.samples:
            raise Broken(f"expected sample {self.samples}, got sample {chunk.first_sample}", self.request_id)
        samples = from_bytes(chunk.pcm)
        self.samples += len(samples)
        self.resume_token = chunk.resume_token
        self._player.feed(self._stopwatch.seconds, samples)
        return samples


class Outcome:
    """What the speech of either client tells about itself."""

    def __init__(self, first_sample: int | None = 0) -> None:
        self._progress = Progress(first_sample)

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio received so far."""
        return self._progress.audio_seconds

    @property
    def passed_seconds(self) -> float:
        """Seconds since the request left."""
        return self._progress.passed_seconds

    def left_seconds(self, timeout_seconds: float | None) -> float | None:
        """What is left of a time limit that began when the request left; None where there is none."""
        return None if timeout_seconds is None else max(0.0, timeout_seconds - self.passed_seconds)

    @property
    def started(self) -> Started | None:
        """How the gateway took the request; None until it has said so, which is before the first samples."""
        return self._progress.started

    @property
    def finished(self) -> Finished | None:
        """How it ended; None until it has."""
        return self._progress.finished

    @property
    def next_sample(self) -> int:
        """The first sample that has not come yet, counted from the start of the synthesis: where to join it again."""
        return self._progress.samples

    @property
    def resumed(self) -> int:
        """How often it went on at another gateway, or at the same one after it had been away."""
        return self._progress.resumed

    @property
    def resume_token(self) -> bytes:
        """What another gateway needs to go on after the last chunk; empty where none was asked for."""
        return self._progress.resume_token

    @property
    def playback(self) -> Playback | None:
        """What a listener who played it as it came experienced; None until it has ended."""
        return self._progress.playback


def _values(kind: type, message: Message) -> dict[str, Any]:
    return {field.name: getattr(message, field.name) for field in fields(kind)}
