"""A gateway whose audio service is away says so at once at every door, and one that cannot start says why."""

import sys

import grpc
import pytest

from swara.process import ServiceProcess, free_port
from swara.v1 import speech_service_pb2 as speech
from tests.gateway.gateway_process import Doors, close_code, say_over_grpc, say_over_websocket
from tests.programs import ran
from tests.stack.doors import PATIENCE_SECONDS, wait_until

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
    refused = 'swara_gateway_requests_total{door="http",outcome="unavailable"}'
    before = lone_gateway.counted(refused)
    with lone_gateway.http() as client:
        client.post("/v1/audio/speech", json={"input": "नमस्ते", "response_format": "wav"})
    wait_until(lambda: lone_gateway.counted(refused) == before + 1, PATIENCE_SECONDS)


def test_logs_carry_the_request_id_and_never_the_text(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        body = {"input": "गोपनीय", "response_format": "wav"}
        client.post("/v1/audio/speech", json=body, headers={"x-request-id": "secret-1"})
    wait_until(lambda: sum("secret-1" in line for line in lone_gateway.lines) == 2, PATIENCE_SECONDS)
    assert not any("गोपनीय" in line for line in lone_gateway.lines)


def test_a_port_that_is_taken_is_a_sentence_and_exit_code_2(lone_gateway: Doors) -> None:
    taken = {"--address": lone_gateway.grpc_address, "--http-address": lone_gateway.http_address}
    for (door, address), ended in zip(taken.items(), ran(*map(start, taken, taken.values())), strict=True):
        assert ended.returncode == 2, door
        assert ended.stderr.splitlines()[-1].startswith(f"cannot start: cannot listen on {address}")


def test_a_malformed_setting_is_a_sentence_and_exit_code_2() -> None:
    said = {
        ("--metrics-port", "x"): "setting metrics_port: Input should be a valid integer",
        ("--http-address", "nowhere"): "cannot start: nowhere is not an address of the form host:port",
        ("--audio-address", "x,y"): "cannot start: x is not an address of the form host:port",
        ("--resume-key", "short"): "cannot start: resume_key",
    }
    for sentence, ended in zip(said.values(), ran(*(start(*flag) for flag in said)), strict=True):
        assert ended.returncode == 2, sentence
        assert sentence in ended.stderr.splitlines()[-1]
        assert "Traceback" not in ended.stderr


def start(flag: str, value: str) -> list[str]:
    """The command of a gateway on free ports, but for this flag."""
    doors = {name: f"127.0.0.1:{free_port()}" for name in ("--address", "--http-address")}
    flags = {"--access": "open", "--metrics-port": str(free_port()), **doors, flag: value}
    return [sys.executable, "-m", "gateway", *(f"{name}={value}" for name, value in flags.items())]


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
