"""Speech that has fallen silent is ended; pauses are not."""

import asyncio
import copy

import numpy as np
import pytest
import torch

from audio_service.codec import Codec, load_codec
from audio_service.decoder import Decoder
from audio_service.silence import LONGEST_SILENCE_SECONDS, SilenceGuard
from swara.frames import FRAME_SECONDS, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, SLOTS
from swara.v1 import audio_service_pb2 as pb
from swara.v1 import token_service_pb2
from tests.audio_service.codecs import DEMO_CODEC
from tests.audio_service.doors import TokenProcess, served

LONG_FRAMES = 150
LONGEST_SAMPLES = int(LONGEST_SILENCE_SECONDS * SAMPLE_RATE_HZ)
TONE = (8_000 * np.sin(np.arange(SAMPLE_RATE_HZ) / 20)).astype(np.int16)


def silence(samples: int) -> np.ndarray:
    return np.zeros(samples, np.int16)


def test_a_pause_is_not_an_end() -> None:
    guard = SilenceGuard()
    for samples in (TONE, silence(LONGEST_SAMPLES - SAMPLE_RATE_HZ // 10), TONE, silence(SAMPLE_RATE_HZ)):
        guard.hear(samples)
        assert not guard.fell_silent


@pytest.mark.parametrize("chunk_samples", [1, 333, 2048, LONGEST_SAMPLES])
def test_a_long_silence_is_seen_however_it_is_cut(chunk_samples: int) -> None:
    guard = SilenceGuard()
    guard.hear(TONE)
    heard = silence(LONGEST_SAMPLES // 50)
    for _ in range(50):
        assert not guard.fell_silent
        for first in range(0, len(heard), chunk_samples):
            guard.hear(heard[first : first + chunk_samples])
    guard.hear(silence(SAMPLE_RATE_HZ // 10))
    assert guard.fell_silent


def mute() -> Codec:
    """The demo codec with a decoder that says nothing."""
    codec = copy.deepcopy(load_codec(str(DEMO_CODEC)))
    last = [module for module in codec.modules.decoder.modules() if isinstance(module, torch.nn.Conv1d)][-1]
    last.parametrizations.weight.original0.zero_()
    last.bias.zero_()
    return codec


def test_a_stream_that_says_nothing_is_ended_as_a_runaway(tokens: TokenProcess) -> None:
    limits = token_service_pb2.FrameLimits(max_frames=LONG_FRAMES, ignore_end=True)
    generate = token_service_pb2.GenerateRequest(request_id="the-id", text="नमस्ते", seed=1, limits=limits)

    async def main() -> tuple[pb.AudioFinished, int, int]:
        codec, frames, samples = mute(), 0, 0
        async with served(codec, Decoder(codec, torch.device("cpu")), tokens.address) as door:
            async for event in door.stub.Synthesize(pb.AudioServiceSynthesizeRequest(generate=generate)):
                frames += len(event.chunk.frames.codes) // (2 * SLOTS)
                samples += len(event.chunk.pcm) // 2
        return event.finished, frames, samples

    finished, frames, samples = asyncio.run(main())
    assert finished.generation.reason == token_service_pb2.FINISH_REASON_RUNAWAY
    assert LONGEST_SILENCE_SECONDS / FRAME_SECONDS <= frames < LONG_FRAMES
    assert finished.generation.frames == frames
    assert finished.samples == samples == frames * SAMPLES_PER_FRAME
