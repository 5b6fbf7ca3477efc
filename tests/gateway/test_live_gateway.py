"""A gateway in front of the real services: what it tells, counts and lets go of."""

import json
import os
import signal
import socket
from collections import deque
from collections.abc import Iterator

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection

from swara.process import ServiceProcess
from swara.stack import Stack
from swara.v1 import speech_service_pb2 as speech
from tests.gateway.gateway_process import (
    PATIENCE_SECONDS,
    STOP_SECONDS,
    Doors,
    close_code,
    gateway_alone,
    say_over_grpc,
    say_over_websocket,
)
from tests.stack.doors import FREE_SECONDS, LONG, SHORT, wait_until

SENTENCE = "आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है।"

Running = tuple[Doors, ServiceProcess]


@pytest.fixture
def gateway(stack: Stack) -> Iterator[Running]:
    """A gateway of the test's own, before the services that all tests share."""
    # As fast as it is played: a sentence is not over before a test has asked something while it is spoken.
    flags = ("--grace-seconds=60", "--max-streams=1", "--max-lead-seconds=1")
    with gateway_alone(f"--audio-address={stack.audio_address}", *flags) as running:
        yield running


@pytest.fixture
def hurried_gateway(stack: Stack) -> Iterator[Running]:
    """A gateway whose grace period is shorter than any stream; it must end well all the same."""
    with gateway_alone(f"--audio-address={stack.audio_address}", "--grace-seconds=0.2") as (doors, process):
        yield doors, process
        assert process.wait(STOP_SECONDS) == 0
    assert not any("Traceback" in line for line in doors.lines)


def retry_seconds(error: grpc.RpcError) -> int:
    """The hint as any standard gRPC client finds it."""
    info = RetryInfo()
    rpc_status.from_call(error).details[0].Unpack(info)
    return info.retry_delay.seconds


def counted(doors: Doors, name: str) -> float:
    return next(float(line.split()[-1]) for line in doors.metrics().splitlines() if line.startswith(name + " "))


def test_the_caller_learns_the_request_id_before_anything_else(gateway: Running) -> None:
    with gateway[0].stub() as stub:
        request = speech.SynthesizeRequest(text=SHORT, speaker=speech.Speaker(seed=2**64 - 1))
        call = stub.Synthesize(request, metadata=(("x-request-id", "mine-4"),), timeout=PATIENCE_SECONDS)
        assert dict(call.initial_metadata())["x-request-id"] == "mine-4"
        started = next(iter(call)).started
        call.cancel()
    assert (started.request_id, started.seed) == ("mine-4", 2**64 - 1)
    assert len(started.synthesis_id) == 32
    assert started.sample_rate_hz == 24_000


