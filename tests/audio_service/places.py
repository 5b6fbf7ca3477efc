"""A running batcher for tests, and what comes out of a seat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import torch
from prometheus_client import CollectorRegistry

from audio_service.batcher import Batcher, Limits
from audio_service.decoder import Decoder
from audio_service.metrics import Metrics
from audio_service.rows import Rows
from audio_service.seat import Seat
from swara.frames import Codes
from swara.pcm import Samples
from tests.audio_service.codecs import delays


@dataclass
class Place:
    """A batcher and what it counted."""

    batcher: Batcher
    registry: CollectorRegistry

    def count(self, name: str, **labels: str) -> float:
        """The value of one metric; 0 where it was never touched."""
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def running(decoder: Decoder, streams: int = 4, reserve: int = 1, step_frames: int = 8) -> AsyncIterator[Place]:
    """A batcher that runs for the length of the block."""
    limits, registry = Limits(streams, reserve, step_frames), CollectorRegistry()
    rows = Rows(decoder, limits.rows)
    batcher = Batcher(rows, delays(decoder), limits, Metrics(registry), lambda: torch.set_num_threads(1))
    task = asyncio.create_task(batcher.run())
    try:
        yield Place(batcher, registry)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def feed_all(seat: Seat, codes: Codes, block_frames: int) -> None:
    """Feeds codes [F, 7] in blocks, then the end."""
    for first in range(0, len(codes), block_frames):
        await seat.feed(first, codes[first : first + block_frames])
        await asyncio.sleep(0)
    seat.end()


async def read_all(seat: Seat) -> Samples:
    """Everything that comes out, checked to follow without a gap."""
    read = [np.empty(0, np.int16)]
    expected = seat.stream.voicing.first_sample
    async for piece in seat.pieces():
        assert piece.first_sample == expected
        expected += len(piece.samples)
        read.append(piece.samples)
    return np.concatenate(read)
