"""A real gateway process on free ports, and the three ways to talk to it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from swara.process import ServiceProcess, free_port, grpc_ready
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import speech_service_pb2_grpc as speech_grpc
from tests.gateway import metrics_page
from tests.stack.doors import PATIENCE_SECONDS, wait_until

STOP_SECONDS = 60.0


@dataclass
class Doors:
    """The addresses of one gateway."""

    grpc_address: str
    http_address: str
    metrics_port: int
    lines: list[str] = field(default_factory=list)

    @contextmanager
    def stub(self) -> Iterator[speech_grpc.SpeechServiceStub]:
        with grpc.insecure_channel(self.grpc_address) as channel:
            yield speech_grpc.SpeechServiceStub(channel)

    @contextmanager
    def http(self) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=f"http://{self.http_address}", timeout=PATIENCE_SECONDS) as client:
            yield client

    @contextmanager
    def websocket(self, headers: dict[str, str] | None = None) -> Iterator[ClientConnection]:
        url = f"ws://{self.http_address}/ws/tts"
        with connect(url, additional_headers=headers, close_timeout=2, max_size=None) as socket:
            yield socket

    def metrics(self) -> dict[str, float]:
        """Every series of its metrics, by name and labels."""
        return metrics_page.series(self.metrics_port)

    def counted(self, name: str) -> float:
        """The value of one series of its metrics, labels and all."""
        return metrics_page.counted(self.metrics_port, name)

    def wait_until_idle(self) -> None:
        """Returns when nobody speaks or listens: what the test before left behind has been cleared away."""
        wait_until(lambda: metrics_page.nobody_speaks(self.metrics_port), PATIENCE_SECONDS)


@contextmanager
def gateway_alone(*flags: str) -> Iterator[tuple[Doors, ServiceProcess]]:
    """A gateway that has nobody behind it, unless a flag names an audio service."""
    doors = Doors(*(f"127.0.0.1:{free_port()}" for _ in range(2)), metrics_port=free_port())
    arguments = [
        f"--address={doors.grpc_address}",
        f"--http-address={doors.http_address}",
        f"--metrics-port={doors.metrics_port}",
        f"--audio-address=127.0.0.1:{free_port()}",
        "--access=open",
    ]
    process = ServiceProcess("gateway", [*arguments, *flags], doors.lines.append)
    try:
        wait_until_serving(doors, process)
        yield doors, process
    finally:
        process.end(STOP_SECONDS)


def wait_until_serving(doors: Doors, process: ServiceProcess) -> None:
    while not grpc_ready(doors.grpc_address):
        assert process.exit_code is None, doors.lines


def say_over_grpc(doors: Doors, text: str, **speaker: Any) -> list[speech.SynthesizeResponse]:
    """Every message of one synthesis."""
    with doors.stub() as stub:
        request = speech.SynthesizeRequest(text=text, speaker=speech.Speaker(**speaker))
        return list(stub.Synthesize(request, timeout=PATIENCE_SECONDS))


def say_over_websocket(socket: ClientConnection, request: dict[str, Any] | str | bytes) -> tuple[bytes, dict[str, Any]]:
    """The PCM of one request and the JSON message at its end."""
    socket.send(json.dumps(request) if isinstance(request, dict) else request)
    pcm = bytearray()
    while isinstance(message := socket.recv(PATIENCE_SECONDS), bytes):
        assert message, "an empty chunk"
        pcm += message
    return bytes(pcm), json.loads(message)


def close_code(socket: ClientConnection) -> int:
    """The code with which the gateway closes, after nothing else."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE_SECONDS)
    assert closed.value.rcvd
    return closed.value.rcvd.code
