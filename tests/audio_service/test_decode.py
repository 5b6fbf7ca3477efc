"""AudioService.Decode on the wire, and what the service says about itself."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Sequence

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from audio_service import service
from audio_service.codec import Codec
from audio_service.decoder import Decoder
from audio_service.stream import Noise, Voicing
from audio_service.synthesis import Frames
from audio_service.token_client import frames_value
from swara.frames import SAMPLES_PER_FRAME, Codes
from swara.pcm import Samples, from_bytes, from_float
from swara.v1 import audio_service_pb2 as pb
from swara.v1 import codes_pb2
from swara.wire import frames_message
from tests.audio_service.codecs import random_codes, whole_decode
from tests.audio_service.doors import NAME, Door, served

SEED = 9


def configuration(**fields: object) -> pb.DecodeRequest:
    return pb.DecodeRequest(configuration=pb.DecodeConfiguration(request_id="the-id", seed=SEED, **fields))


def blocks(codes: Codes, size: int, first_frame: int = 0) -> list[pb.DecodeRequest]:
    """Codes [F, 7] as messages of `size` frames."""
    starts = range(0, len(codes), size)
    return [pb.DecodeRequest(frames=frames_message(first_frame + k, codes[k : k + size])) for k in starts]


async def decode(door: Door, messages: Sequence[pb.DecodeRequest]) -> Samples:
    """The PCM of a whole call, checked to follow without a gap."""

    async def sent() -> AsyncIterator[pb.DecodeRequest]:
        for message in messages:
            yield message
            await asyncio.sleep(0)

    pcm = [np.empty(0, np.int16)]
    following = messages[0].configuration.first_sample if messages else 0
    async for answer in door.stub.Decode(sent()):
        assert answer.first_sample == following
        pcm.append(from_bytes(answer.pcm))
        following += len(pcm[-1])
    return np.concatenate(pcm)


def refusal(codec: Codec, decoder: Decoder, messages: Sequence[pb.DecodeRequest]) -> grpc.aio.AioRpcError:
    """The error that such a call ends with."""

    async def main() -> None:
        async with served(codec, decoder) as door:
            await decode(door, messages)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.parametrize(
    ("mode", "noise"), [(pb.NOISE_MODE_SEEDED, Noise.SEEDED), (0, Noise.SEEDED), (pb.NOISE_MODE_OFF, Noise.OFF)]
)
def test_codes_that_a_caller_brings_come_back_as_their_whole_decode(
    codec: Codec, decoder: Decoder, mode: pb.NoiseMode, noise: Noise
) -> None:
    codes = random_codes(20, codec.codebook_size)

    async def main() -> Samples:
        async with served(codec, decoder) as door:
            first = configuration(decoding=pb.Decoding(noise=mode, mode=pb.DECODE_MODE_EXACT))
            return await decode(door, [first, *blocks(codes, 3)])

    expected = from_float(whole_decode(codec, codes, Voicing(SEED, noise)))
    pcm = asyncio.run(main())
    assert len(pcm) == len(expected)
    assert np.abs(pcm.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("mode", "frames"), [(pb.DECODE_MODE_EARLY, 2), (pb.DECODE_MODE_REPORT, 6)])
def test_the_other_modes_send_their_first_pcm_with_their_own_lookahead(
    codec: Codec, decoder: Decoder, mode: pb.DecodeMode, frames: int
) -> None:
    codes = random_codes(12, codec.codebook_size)

    async def main() -> Samples:
        async with served(codec, decoder) as door:
            call = door.stub.Decode()
            await call.write(configuration(decoding=pb.Decoding(mode=mode)))
            for message in blocks(codes[:frames], 1):
                await call.write(message)
            answers = [await call.read()]
            assert len(answers[0].pcm) == 2 * SAMPLES_PER_FRAME
            await call.write(blocks(codes[frames:], 12, frames)[0])
            await call.done_writing()
            while (answer := await call.read()) is not grpc.aio.EOF:
                answers.append(answer)
            return np.concatenate([from_bytes(answer.pcm) for answer in answers])

    expected = from_float(whole_decode(codec, codes, Voicing(SEED)))
    pcm = asyncio.run(main())
    assert len(pcm) == len(expected)
    exact_from = SAMPLES_PER_FRAME if mode == pb.DECODE_MODE_EARLY else 0
    assert np.abs(pcm.astype(int) - expected)[exact_from:].max() <= 1


def test_a_decode_that_starts_in_the_middle_goes_on_without_a_seam(codec: Codec, decoder: Decoder) -> None:
    codes, first_frame = random_codes(12, codec.codebook_size), 5
    first_sample = first_frame * SAMPLES_PER_FRAME + decoder.warm_up_samples

    async def main() -> Samples:
        async with served(codec, decoder) as door:
            messages = [configuration(first_sample=first_sample), *blocks(codes[first_frame:], 2, first_frame)]
            return await decode(door, messages)

    expected = from_float(whole_decode(codec, codes, Voicing(SEED)))[first_sample:]
    pcm = asyncio.run(main())
    assert len(pcm) == len(expected)
    assert np.abs(pcm.astype(int) - expected).max() <= 1


def test_pcm_comes_before_the_caller_has_sent_everything(codec: Codec, decoder: Decoder) -> None:
    async def main() -> None:
        async with served(codec, decoder) as door:
            call = door.stub.Decode()
            await call.write(configuration())
            for message in blocks(random_codes(3, codec.codebook_size), 1):
                await call.write(message)
            answer = await call.read()
            assert len(answer.pcm) == 2 * (3 * SAMPLES_PER_FRAME - decoder.reach_samples)
            await call.done_writing()
            rest_bytes = 0
            while (answer := await call.read()) is not grpc.aio.EOF:
                rest_bytes += len(answer.pcm)
            assert rest_bytes == 2 * decoder.reach_samples

    asyncio.run(main())


def test_frames_that_have_become_pcm_are_forgotten(
    codec: Codec, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived: list[weakref.ref[Frames]] = []

    def noted(message: codes_pb2.Frames, codebook_size: int) -> Frames:
        frames = frames_value(message, codebook_size)
        arrived.append(weakref.ref(frames))
        return frames

    async def main() -> None:
        async with served(codec, decoder) as door:
            call, frames = door.stub.Decode(), 30
            await call.write(configuration())
            for message in blocks(random_codes(frames, codec.codebook_size), 1):
                await call.write(message)
            heard_bytes = 0
            while heard_bytes < 2 * (frames * SAMPLES_PER_FRAME - decoder.reach_samples):
                heard_bytes += len((await call.read()).pcm)
            assert len(arrived) == frames
            assert sum(one() is not None for one in arrived) <= 1, "one may still be in the hands of who feeds it"
            call.cancel()

    monkeypatch.setattr(service, "frames_value", noted)
    asyncio.run(main())


def test_a_caller_who_goes_away_leaves_nothing_behind(codec: Codec, decoder: Decoder) -> None:
    async def main() -> None:
        async with served(codec, decoder) as door:
            call = door.stub.Decode()
            await call.write(configuration())
            await call.write(blocks(random_codes(40, codec.codebook_size), 40)[0])
            await call.read()
            call.cancel()
            async with asyncio.timeout(2):
                while door.place.batcher.running_streams or door.place.batcher.free_rows < 5:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert door.place.count("swara_audio_streams_total", outcome="cancelled") == 1

    asyncio.run(main())


BAD_CALLS = {
    "no configuration": (blocks(random_codes(1, 8), 1), "INVALID_ARGUMENT", "must be its configuration"),
    "nothing at all": ([], "INVALID_ARGUMENT", "must be its configuration"),
    "a second configuration": ([configuration(), configuration()], "INVALID_ARGUMENT", "takes frames only"),
    "a code outside the codebook": (
        [configuration(), *blocks(np.full((1, 7), 60_000, np.uint16), 1)],
        "INVALID_ARGUMENT",
        "code 60000 is outside the codebook of 1024",
    ),
    "half a frame": (
        [configuration(), pb.DecodeRequest(frames=codes_pb2.Frames(codes=b"\0" * 15))],
        "INVALID_ARGUMENT",
        "whole frames of 14 bytes",
    ),
    "a gap": (
        [configuration(), *blocks(random_codes(1, 8), 1), *blocks(random_codes(1, 8), 1, 2)],
        "INVALID_ARGUMENT",
        "expected frame 1, got 2",
    ),
    "a start in the middle that cannot be exact": (
        [configuration(first_sample=10_000), *blocks(random_codes(1, 8), 1, 5)],
        "INVALID_ARGUMENT",
        "frames from 5 on give PCM from sample 14997 on",
    ),
    "a noise from the future": ([configuration(decoding=pb.Decoding(noise=7))], "INVALID_ARGUMENT", "no noise mode 7"),
    "a mode from the future": ([configuration(decoding=pb.Decoding(mode=9))], "INVALID_ARGUMENT", "no decode mode 9"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_input_is_answered_with_a_sentence_and_the_request_id(name: str, codec: Codec, decoder: Decoder) -> None:
    messages, code, sentence = BAD_CALLS[name]
    error = refusal(codec, decoder, messages)
    assert error.code().name == code
    assert sentence in (error.details() or "")
    if messages and messages[0].HasField("configuration"):
        assert "the-id" in (error.details() or "")


def test_a_full_service_says_so_at_once(codec: Codec, decoder: Decoder) -> None:
    async def main() -> None:
        async with served(codec, decoder, streams=1) as door:
            holding = door.stub.Decode()
            await holding.write(configuration())
            await holding.write(blocks(random_codes(3, codec.codebook_size), 3)[0])
            await holding.read()
            await decode(door, [configuration()])

    with pytest.raises(grpc.aio.AioRpcError, match="full") as caught:
        asyncio.run(main())
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_health_and_reflection_know_the_service(codec: Codec, decoder: Decoder) -> None:
    async def main() -> None:
        async with served(codec, decoder) as door:
            health = await health_pb2_grpc.HealthStub(door.channel).Check(health_pb2.HealthCheckRequest(service=NAME))
            assert health.status == health_pb2.HealthCheckResponse.SERVING
            reflection = reflection_pb2_grpc.ServerReflectionStub(door.channel)
            question = reflection_pb2.ServerReflectionRequest(list_services="")
            answers = [answer async for answer in reflection.ServerReflectionInfo(iter([question]))]
            assert NAME in [service.name for service in answers[0].list_services_response.service]

    asyncio.run(main())
