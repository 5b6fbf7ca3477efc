"""A gateway in front of the real services: what it tells, counts and lets go of."""

import json
import socket
from collections import deque
from collections.abc import Iterator

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection

from swara.stack import Stack
from swara.v1 import speech_service_pb2 as speech
from tests.gateway.gateway_process import Doors, close_code, gateway_alone, say_over_grpc, say_over_websocket
from tests.stack.doors import FREE_SECONDS, LONG, PATIENCE_SECONDS, SHORT, wait_until

ACTIVE = 'swara_gateway_active_streams{door="websocket"}'
FINISHED = 'swara_gateway_requests_total{door="websocket",outcome="finished"}'
CANCELLED = 'swara_gateway_requests_total{door="websocket",outcome="cancelled"}'
PCM_BYTES = 'swara_gateway_pcm_bytes_total{door="websocket"}'


@pytest.fixture(scope="module")
def started_gateway(shared_stack: Stack) -> Iterator[Doors]:
    # As fast as it is played: a sentence is not over before a test has asked something while it is spoken.
    flags = (f"--audio-address={shared_stack.audio_address}", "--max-streams=1", "--max-lead-seconds=1")
    with gateway_alone(*flags) as (doors, _):
        yield doors


@pytest.fixture
def gateway(stack: Stack, started_gateway: Doors) -> Doors:
    """A gateway with one place before the services that all tests share; nobody speaks there."""
    started_gateway.wait_until_idle()
    return started_gateway


def retry_seconds(error: grpc.RpcError) -> int:
    """The hint as any standard gRPC client finds it."""
    info = RetryInfo()
    rpc_status.from_call(error).details[0].Unpack(info)
    return info.retry_delay.seconds


def test_the_caller_learns_the_request_id_before_anything_else(gateway: Doors) -> None:
    with gateway.stub() as stub:
        request = speech.SynthesizeRequest(text=SHORT, speaker=speech.Speaker(seed=2**64 - 1))
        call = stub.Synthesize(request, metadata=(("x-request-id", "mine-4"),), timeout=PATIENCE_SECONDS)
        assert dict(call.initial_metadata())["x-request-id"] == "mine-4"
        started = next(iter(call)).started
        call.cancel()
    assert (started.request_id, started.seed) == ("mine-4", 2**64 - 1)
    assert len(started.synthesis_id) == 32
    assert started.sample_rate_hz == 24_000


def test_unknown_voices_and_models_are_told_the_known_ones_at_every_door(gateway: Doors) -> None:
    with pytest.raises(grpc.RpcError, match="has no voice 'nobody'; it has ") as caught:
        say_over_grpc(gateway, SHORT, voice="nobody")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with gateway.stub() as stub, pytest.raises(grpc.RpcError, match="there is no model 'none'"):
        stub.ListVoices(speech.ListVoicesRequest(model="none"), timeout=PATIENCE_SECONDS)
    with gateway.http() as client:
        answer = client.post("/v1/audio/speech", json={"input": SHORT, "response_format": "pcm", "model": "none"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_name")
    with gateway.websocket() as connection:
        assert "has no voice" in say_over_websocket(connection, {"text": SHORT, "voice": "nobody"})[1]["error"]


def test_a_stream_is_measured_as_a_listener_would_hear_it(gateway: Doors) -> None:
    before = gateway.metrics()
    with gateway.websocket() as connection:
        pcm, done = say_over_websocket(connection, {"text": SHORT, "seed": 1, "benchmark": True})
    assert len(done["metrics"]["decode_times_ms"]) == done["segments"] == 1
    assert 0 < done["metrics"]["ttft_ms"] < done["metrics"]["ttfa_ms"]
    wait_until(lambda: gateway.counted(FINISHED) == before.get(FINISHED, 0) + 1, PATIENCE_SECONDS)
    first_audio = f'swara_gateway_estimated_first_audio_seconds_count{{door="websocket",model="{done["model"]}"}}'
    assert gateway.counted(ACTIVE) == 0
    assert gateway.counted(PCM_BYTES) - before.get(PCM_BYTES, 0) == len(pcm) == done["bytes"]
    assert gateway.counted(first_audio) == before.get(first_audio, 0) + 1


def test_a_websocket_whose_host_resets_the_connection_is_let_go_at_once(gateway: Doors) -> None:
    before = gateway.metrics().get(CANCELLED, 0)
    with gateway.websocket() as connection:
        connection.send(json.dumps({"text": LONG}))
        assert connection.recv(PATIENCE_SECONDS)
        assert gateway.counted(ACTIVE) == 1
        connection.socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: gateway.counted(ACTIVE) == 0, FREE_SECONDS)
    wait_until(lambda: gateway.counted(CANCELLED) == before + 1, PATIENCE_SECONDS)


def test_a_websocket_that_sends_more_than_may_wait_is_ended(gateway: Doors) -> None:
    with gateway.websocket() as connection, pytest.raises(ConnectionClosedError, match="requests wait"):
        ask_and_hear(connection, 12)


def ask_and_hear(connection: ClientConnection, times: int) -> None:
    """Asks so often, and then hears all that comes; the connection may end before it has asked."""
    for _ in range(times):
        connection.send(json.dumps({"text": LONG}))
    deque(connection, maxlen=0)


def test_past_the_last_place_every_door_refuses_with_a_hint_when_to_come_back(gateway: Doors) -> None:
    with gateway.stub() as stub, gateway.http() as client, gateway.websocket() as connection:
        running = stub.Synthesize(speech.SynthesizeRequest(text=LONG), timeout=PATIENCE_SECONDS)
        assert next(running).HasField("started")
        with pytest.raises(grpc.RpcError, match="all 1 streams") as caught:
            say_over_grpc(gateway, SHORT)
        refused = client.post("/v1/audio/speech", json={"input": SHORT, "response_format": "pcm"})
        _, message = say_over_websocket(connection, {"text": SHORT})
        assert close_code(connection) == 1013
        running.cancel()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(caught.value.trailing_metadata())["swara-retry-after-seconds"] == "1"
    assert retry_seconds(caught.value) == 1
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert message["retry_after_seconds"] == 1
