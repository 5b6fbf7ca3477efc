"""One segment as the audio service speaks it: the order for it, its events, and who can fill it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from gateway.model import Model
from swara.speech import AdmissionClass, FinishReason, Priority, Sampling


@dataclass(frozen=True)
class SegmentOrder:
    """One prompt to be spoken; `seed` is the segment's own, `timeout_seconds` what is left of the caller's deadline.

    A segment that was begun before goes on after the frames in `resume_codes` (packed, 14 bytes each, from frame 0 on),
    at `first_sample`. `fingerprint` is the model's that the text was begun with, empty for any.
    """

    request_id: str
    segment: int
    text: str
    voice: str
    sampling: Sampling
    seed: int
    admission_class: AdmissionClass
    priority: Priority
    timeout_seconds: float | None
    max_lead_seconds: float
    resume_codes: bytes = b""
    first_sample: int = 0
    fingerprint: str = ""


@dataclass(frozen=True)
class SegmentStarted:
    """The order was taken."""

    fingerprint: str
    voice: str
    sample_rate_hz: int


@dataclass(frozen=True)
class SegmentChunk:
    """Final samples, and frames received meanwhile, both counted from the segment's start; either may be empty."""

    first_sample: int
    pcm: bytes
    first_frame: int
    codes: bytes


@dataclass(frozen=True)
class SegmentFinished:
    """The segment is complete; times in seconds."""

    reason: FinishReason
    samples: int
    frames: int
    queue_seconds: float
    prefill_seconds: float
    decode_seconds: float
    codec_seconds: float


SegmentEvent = SegmentStarted | SegmentChunk | SegmentFinished


class AudioSource(Protocol):
    """Whoever turns orders into PCM: the audio services, seen without their wire."""

    async def model(self) -> Model:
        """The model it speaks with."""
        ...

    def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        """Speaks one segment; closing the generator stops the work at once."""
        ...
