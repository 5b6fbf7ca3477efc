"""AudioService.Synthesize over a real token service."""

import asyncio
import time
from dataclasses import dataclass, field

import grpc
import numpy as np
import pytest

from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.stream import Voicing
from swara.frames import SAMPLES_PER_FRAME, Codes, no_codes, pack, unpack
from swara.pcm import Samples, from_bytes, from_float
from swara.v1 import audio_service_pb2 as pb
from swara.v1 import codes_pb2, token_service_pb2
from tests.audio_service.codecs import whole_decode
from tests.audio_service.doors import Door, TokenProcess, served, token_service

SEED, FRAMES = 5, 14


def request(frames: int = FRAMES, **fields: object) -> pb.AudioServiceSynthesizeRequest:
    limits = token_service_pb2.FrameLimits(max_frames=frames, ignore_end=True)
    generate = token_service_pb2.GenerateRequest(request_id="the-id", text="नमस्ते", seed=SEED, limits=limits)
    return pb.AudioServiceSynthesizeRequest(generate=generate, segment=3, **fields)


@dataclass
class Spoken:
    """What came, in order."""

    kinds: list[str] = field(default_factory=list)
    started: pb.AudioStarted = field(default_factory=pb.AudioStarted)
    finished: pb.AudioFinished = field(default_factory=pb.AudioFinished)
    chunks: list[pb.AudioChunk] = field(default_factory=list)

    @property
    def pcm(self) -> Samples:
        return np.concatenate([np.empty(0, np.int16), *[from_bytes(chunk.pcm) for chunk in self.chunks]])

    @property
    def codes(self) -> Codes:
        return np.concatenate([no_codes(), *[unpack(chunk.frames.codes, 4096) for chunk in self.chunks]])


async def speak(door: Door, asked: pb.AudioServiceSynthesizeRequest) -> Spoken:
    spoken = Spoken()
    async for event in door.stub.Synthesize(asked):
        kind = event.WhichOneof("event")
        spoken.kinds.append(kind)
        if kind == "chunk":
            spoken.chunks.append(event.chunk)
        else:
            setattr(spoken, kind, getattr(event, kind))
    return spoken


@pytest.fixture(scope="module")
def spoken(codecs: dict[str, Codec], decoders: dict[str, Decoder], tokens: TokenProcess) -> Spoken:
    """What the demo codec says to the request that nothing was changed in."""

    async def main() -> Spoken:
        async with served(codecs["demo codec"], decoders["demo codec"], tokens.address) as door:
            return await speak(door, request())

    return asyncio.run(main())


def test_a_segment_comes_as_started_then_chunks_then_finished(decoder: Decoder, spoken: Spoken) -> None:
    assert [spoken.kinds[0], spoken.kinds[-1]] == ["started", "finished"]
    assert spoken.kinds.count("chunk") == len(spoken.kinds) - 2
    assert spoken.started.lookahead_samples == decoder.reach_samples
    assert spoken.started.sample_rate_hz == 24_000
    assert spoken.started.generation.max_frames == FRAMES
    assert spoken.finished.samples == FRAMES * SAMPLES_PER_FRAME
    assert spoken.finished.generation.frames == FRAMES
    assert 0 < spoken.finished.codec_seconds < 10


