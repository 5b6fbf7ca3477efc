"""Asking for speech at each of the doors, as strangers would: they do not use the SDK."""

import base64
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import grpc
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from swara.pcm import Samples
from swara.stack import Stack
from swara.v1 import speech_service_pb2, speech_service_pb2_grpc, token_service_pb2, token_service_pb2_grpc
from swara_client import Full
from tests.gateway.metrics_page import nobody_speaks

# Long enough to be heard in full, short enough that the suite stays quick.
SHORT = "नमस्ते दोस्तों।"
# Several segments: it cannot be over before a test has done something to it.
LONG = "आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है। " * 8
PATIENCE_SECONDS = 60.0
# A slot is free at the next frame's end, a tenth of a second away; the rest is for the way there.
FREE_SECONDS = 1.0


T = TypeVar("T")


class Refused(Exception):
    """What a door said instead of speaking: its code, its sentence, the request id."""

    def __init__(self, code: str | int, sentence: str, request_id: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.request_id = request_id


@dataclass(frozen=True)
class Asked:
    """A request in the words all doors share."""

    text: str
    voice: str = ""
    model: str = ""
    seed: int | None = 7
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float | None = None

    def sampling(self) -> dict[str, float | None]:
        names = ("temperature", "top_k", "top_p", "repetition_penalty")
        return {name: getattr(self, name) for name in names}

    def fields(self, text_field: str) -> dict[str, object]:
        values = {"voice": self.voice, "model": self.model, "seed": self.seed, **self.sampling()}
        return {text_field: self.text} | {name: value for name, value in values.items() if value not in (None, "")}


Door = Callable[[Stack, Asked], Iterator[bytes]]


def grpc_chunks(stack: Stack, asked: Asked) -> Iterator[bytes]:
    """Chunks of PCM from `SpeechService.Synthesize`."""
    speaker = speech_service_pb2.Speaker(
        voice=asked.voice,
        model=asked.model,
        seed=asked.seed,
        sampling=token_service_pb2.Sampling(**asked.sampling()),
    )
    with grpc.insecure_channel(stack.gateway_address) as channel:
        call = speech_service_pb2_grpc.SpeechServiceStub(channel).Synthesize(
            speech_service_pb2.SynthesizeRequest(text=asked.text, speaker=speaker), timeout=PATIENCE_SECONDS
        )
        with grpc_refusals(call):
            for response in call:
                if response.WhichOneof("event") == "chunk":
                    yield response.chunk.pcm


@contextmanager
def grpc_refusals(call: grpc.Call) -> Iterator[None]:
    """Turns a failed status into Refused."""
    try:
        yield
    except grpc.RpcError as error:
        metadata = dict(call.trailing_metadata() or ())
        raise Refused(error.code().name, error.details(), metadata.get("swara-request-id", "")) from error


def http_chunks(stack: Stack, asked: Asked, response_format: str = "pcm") -> Iterator[bytes]:
    """Pieces of the body of `POST /v1/audio/speech`."""
    body = asked.fields("input") | {"response_format": response_format}
    with httpx.stream("POST", url(stack), json=body, timeout=PATIENCE_SECONDS) as answer:
        if answer.status_code != 200:
            error = json.loads(answer.read())["error"]
            raise Refused(answer.status_code, error["message"], answer.headers["x-request-id"])
        try:
            yield from answer.iter_bytes()
        except httpx.RemoteProtocolError as error:
            raise Refused("incomplete", str(error), answer.headers["x-request-id"]) from error


def websocket_chunks(stack: Stack, asked: Asked) -> Iterator[bytes]:
    """Binary messages of `/ws/tts`."""
    with connect(f"ws://{stack.http_address}/ws/tts") as socket:
        socket.send(json.dumps(asked.fields("text")))
        yield from until_done(socket)


def until_done(socket: object) -> Iterator[bytes]:
    """Binary messages up to the closing one; raises Refused for an error, with the close code."""
    while not isinstance(message := socket.recv(timeout=PATIENCE_SECONDS), str):
        yield message
    said = json.loads(message)
    if said.get("done"):
        return
    try:
        socket.recv(timeout=PATIENCE_SECONDS)
    except ConnectionClosed as closed:
        raise Refused(closed.rcvd.code, said["error"], said["request_id"]) from closed


def url(stack: Stack, path: str = "/v1/audio/speech") -> str:
    """An address of the HTTP door."""
    return f"http://{stack.http_address}{path}"


def grpc_stream_chunks(stack: Stack, asked: Asked) -> Iterator[bytes]:
    """Chunks of PCM from `SpeechService.StreamSynthesize`, the text in pieces."""
    speaker = speech_service_pb2.Speaker(
        voice=asked.voice,
        model=asked.model,
        seed=asked.seed,
        sampling=token_service_pb2.Sampling(**asked.sampling()),
    )
    messages = [
        speech_service_pb2.StreamSynthesizeRequest(configuration={"speaker": speaker}),
        *(speech_service_pb2.StreamSynthesizeRequest(text=piece) for piece in pieces(asked.text)),
    ]
    with grpc.insecure_channel(stack.gateway_address) as channel:
        stub = speech_service_pb2_grpc.SpeechServiceStub(channel)
        call = stub.StreamSynthesize(iter(messages), timeout=PATIENCE_SECONDS)
        with grpc_refusals(call):
            for response in call:
                if response.WhichOneof("event") == "chunk":
                    yield response.chunk.pcm


def websocket_stream_chunks(stack: Stack, asked: Asked) -> Iterator[bytes]:
    """Audio of one context of `/ws/stream`, the text in pieces; its errors have a label for a code."""
    with connect(f"ws://{stack.http_address}/ws/stream") as socket:
        first = {name: value for name, value in asked.fields("text").items() if name != "text"}
        socket.send(json.dumps(first | {"context_id": "x", "continue": True}))
        for piece in pieces(asked.text):
            socket.send(json.dumps({"context_id": "x", "text": piece, "continue": True}))
        socket.send(json.dumps({"context_id": "x"}))
        while (said := json.loads(socket.recv(timeout=PATIENCE_SECONDS)))["type"] != "done":
            if said["type"] == "error":
                raise Refused(said["code"], said["error"], said["request_id"])
            if said["type"] == "chunk":
                yield base64.b64decode(said["data"])


def pieces(text: str, characters: int = 7) -> list[str]:
    """A text as a language model might write it."""
    return [text[at : at + characters] for at in range(0, len(text), characters)]


DOORS: dict[str, Door] = {
    "grpc": grpc_chunks,
    "grpc stream": grpc_stream_chunks,
    "http": http_chunks,
    "websocket": websocket_chunks,
    "websocket stream": websocket_stream_chunks,
}
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())


