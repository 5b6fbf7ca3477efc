"""The laws of the design, as far as the stack builds them, against the real services."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from swara.frames import SAMPLES_PER_FRAME, SLOTS, Codes, unpack
from swara.pcm import Samples, from_bytes
from swara.player import START_HELD_SECONDS, Player
from swara.stack import Stack
from swara.v1 import (
    audio_service_pb2,
    audio_service_pb2_grpc,
    codes_pb2,
    token_service_pb2,
    token_service_pb2_grpc,
)
from swara_client import Client, Full
from tests.conftest import logged
from tests.stack.doors import (
    DOORS,
    FREE_SECONDS,
    LONG,
    SHORT,
    Asked,
    Door,
    Refused,
    assert_equal_speech,
    every_door,
    idle,
    patiently,
    pcm_of,
    token_load,
    wait_until,
)

CODEBOOK = 4096
SEED = 2**63 + 5
# All five doors, one after the other.
REFUSED_SECONDS = 1.0


@pytest.fixture
def audio(stack: Stack) -> Iterator[audio_service_pb2_grpc.AudioServiceStub]:
    with grpc.insecure_channel(stack.audio_address) as channel:
        yield audio_service_pb2_grpc.AudioServiceStub(channel)


@pytest.fixture
def token(stack: Stack) -> Iterator[token_service_pb2_grpc.TokenServiceStub]:
    with grpc.insecure_channel(stack.token_address) as channel:
        yield token_service_pb2_grpc.TokenServiceStub(channel)


def order(frames: int, **changes: object) -> token_service_pb2.GenerateRequest:
    limits = token_service_pb2.FrameLimits(max_frames=frames, ignore_end=True)
    return token_service_pb2.GenerateRequest(
        **{"request_id": "laws", "text": SHORT, "seed": SEED, "limits": limits, **changes}
    )


def codes_of(events: Iterator[token_service_pb2.GenerateResponse], first: int = 0) -> Codes:
    blocks = []
    for event in events:
        if event.WhichOneof("event") == "frames":
            assert event.frames.first_frame == first
            blocks.append(unpack(event.frames.codes, CODEBOOK))
            first += len(blocks[-1])
    return np.concatenate(blocks)


def spoken(audio: audio_service_pb2_grpc.AudioServiceStub, frames: int) -> tuple[Samples, Codes]:
    asked = audio_service_pb2.AudioServiceSynthesizeRequest(generate=order(frames))
    chunks = [event.chunk for event in audio.Synthesize(asked, timeout=60) if event.WhichOneof("event") == "chunk"]
    assert all(chunk.pcm or chunk.frames.codes for chunk in chunks)
    pcm = from_bytes(b"".join(chunk.pcm for chunk in chunks))
    return pcm, np.concatenate([unpack(chunk.frames.codes, CODEBOOK) for chunk in chunks])


def decoded(
    audio: audio_service_pb2_grpc.AudioServiceStub,
    codes: Codes,
    block: int,
    first_frame: int = 0,
    first_sample: int = 0,
) -> Samples:
    def messages() -> Iterator[audio_service_pb2.DecodeRequest]:
        configuration = audio_service_pb2.DecodeConfiguration(request_id="laws", seed=SEED, first_sample=first_sample)
        yield audio_service_pb2.DecodeRequest(configuration=configuration)
        for start in range(first_frame, len(codes), block):
            packed = codes[start : start + block].astype("<u2").tobytes()
            yield audio_service_pb2.DecodeRequest(frames=codes_pb2.Frames(first_frame=start, codes=packed))

    return from_bytes(b"".join(answer.pcm for answer in audio.Decode(messages(), timeout=60)))


def test_law_1_the_stream_equals_a_decode_of_its_codes_however_they_are_cut(
    audio: audio_service_pb2_grpc.AudioServiceStub,
) -> None:
    pcm, codes = spoken(audio, frames=20)
    assert len(codes) == 20
    assert len(pcm) == 20 * SAMPLES_PER_FRAME
    for block in (1, 3, 20):
        assert_equal_speech(decoded(audio, codes, block), pcm)


def test_law_1_a_resumed_stream_goes_on_with_the_very_next_sample(
    audio: audio_service_pb2_grpc.AudioServiceStub,
) -> None:
    pcm, codes = spoken(audio, frames=20)
    heard = 9 * SAMPLES_PER_FRAME + 100
    packed = codes_pb2.Frames(first_frame=0, codes=codes[:12].astype("<u2").tobytes())
    asked = audio_service_pb2.AudioServiceSynthesizeRequest(
        generate=order(20, resume_frames=packed, admission_class=token_service_pb2.ADMISSION_CLASS_RESUMED),
        first_sample=heard,
    )
    chunks = [event.chunk for event in audio.Synthesize(asked, timeout=60) if event.WhichOneof("event") == "chunk"]
    sounding = [chunk for chunk in chunks if chunk.pcm]
    assert sounding[0].first_sample == heard
    assert_equal_speech(from_bytes(b"".join(chunk.pcm for chunk in sounding)), pcm[heard:])


def test_law_3_every_code_is_legal_and_every_frame_whole(token: token_service_pb2_grpc.TokenServiceStub) -> None:
    model = token.GetModel(token_service_pb2.GetModelRequest(), timeout=5).model
    events = list(token.Generate(order(25), timeout=60))
    codes = codes_of(iter(events))
    assert codes.shape == (25, SLOTS)
    assert codes.max() < model.codebook_size
    assert events[-1].finished.frames == 25
    assert events[-1].finished.reason == token_service_pb2.FINISH_REASON_MAX_FRAMES


def test_law_4_alone_beside_others_and_resumed_give_the_same_codes(
    token: token_service_pb2_grpc.TokenServiceStub,
) -> None:
    alone = codes_of(token.Generate(order(24), timeout=60))
    # Never refused, even where this machine has room for one new stream only.
    running = token_service_pb2.ADMISSION_CLASS_CONTINUING
    others = [order(24, seed=k, text=text, admission_class=running) for k, text in enumerate((LONG[:60], "हाँ।", SHORT))]
    with ThreadPoolExecutor() as pool:
        company = [pool.submit(lambda asked: codes_of(token.Generate(asked, timeout=60)), asked) for asked in others]
        beside = codes_of(token.Generate(order(24, admission_class=running), timeout=60))
        assert all(len(other.result()) == 24 for other in company)
    np.testing.assert_array_equal(beside, alone)
    packed = codes_pb2.Frames(first_frame=0, codes=alone[:10].astype("<u2").tobytes())
    resumed = codes_of(token.Generate(order(24, resume_frames=packed), timeout=60), first=10)
    np.testing.assert_array_equal(resumed, alone[10:])


def test_law_4_the_same_seed_sounds_the_same_alone_and_in_company(client: Client) -> None:
    def hear(seed: int) -> Samples:
        return patiently(lambda: client.synthesize(SHORT, seed=seed)).read()

    alone = hear(11)
    with ThreadPoolExecutor() as pool:
        beside, *company = pool.map(hear, (11, 12, 13))
    assert_equal_speech(beside, alone)
    assert all(len(other) for other in company)


@every_door
def test_law_5_hanging_up_frees_the_slot_at_once(stack: Stack, door: Door) -> None:
    chunks = door(stack, Asked(LONG))
    next(chunks)
    assert token_load(stack).running_streams > 0
    chunks.close()
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_law_5_a_deadline_frees_the_slot_too(stack: Stack, client: Client) -> None:
    with pytest.raises(Exception, match=r"(?i)deadline"):
        client.synthesize(LONG, timeout_seconds=1.0).read()
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_law_6_full_is_said_at_once_at_every_door_and_never_to_those_already_speaking(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sink = logged(tmp_path_factory.mktemp("full") / "stack.log")
    with Stack.on_free_ports(flags={"gateway": ["--max-streams=1"]}, sink=sink) as small:
        talking = DOORS["grpc"](small, Asked(LONG))
        next(talking)
        codes, began = {}, time.monotonic()
        for name, door in DOORS.items():
            with pytest.raises(Refused) as refused:
                next(door(small, Asked(SHORT)))
            codes[name] = refused.value.code
        assert time.monotonic() - began < REFUSED_SECONDS
        assert codes == {
            "grpc": "RESOURCE_EXHAUSTED",
            "grpc stream": "RESOURCE_EXHAUSTED",
            "http": 429,
            "websocket": 1013,
            "websocket stream": "full",
        }
        with Client(small.gateway_address) as client, pytest.raises(Full) as full:
            client.synthesize(SHORT)
        assert full.value.request_id
        assert full.value.retry_after_seconds
        assert next(talking)
        talking.close()
        wait_until(lambda: idle(small), 2)
        assert pcm_of(DOORS["grpc"](small, Asked(SHORT)))


@every_door
def test_law_8_every_chunk_has_samples_and_the_first_ones_can_be_heard(stack: Stack, door: Door) -> None:
    player, chunks = Player(), door(stack, Asked(SHORT))
    while player.finish(0.0).first_audio_seconds is None:
        chunk = next(chunks)
        assert len(chunk) > 0
        player.feed(0.0, from_bytes(chunk))
        # Speakers breathe in; what they never do is begin with as much silence as a player holds before it plays.
        assert player.held_seconds < 2 * START_HELD_SECONDS