def test_pcm_equals_the_whole_decode_of_the_frames_that_came_with_it(codec: Codec, spoken: Spoken) -> None:
    expected = from_float(whole_decode(codec, spoken.codes, Voicing(SEED)))
    assert len(spoken.pcm) == len(expected)
    assert np.abs(spoken.pcm.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("mode", [pb.DECODE_MODE_EARLY, pb.DECODE_MODE_REPORT])
def test_every_mode_speaks_every_sample_once(
    codec: Codec, decoder: Decoder, tokens: TokenProcess, mode: pb.DecodeMode
) -> None:
    async def main() -> Spoken:
        async with served(codec, decoder, tokens.address) as door:
            return await speak(door, request(decoding=pb.Decoding(mode=mode)))

    spoken = asyncio.run(main())
    expected = from_float(whole_decode(codec, spoken.codes, Voicing(SEED)))
    assert spoken.finished.samples == len(spoken.pcm) == len(expected)
    exact_from = SAMPLES_PER_FRAME if mode == pb.DECODE_MODE_EARLY else 0
    assert np.abs(spoken.pcm.astype(int) - expected)[exact_from:].max() <= 1


def test_every_chunk_carries_the_frames_that_came_and_neither_a_gap_nor_nothing(
    codec: Codec, decoder: Decoder, tokens: TokenProcess
) -> None:
    async def main() -> Spoken:
        async with served(codec, decoder, tokens.address) as door:
            return await speak(door, request(30))

    samples = frames = 0
    for chunk in asyncio.run(main()).chunks:
        assert chunk.segment == 3
        assert chunk.pcm or chunk.frames.codes
        assert chunk.first_sample == samples
        samples += len(chunk.pcm) // 2
        if chunk.frames.codes:
            assert chunk.frames.first_frame == frames
        frames += len(chunk.frames.codes) // 14
        assert samples <= max(0, frames * SAMPLES_PER_FRAME - decoder.reach_samples) or frames == 30
    assert (samples, frames) == (30 * SAMPLES_PER_FRAME, 30)


@pytest.mark.parametrize("heard_frames", [1, 4, 11])
def test_a_synthesis_that_is_resumed_from_its_frames_goes_on_at_the_next_sample(
    codec: Codec, decoder: Decoder, tokens: TokenProcess, spoken: Spoken, heard_frames: int
) -> None:
    heard = max(0, heard_frames * SAMPLES_PER_FRAME - decoder.reach_samples)
    again = request(first_sample=heard)
    again.generate.resume_frames.CopyFrom(codes_pb2.Frames(codes=pack(spoken.codes[:heard_frames])))
    again.generate.admission_class = token_service_pb2.ADMISSION_CLASS_RESUMED

    async def main() -> Spoken:
        async with served(codec, decoder, tokens.address) as door:
            return await speak(door, again)

    resumed = asyncio.run(main())
    assert np.array_equal(resumed.codes, spoken.codes[heard_frames:])
    assert len(spoken.pcm) - len(resumed.pcm) == heard
    assert np.abs(resumed.pcm.astype(int) - spoken.pcm[heard:]).max() <= 1
    assert resumed.finished.samples == FRAMES * SAMPLES_PER_FRAME


def test_a_caller_who_hangs_up_stops_the_generation(codec: Codec, decoder: Decoder, tokens: TokenProcess) -> None:
    async def main() -> None:
        async with served(codec, decoder, tokens.address) as door:
            call = door.stub.Synthesize(request(280))
            while (await call.read()).WhichOneof("event") != "chunk":
                pass
            call.cancel()
            async with asyncio.timeout(3):
                while (await load(door)).token.running_streams or door.place.batcher.running_streams:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    asyncio.run(main())


async def load(door: Door) -> pb.AudioServiceGetLoadResponse:
    answer: pb.AudioServiceGetLoadResponse = await door.stub.GetLoad(pb.AudioServiceGetLoadRequest())
    return answer


def test_model_and_load_are_those_of_both_services(codec: Codec, decoder: Decoder, tokens: TokenProcess) -> None:
    async def main() -> None:
        async with served(codec, decoder, tokens.address) as door:
            model = await door.stub.GetModel(pb.AudioServiceGetModelRequest())
            assert model.codec_fingerprint == codec.fingerprint
            assert model.model.codebook_size == codec.codebook_size
            idle = await load(door)
            assert (idle.audio.capacity_streams, idle.audio.running_streams) == (4, 0)
            assert idle.token.capacity_streams > 0

    asyncio.run(main())


def test_what_the_token_service_refuses_is_refused_here_in_its_words(
    codec: Codec, decoder: Decoder, tokens: TokenProcess
) -> None:
    asked = request()
    asked.generate.voice = "nobody"

    async def main() -> None:
        async with served(codec, decoder, tokens.address) as door:
            await speak(door, asked)

    with pytest.raises(grpc.aio.AioRpcError, match="nobody") as caught:
        asyncio.run(main())
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "the-id" in (caught.value.details() or "")


def test_a_model_with_another_codebook_is_refused_with_a_sentence(
    codecs: dict[str, Codec], decoders: dict[str, Decoder], tokens: TokenProcess
) -> None:
    async def main() -> None:
        async with served(codecs["real shape"], decoders["real shape"], tokens.address) as door:
            await speak(door, request())

    with pytest.raises(grpc.aio.AioRpcError, match="needs 1024 codes a codebook, the codec has 4096"):
        asyncio.run(main())


def test_a_token_service_that_is_not_there_is_unavailable(codec: Codec, decoder: Decoder) -> None:
    async def main() -> None:
        async with served(codec, decoder) as door:
            await speak(door, request())

    with pytest.raises(grpc.aio.AioRpcError, match="token service") as caught:
        asyncio.run(main())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def to_the_end(call: grpc.aio.UnaryStreamCall[object, object]) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


def test_a_token_service_that_dies_is_unavailable_at_once(codec: Codec, decoder: Decoder) -> None:
    async def main(process: TokenProcess) -> float:
        async with served(codec, decoder, process.address) as door:
            call = door.stub.Synthesize(request(280))
            while (await call.read()).WhichOneof("event") != "chunk":
                pass
            process.process.kill()
            died = time.perf_counter()
            with pytest.raises(grpc.aio.AioRpcError, match="token service") as caught:
                await to_the_end(call)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert door.place.batcher.running_streams == 0
            return time.perf_counter() - died

    with token_service() as process:
        assert asyncio.run(main(process)) < 1