def pcm_of(chunks: Iterator[bytes]) -> bytes:
    """All of it."""
    return b"".join(chunks)


def assert_equal_speech(one: Samples, other: Samples) -> None:
    """Law 1's meaning of equal: as many samples, each within 1."""
    assert len(one) == len(other)
    assert np.abs(one.astype(np.int32) - other).max() <= 1


def token_load(stack: Stack) -> token_service_pb2.Load:
    """How busy the token service is."""
    with grpc.insecure_channel(stack.token_address) as channel:
        stub = token_service_pb2_grpc.TokenServiceStub(channel)
        return stub.GetLoad(token_service_pb2.GetLoadRequest(), timeout=PATIENCE_SECONDS).load


def idle(stack: Stack) -> bool:
    """Whether nothing is spoken, in any of the three services: the gateway counts a stream's end last."""
    return not token_load(stack).running_streams and all(map(nobody_speaks, stack.metrics_ports))


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` returns once there is room: a slow machine may have room for one stream only."""
    for _ in range(60):
        try:
            return ask()
        except Full:
            time.sleep(0.5)
    return ask()


def hears_ctrl_c() -> None:
    """For `preexec_fn`: what a terminal's programs start with; those of a script in the background ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until(holds: Callable[[], bool], seconds: float) -> float:
    """Waits until it holds and returns how long that took; fails after `seconds`."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"did not come true within {seconds:g} s"
        time.sleep(0.02)
    return time.monotonic() - began
