"""Law 7 above the gateway: the SDK goes on at another gateway with the token of its last chunk."""

import asyncio
from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest

from swara.v1 import speech_service_pb2, speech_service_pb2_grpc
from swara_client import AsyncClient, Client, InvalidRequest, SpeechError, Unavailable
from tests.faults.cluster import STOP_SECONDS, Cluster, Member, running
from tests.faults.listening import SEED, TEXT, Heard, assert_same_speech, hear_by_sdk, request

pytestmark = pytest.mark.faults

# The SDK asks a silent gateway for a sign of life after 2 s and gives it up 2 s later.
FROZEN_GAP_SECONDS = 7.0
DEAD_GAP_SECONDS = 3.0


@pytest.fixture
def client(cluster: Cluster) -> Iterator[Client]:
    with Client(cluster.addresses) as connected:
        yield connected


def test_a_gateway_that_is_killed_is_not_heard(cluster: Cluster, client: Client, undisturbed: Heard) -> None:
    heard = hear_by_sdk(client, cluster.gateways[0].kill)
    assert_same_speech(heard, undisturbed)
    assert heard.resumed == 1
    assert heard.longest_gap_seconds < DEAD_GAP_SECONDS


def test_a_gateway_that_freezes_is_given_up(cluster: Cluster, client: Client, undisturbed: Heard) -> None:
    heard = hear_by_sdk(client, cluster.gateways[0].freeze)
    assert_same_speech(heard, undisturbed)
    assert heard.resumed == 1
    assert heard.longest_gap_seconds < FROZEN_GAP_SECONDS


def test_a_text_of_several_segments_survives_both_gateways_one_after_the_other(
    cluster: Cluster, client: Client
) -> None:
    text = TEXT * 2
    undisturbed = hear_by_sdk(client, text=text)
    cluster.wait_until_idle()
    third = cluster.gateway([audio.address for audio in cluster.audios])
    with running(third), Client([*cluster.addresses, third.address]) as caller:
        heard = Heard(*kill_twice(cluster, caller, text))
    assert_same_speech(heard, undisturbed)
    assert heard.resumed == 2


def kill_twice(cluster: Cluster, client: Client, text: str) -> tuple[np.ndarray, bytes, float, int]:
    """Kills the first gateway, and once the second goes on, that one, too."""
    speech = client.synthesize(text, seed=SEED)
    pieces = []
    for samples in speech:
        pieces.append(samples)
        if len(pieces) == 2:
            cluster.gateways[0].kill()
        elif speech.resumed == 1 and cluster.gateways[1].running.exit_code is None:
            cluster.gateways[1].kill()
    return np.concatenate(pieces), b"", 0.0, speech.resumed


def test_at_the_end_of_the_grace_period_a_draining_gateway_hands_its_listeners_over(
    cluster: Cluster, undisturbed: Heard
) -> None:
    hurried = cluster.gateway([audio.address for audio in cluster.audios], ["--grace-seconds=0.5"])
    hurried.start()
    try:
        hurried.wait_until_ready()
        with Client([hurried.address, cluster.addresses[0]]) as client:
            heard = hear_by_sdk(client, hurried.terminate)
        assert hurried.running.wait(STOP_SECONDS) == 0
    finally:
        hurried.end()
    assert_same_speech(heard, undisturbed)
    assert heard.resumed == 1


def test_the_asyncio_twin_survives_too(cluster: Cluster, undisturbed: Heard) -> None:
    async def listen() -> Heard:
        async with AsyncClient(cluster.addresses) as client:
            speech = await client.synthesize(TEXT, seed=SEED)
            pieces = []
            async for samples in speech:
                pieces.append(samples)
                if len(pieces) == 3:
                    cluster.gateways[0].kill()
            return Heard(np.concatenate(pieces), b"", 0.0, speech.resumed)

    heard = asyncio.run(listen())
    assert_same_speech(heard, undisturbed)
    assert heard.resumed == 1


def test_one_gateway_that_comes_back_is_enough(cluster: Cluster, undisturbed: Heard) -> None:
    gateway = cluster.gateways[0]

    def restart() -> None:
        gateway.kill()
        gateway.start()

    with Client(gateway.address, resume=True) as client:
        heard = hear_by_sdk(client, restart)
    assert_same_speech(heard, undisturbed)


def test_when_no_gateway_is_left_it_is_said(cluster: Cluster) -> None:
    def kill_all() -> None:
        for gateway in cluster.gateways:
            gateway.kill()

    with Client(cluster.addresses) as client, pytest.raises(Unavailable, match="went away or cannot be reached"):
        hear_by_sdk(client, kill_all)


def some_token(gateway: Member) -> bytes:
    """The token of a first chunk."""
    with grpc.insecure_channel(gateway.address) as channel:
        call = speech_service_pb2_grpc.SpeechServiceStub(channel).Synthesize(request(TEXT), timeout=60)
        token = next(event.chunk.resume_token for event in call if event.HasField("chunk"))
        call.cancel()
    return token


def resume(gateway: Member, token: bytes) -> speech_service_pb2.SynthesizeResponse:
    """The first event of what the token stands for."""
    with grpc.insecure_channel(gateway.address) as channel:
        stub = speech_service_pb2_grpc.SpeechServiceStub(channel)
        call = stub.Synthesize(speech_service_pb2.SynthesizeRequest(resume_token=token), timeout=60)
        return next(iter(call))


def bent(token: bytes) -> bytes:
    """The token with another frame in it."""
    at = len(token) - 40
    return token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]


@pytest.mark.parametrize(
    "change", [bent, lambda token: token[:-1], lambda token: b"S1"], ids=["bent", "cut", "made_up"]
)
def test_frames_without_a_valid_signature_are_refused(cluster: Cluster, change: Callable[[bytes], bytes]) -> None:
    token = some_token(cluster.gateways[0])
    assert resume(cluster.gateways[1], token).HasField("started")
    with pytest.raises(grpc.RpcError, match="resume token") as caught:
        resume(cluster.gateways[1], change(token))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_what_the_caller_must_change_is_never_tried_elsewhere(cluster: Cluster) -> None:
    with Client(cluster.addresses) as client, pytest.raises(InvalidRequest) as caught:
        client.synthesize(TEXT, voice="nobody")
    assert isinstance(caught.value, SpeechError)
