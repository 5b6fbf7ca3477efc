"""A gateway whose audio service is away says so at once at every door, and knows how to start and stop."""

import subprocess
import sys

import grpc
import pytest

from swara.process import ServiceProcess, free_port
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
from tests.stack.doors import wait_until

AWAY = "went away or cannot be reached"


def test_it_is_alive_and_not_ready(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
    assert ready.status_code == 503
    assert AWAY in ready.json()["error"]["message"]


def test_http_says_503(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        answer = client.post("/v1/audio/speech", json={"input": "नमस्ते", "response_format": "wav"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert client.get("/v1/models").status_code == 503


def test_grpc_says_unavailable(lone_gateway: Doors) -> None:
    with pytest.raises(grpc.RpcError, match=AWAY) as caught:
        say_over_grpc(lone_gateway, "नमस्ते")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    with lone_gateway.stub() as stub, pytest.raises(grpc.RpcError, match=AWAY):
        stub.ListVoices(speech.ListVoicesRequest(), timeout=PATIENCE_SECONDS)


def test_a_websocket_says_why_and_closes_with_1012(lone_gateway: Doors) -> None:
    with lone_gateway.websocket() as socket:
        _, message = say_over_websocket(socket, {"text": "नमस्ते"})
        assert AWAY in message["error"]
        assert close_code(socket) == 1012


def test_metrics_count_the_refusals_by_door(lone_gateway: Doors) -> None:
    before = refusals(lone_gateway)
    with lone_gateway.http() as client:
        client.post("/v1/audio/speech", json={"input": "नमस्ते", "response_format": "wav"})
    wait_until(lambda: refusals(lone_gateway) == before + 1, PATIENCE_SECONDS)


def refusals(doors: Doors) -> float:
    name = 'swara_gateway_requests_total{door="http",outcome="unavailable"} '
    return next(float(line.removeprefix(name)) for line in doors.metrics().splitlines() if line.startswith(name))


def test_logs_carry_the_request_id_and_never_the_text(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        body = {"input": "गोपनीय", "response_format": "wav"}
        client.post("/v1/audio/speech", json=body, headers={"x-request-id": "secret-1"})
    wait_until(lambda: sum("secret-1" in line for line in lone_gateway.lines) == 2, PATIENCE_SECONDS)
    assert not any("गोपनीय" in line for line in lone_gateway.lines)


def test_sigterm_ends_an_idle_gateway_with_exit_code_0() -> None:
    with gateway_alone() as (_, process):
        process.end(STOP_SECONDS)
        assert process.exit_code == 0


@pytest.mark.parametrize("door", ["--address", "--http-address"])
def test_a_port_that_is_taken_is_a_sentence_and_exit_code_2(lone_gateway: Doors, door: str) -> None:
    taken = lone_gateway.grpc_address if door == "--address" else lone_gateway.http_address
    flags = {"--address": f"127.0.0.1:{free_port()}", "--http-address": f"127.0.0.1:{free_port()}", door: taken}
    result = start(*(f"{name}={value}" for name, value in flags.items()), f"--metrics-port={free_port()}")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(f"cannot start: cannot listen on {taken}")


@pytest.mark.parametrize(
    "flags",
    [
        ["--metrics-port=x"],
        ["--colour=red"],
        ["--http-address=nowhere"],
        ["--audio-address=x,y"],
        ["--resume-key=short"],
    ],
)
def test_a_malformed_setting_is_a_sentence_and_exit_code_2(flags: list[str]) -> None:
    result = start(*flags, f"--address=127.0.0.1:{free_port()}")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def start(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "--access=open", *flags]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=2 * PATIENCE_SECONDS)


def test_a_unix_socket_left_behind_by_a_killed_gateway_is_taken_over(tmp_path: object) -> None:
    address = f"unix:{tmp_path}/http.sock"
    for _ in range(2):
        lines: list[str] = []
        flags = [f"--address=127.0.0.1:{free_port()}", f"--metrics-port={free_port()}", f"--http-address={address}"]
        flags.append("--access=open")
        process = ServiceProcess("gateway", flags, lines.append)
        while not any("HTTP at" in line for line in lines):
            assert process.exit_code is None, lines
        process.kill()
