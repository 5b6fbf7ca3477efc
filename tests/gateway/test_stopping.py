"""A gateway that is told to stop: who is being heard hears the end, or why there is none; nobody new is let in."""

import json
import os
import signal
from collections import deque
from collections.abc import Iterator

import grpc
import httpx
import pytest

from swara.process import ServiceProcess
from swara.stack import Stack
from swara.v1 import speech_service_pb2 as speech
from tests.gateway.gateway_process import STOP_SECONDS, Doors, close_code, gateway_alone
from tests.stack.doors import LONG, PATIENCE_SECONDS, SHORT, wait_until

# As fast as it is played, this is not over before a test has asked something while it is spoken.
SENTENCE = "आज सुबह से बहुत तेज़ बारिश हो रही है।"

Running = tuple[Doors, ServiceProcess]


@pytest.fixture
def patient_gateway(stack: Stack) -> Iterator[Running]:
    """A gateway that waits for whom it speaks to, no faster than it is played."""
    flags = (f"--audio-address={stack.audio_address}", "--grace-seconds=60", "--max-streams=1", "--max-lead-seconds=1")
    with gateway_alone(*flags) as running:
        yield running


@pytest.fixture
def hurried_gateway(stack: Stack) -> Iterator[Running]:
    """A gateway whose grace period is shorter than any stream; it must end well all the same."""
    with gateway_alone(f"--audio-address={stack.audio_address}", "--grace-seconds=0.2") as (doors, process):
        yield doors, process
        assert process.wait(STOP_SECONDS) == 0
    assert not any("Traceback" in line for line in doors.lines)


def test_an_idle_gateway_ends_with_exit_code_0() -> None:
    with gateway_alone() as (_, process):
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0


def test_at_sigterm_a_running_stream_finishes_and_a_new_one_is_refused(patient_gateway: Running) -> None:
    doors, process = patient_gateway
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
