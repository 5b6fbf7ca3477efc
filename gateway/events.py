"""What a listener hears about one synthesis: started, chunks, finished."""

from dataclasses import dataclass
from typing import Protocol

from swara.speech import FinishReason


class Writer(Protocol):
    """Whoever writes a text while it is spoken."""

    @property
    def since_awaited_seconds(self) -> float:
        """How long ago text was last waited for: 0 while it is, infinite where it never was."""

    @property
    def may_be_awaited(self) -> bool:
        """Whether text is waited for now, or nobody here knows."""


@dataclass(frozen=True)
class Started:
    """The request as it was taken; comes once, first. `writer` is whom those who hear it may have to wait for."""

    request_id: str
    synthesis_id: str
    model: str
    fingerprint: str
    voice: str
    seed: int
    sample_rate_hz: int
    writer: Writer | None = None


@dataclass(frozen=True)
class Chunk:
    """A stretch of speech, never empty.

    `first_sample` counts from the start of the synthesis, `first_frame` from the start of the segment. `codes` are all
    frames received since the last chunk (packed, 14 bytes each), those still waiting for their lookahead included.
    `resume_token` is for going on after this chunk; empty where nobody asked for it. `text` is the segment's, with its
    first chunk only.
    """

    segment: int
    first_sample: int
    pcm: bytes
    first_frame: int
    codes: bytes
    resume_token: bytes = b""
    text: str = ""

    @property
    def content_bytes(self) -> int:
        """What it keeps in memory; the token holds the whole rest of the text, and may be several times the PCM."""
        return len(self.pcm) + len(self.codes) + len(self.resume_token) + len(self.text.encode())


@dataclass(frozen=True)
class Timings:
    """Where the time went, in seconds; the first two since the request's arrival, the rest summed over the segments.

    The rest is 0 where it is not known: of a speech that was stopped, or that another gateway speaks.
    """

    first_chunk_seconds: float
    total_seconds: float
    first_token_seconds: float = 0.0
    queue_seconds: float = 0.0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    codec_seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Finished:
    """The end of a synthesis, with why its last segment ended; comes once, last."""

    reason: FinishReason
    samples: int
    segments: int
    frames: int
    timings: Timings


SpeechEvent = Started | Chunk | Finished
