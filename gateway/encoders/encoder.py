"""One stream's way from PCM to the bytes a listener gets."""

from collections.abc import Sequence

import numpy as np

from gateway.encoders.codec import Codec
from gateway.encoders.stages import Audio, Stage
from swara.pcm import FULL_SCALE, from_bytes, from_float, to_bytes


class Encoder:
    """PCM in, bytes out: `encode` each chunk, then `finish`.

    `content_type` and `sample_rate_hz` describe what comes out. The first bytes are head and audio together (law 8).
    """

    def __init__(self, content_type: str, sample_rate_hz: int, stages: Sequence[Stage], codec: Codec) -> None:
        self.content_type = content_type
        self.sample_rate_hz = sample_rate_hz
        self._stages = stages
        self._codec = codec
        self._begun = False

    @property
    def head(self) -> bytes:
        """What comes before the first audio; empty where the format has none, or before anything was encoded."""
        return self._codec.head

    def encode(self, pcm: bytes) -> bytes:
        """What is ready after this PCM (s16le at the model's rate); empty where that is nothing yet."""
        if self._stages:
            pcm = _to_pcm(self._through(_to_audio(pcm), 0))
        return self._with_head(self._codec.encode(pcm))

    def finish(self) -> bytes:
        """The rest, and of a stream without speech the head, if it has one; nothing may be encoded afterwards."""
        rest = b"".join(_to_pcm(self._through(stage.finish(), k + 1)) for k, stage in enumerate(self._stages))
        last = self._with_head(self._codec.encode(rest)) + self._codec.finish()
        return last if self._begun else self._with_head(last, even_empty=True)

    def _through(self, audio: Audio, first_stage: int) -> Audio:
        for stage in self._stages[first_stage:]:
            audio = stage.feed(audio)
        return audio

    def _with_head(self, encoded: bytes, *, even_empty: bool = False) -> bytes:
        if self._begun or not (encoded or even_empty):
            return encoded
        self._begun = True
        return self._codec.head + encoded


def _to_audio(pcm: bytes) -> Audio:
    return from_bytes(pcm).astype(np.float32) / np.float32(FULL_SCALE)


def _to_pcm(audio: Audio) -> bytes:
    return to_bytes(from_float(audio))
