"""Every door through Envoy, by deploy/envoy/envoy.yaml: gRPC-Web streams, and what ends a stream ends it behind too.

Runs by `make test-envoy`; ENVOY names the program.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from swara.pcm import from_bytes
from swara.process import free_port
from swara.stack import Stack
from swara_client import Client, TimedOut, UnknownName
from tests.stack.doors import LONG, SHORT, assert_equal_speech, token_load, wait_until

pytestmark = pytest.mark.envoy

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy" / "envoy" / "envoy.yaml"
SPEAK = "swara.v1.SpeechService/Synthesize"


@pytest.fixture
def front(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """The address of an Envoy before the gateway; the shipped configuration but for its ports."""
    public, admin = free_port(), free_port()
    gateway, http = (address.rpartition(":")[2] for address in (stack.gateway_address, stack.http_address))
    ports = {"8000": str(public), "9901": str(admin), "50051": gateway, "8080": http}
    text = CONFIGURATION.read_text()
    for port, own in ports.items():
        assert f"port_value: {port} " in text
        text = text.replace(f"port_value: {port} ", f"port_value: {own} ")
    path = tmp_path / "envoy.yaml"
    path.write_text(text)
    with (tmp_path / "envoy.log").open("w") as log:
        program = [os.environ["ENVOY"], "-c", str(path), "--concurrency", "1", "--use-dynamic-base-id"]
        envoy = subprocess.Popen(program, stderr=log)
        try:
            wait_until(lambda: healthy(admin), 20)
            yield f"127.0.0.1:{public}"
        finally:
            envoy.terminate()
            envoy.wait(10)


def healthy(admin: int) -> bool:
    """Whether Envoy has found both clusters well."""
    try:
        said = httpx.get(f"http://127.0.0.1:{admin}/clusters").text
    except httpx.TransportError:
        return False
    flags = [line for line in said.splitlines() if "::health_flags::" in line]
    return len(flags) == 2 and all(line.endswith("::healthy") for line in flags)


def buf_curl(front: str, body: dict[str, object], *flags: str) -> "subprocess.Popen[str]":
    command = [Path(sys.executable).parent / "buf", "curl", "--protocol", "grpcweb", "--schema", ROOT, *flags]
    return subprocess.Popen(
        [*command, "--data", json.dumps(body), f"http://{front}/{SPEAK}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    )


def messages(output: str) -> list[dict[str, dict[str, object]]]:
    """The JSON objects that stand one after another in the output."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(output):
        value, end = decoder.raw_decode(output, at)
        found.append(value)
        at = end + len(output[end:]) - len(output[end:].lstrip())
    return found


def test_grpc_web_streams_the_same_pcm(front: str, client: Client) -> None:
    called = buf_curl(front, {"text": SHORT, "speaker": {"seed": "7"}})
    output, said = called.communicate(timeout=60)
    assert called.returncode == 0, said
    events = messages(output)
    assert [next(iter(events[0])), next(iter(events[-1]))] == ["started", "finished"]
    pcm = b"".join(base64.b64decode(event["chunk"]["pcm"]) for event in events if "chunk" in event)
    assert_equal_speech(from_bytes(pcm), client.synthesize(SHORT, seed=7).read())


def test_grpc_web_gives_chunks_as_they_come_and_not_at_the_end(front: str) -> None:
    called = buf_curl(front, {"text": LONG, "speaker": {"seed": "7"}})
    began, first = time.monotonic(), None
    for line in called.stdout:
        if first is None and '"chunk"' in line:
            first = time.monotonic() - began
    whole = time.monotonic() - began
    assert called.wait(10) == 0, called.stderr.read()
    called.stdout.close()
    called.stderr.close()
    print(f"first chunk after {first:.2f} s, the last after {whole:.2f} s")
    assert first < whole / 3


def test_grpc_web_tells_errors_with_their_sentence_and_request_id(front: str) -> None:
    called = buf_curl(front, {"text": SHORT, "speaker": {"voice": "nobody"}}, "--header", "x-request-id: mine-9")
    output, said = called.communicate(timeout=60)
    assert called.returncode != 0
    assert "has no voice 'nobody'" in said + output
    assert "(request mine-9)" in said + output
    assert "invalid_argument" in said + output


def test_grpc_keeps_its_errors_deadlines_and_cancellation(front: str, stack: Stack) -> None:
    with Client(front) as client:
        with pytest.raises(UnknownName):
            client.synthesize(SHORT, voice="nobody")
        with pytest.raises(TimedOut):
            client.synthesize(LONG, timeout_seconds=0.7).read()
        speech = client.stream_synthesize([LONG])
        next(speech)
        assert token_load(stack).running_streams == 1
        speech.close()
        wait_until(lambda: token_load(stack).running_streams == 0, 1)


def test_http_and_websocket_go_to_the_other_port(front: str, stack: Stack) -> None:
    body = {"input": SHORT, "seed": 7, "response_format": "pcm"}
    spoken = httpx.post(f"http://{front}/v1/audio/speech", json=body, timeout=60)
    assert spoken.status_code == 200
    with connect(f"ws://{front}/ws/stream", max_size=None) as socket:
        socket.send(json.dumps({"context_id": "a", "text": LONG}))
        assert json.loads(socket.recv(60))["type"] == "started"
    wait_until(lambda: token_load(stack).running_streams == 0, 2)


@pytest.mark.parametrize(("origin", "allowed"), [("http://localhost:3000", True), ("https://evil.example", False)])
def test_only_pages_of_the_named_origins_may_speak_grpc_web(front: str, origin: str, allowed: bool) -> None:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-grpc-web"}
    answer = httpx.options(f"http://{front}/{SPEAK}", headers=asked)
    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
