"""What happens between frames that arrive and PCM that leaves: feeding, and remembering frames for the next chunk."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from audio_service.seat import Seat
from swara.errors import Broken
from swara.frames import SAMPLES_PER_FRAME, Codes


@dataclass(frozen=True)
class Frames:
    """Consecutive frames [F, 7] of a segment, and the index of the first."""

    first_frame: int
    codes: Codes


class Received:
    """The frames since the last chunk. Back-pressure at the seat bounds them."""

    def __init__(self) -> None:
        self._blocks: list[Frames] = []

    def add(self, frames: Frames) -> None:
        """Remembers frames that have just come."""
        if len(frames.codes):
            self._blocks.append(frames)

    def take(self) -> Frames | None:
        """All remembered frames as one block, and forgets them; None if there are none."""
        if not self._blocks:
            return None
        blocks, self._blocks = self._blocks, []
        return Frames(blocks[0].first_frame, np.concatenate([block.codes for block in blocks]))


async def remembered(blocks: AsyncIterator[Frames], received: Received) -> AsyncIterator[Frames]:
    """The same frames, each remembered before it is passed on."""
    async for frames in blocks:
        received.add(frames)
        yield frames


async def feed(seat: Seat, blocks: AsyncIterator[Frames]) -> None:
    """Feeds the seat with frames as they arrive, to their end."""
    async for frames in blocks:
        await seat.feed(frames.first_frame, frames.codes)
    seat.end()


@dataclass(frozen=True)
class CodecFacts:
    """What a token service must agree with."""

    fingerprint: str
    codebook_size: int
    sample_rate_hz: int

    def check(self, model: str, codebook_size: int, sample_rate_hz: int, samples_per_frame: int) -> None:
        """Raises Broken with a sentence if the model's codes are not this codec's."""
        pairs = (
            ("codes a codebook", codebook_size, self.codebook_size),
            ("Hz", sample_rate_hz, self.sample_rate_hz),
            ("samples a frame", samples_per_frame, SAMPLES_PER_FRAME),
        )
        for what, wanted, given in pairs:
            if wanted != given:
                raise Broken(f"model {model} does not fit this codec: it needs {wanted} {what}, the codec has {given}")