def test_unknown_voices_and_models_are_told_the_known_ones_at_every_door(gateway: Running) -> None:
    doors, _ = gateway
    with pytest.raises(grpc.RpcError, match="has no voice 'nobody'; it has ") as caught:
        say_over_grpc(doors, SHORT, voice="nobody")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with doors.stub() as stub, pytest.raises(grpc.RpcError, match="there is no model 'none'"):
        stub.ListVoices(speech.ListVoicesRequest(model="none"), timeout=PATIENCE_SECONDS)
    with doors.http() as client:
        answer = client.post("/v1/audio/speech", json={"input": SHORT, "response_format": "pcm", "model": "none"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_name")
    with doors.websocket() as connection:
        assert "has no voice" in say_over_websocket(connection, {"text": SHORT, "voice": "nobody"})[1]["error"]


def test_a_stream_is_measured_as_a_listener_would_hear_it(gateway: Running) -> None:
    doors, _ = gateway
    with doors.websocket() as connection:
        pcm, done = say_over_websocket(connection, {"text": SHORT, "seed": 1, "benchmark": True})
    assert len(done["metrics"]["decode_times_ms"]) == done["segments"] == 1
    assert 0 < done["metrics"]["ttft_ms"] < done["metrics"]["ttfa_ms"]
    finished = 'swara_gateway_requests_total{door="websocket",outcome="finished"}'
    wait_until(lambda: counted(doors, finished) == 1, PATIENCE_SECONDS)
    assert counted(doors, 'swara_gateway_active_streams{door="websocket"}') == 0
    assert counted(doors, 'swara_gateway_pcm_bytes_total{door="websocket"}') == len(pcm) == done["bytes"]
    first_audio = f'swara_gateway_estimated_first_audio_seconds_count{{door="websocket",model="{done["model"]}"}}'
    assert counted(doors, first_audio) == 1


def test_a_websocket_whose_host_resets_the_connection_is_let_go_at_once(gateway: Running) -> None:
    doors, _ = gateway
    with doors.websocket() as connection:
        connection.send(json.dumps({"text": LONG}))
        assert connection.recv(PATIENCE_SECONDS)
        assert counted(doors, 'swara_gateway_active_streams{door="websocket"}') == 1
        connection.socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: counted(doors, 'swara_gateway_active_streams{door="websocket"}') == 0, FREE_SECONDS)
    cancelled = 'swara_gateway_requests_total{door="websocket",outcome="cancelled"}'
    wait_until(lambda: counted(doors, cancelled) == 1, PATIENCE_SECONDS)


def test_a_websocket_that_sends_more_than_may_wait_is_ended(gateway: Running) -> None:
    doors, _ = gateway
    with doors.websocket() as connection, pytest.raises(ConnectionClosedError, match="requests wait"):
        ask_and_hear(connection, 12)


def ask_and_hear(connection: ClientConnection, times: int) -> None:
    """Asks so often, and then hears all that comes; the connection may end before it has asked."""
    for _ in range(times):
        connection.send(json.dumps({"text": LONG}))
    deque(connection, maxlen=0)


def test_past_the_last_place_every_door_refuses_with_a_hint_when_to_come_back(gateway: Running) -> None:
    doors, _ = gateway
    with doors.stub() as stub, doors.http() as client, doors.websocket() as connection:
        running = stub.Synthesize(speech.SynthesizeRequest(text=LONG), timeout=PATIENCE_SECONDS)
        assert next(running).HasField("started")
        with pytest.raises(grpc.RpcError, match="all 1 streams") as caught:
            say_over_grpc(doors, SHORT)
        refused = client.post("/v1/audio/speech", json={"input": SHORT, "response_format": "pcm"})
        _, message = say_over_websocket(connection, {"text": SHORT})
        assert close_code(connection) == 1013
        running.cancel()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(caught.value.trailing_metadata())["swara-retry-after-seconds"] == "1"
    assert retry_seconds(caught.value) == 1
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert message["retry_after_seconds"] == 1


def test_at_sigterm_a_running_stream_finishes_and_a_new_one_is_refused(gateway: Running) -> None:
    doors, process = gateway
    with doors.stub() as stub, doors.http() as client:
        call = iter(stub.Synthesize(speech.SynthesizeRequest(text=SENTENCE), timeout=PATIENCE_SECONDS))
        next(call)
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: client.get("/readyz").status_code == 503, PATIENCE_SECONDS)
        refused = client.post("/v1/audio/speech", json={"input": SHORT, "response_format": "pcm"})
        assert refused.status_code == 503
        assert "shutting down" in refused.json()["error"]["message"]
        assert list(call)[-1].HasField("finished")
    assert process.wait(STOP_SECONDS) == 0


def test_a_grpc_stream_that_outlives_the_grace_period_is_told_why_it_ends(hurried_gateway: Running) -> None:
    doors, process = hurried_gateway
    with doors.stub() as stub:
        call = stub.Synthesize(speech.SynthesizeRequest(text=LONG), timeout=PATIENCE_SECONDS)
        next(call)
        os.kill(process.pid, signal.SIGTERM)
        with pytest.raises(grpc.RpcError, match="shutting down") as caught:
            deque(call, maxlen=0)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_an_http_stream_that_outlives_the_grace_period_is_broken_off_and_not_ended(hurried_gateway: Running) -> None:
    doors, process = hurried_gateway
    body = {"input": LONG, "response_format": "wav"}
    with httpx.stream(
        "POST", f"http://{doors.http_address}/v1/audio/speech", json=body, timeout=PATIENCE_SECONDS
    ) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_bytes()
        next(pieces)
        os.kill(process.pid, signal.SIGTERM)
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            deque(pieces, maxlen=0)


def test_a_websocket_stream_that_outlives_the_grace_period_is_told_why_it_ends(hurried_gateway: Running) -> None:
    doors, process = hurried_gateway
    with doors.websocket() as connection:
        connection.send(json.dumps({"text": LONG}))
        assert isinstance(connection.recv(PATIENCE_SECONDS), bytes)
        os.kill(process.pid, signal.SIGTERM)
        while isinstance(message := connection.recv(PATIENCE_SECONDS), bytes):
            pass
        assert "shutting down" in json.loads(message)["error"]
        assert close_code(connection) == 1012
