"""Ten minutes of audio decode in the memory of ten seconds."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import torch

from audio_service.decoder import Decoder
from benchmarks.whole import random_codec
from swara.frames import FRAME_SECONDS, SAMPLE_RATE_HZ
from swara.v1 import audio_service_pb2 as pb
from swara.wire import frames_message
from tests.audio_service.codecs import random_codes
from tests.audio_service.doors import served
from tests.memory import resident_bytes

SHORT_SECONDS, LONG_SECONDS = 10, 600
BLOCK_FRAMES = 16
# The long one's PCM alone would take 28 MB, its floats twice that. Allocators round.
SLACK_BYTES = 4_000_000


async def messages(codebook_size: int) -> AsyncIterator[pb.DecodeRequest]:
    yield pb.DecodeRequest(configuration=pb.DecodeConfiguration(request_id="long"))
    codes = random_codes(BLOCK_FRAMES, codebook_size)
    for first in range(0, round(LONG_SECONDS / FRAME_SECONDS), BLOCK_FRAMES):
        yield pb.DecodeRequest(frames=frames_message(first, codes))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc to see its own memory")
def test_ten_minutes_decode_in_the_memory_of_ten_seconds() -> None:
    # The state of a stream is a matter of shapes; few channels make ten minutes short.
    codec = random_codec(encoder_dim=8, decoder_dim=64)
    peaks = {SHORT_SECONDS: 0, LONG_SECONDS: 0}

    async def main() -> int:
        samples = 0
        async with served(codec, Decoder(codec, torch.device("cpu"))) as door:
            async for answer in door.stub.Decode(messages(codec.codebook_size)):
                samples += len(answer.pcm) // 2
                part = SHORT_SECONDS if samples < SHORT_SECONDS * SAMPLE_RATE_HZ else LONG_SECONDS
                peaks[part] = max(peaks[part], resident_bytes())
        return samples

    assert asyncio.run(main()) >= LONG_SECONDS * SAMPLE_RATE_HZ
    assert peaks[LONG_SECONDS] - peaks[SHORT_SECONDS] < SLACK_BYTES
