"""What the tests of this folder know of a gateway with keys."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
from websockets.sync.client import ClientConnection, connect

from swara.process import ServiceProcess
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import speech_service_pb2_grpc as speech_grpc
from tests.gateway.gateway_process import Doors
from tests.stack.doors import PATIENCE_SECONDS

SHORT = "नमस्ते दोस्तों।"
# One for each door: its second request within a minute is one too many.
LIMITED = ("grpc", "http", "websocket", "context")


@dataclass
class Keyed:
    """The gateway's doors, its keys by name, and its files."""

    Context = AbstractContextManager["Keyed"]

    doors: Doors
    keys: dict[str, str]
    keys_path: Path
    usage_path: Path

    @classmethod
    @contextmanager
    def open(
        cls,
        gateway: AbstractContextManager[tuple[Doors, ServiceProcess]],
        keys: dict[str, str],
        keys_path: Path,
        usage_path: Path,
    ) -> Iterator["Keyed"]:
        with gateway as (doors, _):
            yield cls(doors, keys, keys_path, usage_path)

    def grpc(self, call: str, request: Any, key: str) -> list[Any]:
        """Every message of a call; raises grpc.RpcError."""
        with grpc.insecure_channel(self.doors.grpc_address) as channel:
            method = getattr(speech_grpc.SpeechServiceStub(channel), call)
            metadata = (("authorization", f"Bearer {key}"),) if key else ()
            answer = method(request, metadata=metadata, timeout=PATIENCE_SECONDS)
            return [answer] if call == "ListVoices" else list(answer)

    def http(self, method: str, path: str, key: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        url = f"http://{self.doors.http_address}{path}"
        return httpx.request(method, url, headers=headers, timeout=PATIENCE_SECONDS, **options)

    def say(self, key: str, text: str = SHORT, **fields: Any) -> httpx.Response:
        return self.http("POST", "/v1/audio/speech", key, json={"input": text, "response_format": "pcm", **fields})

    def websocket(self, path: str, key: str = "", **options: Any) -> ClientConnection:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        return connect(f"ws://{self.doors.http_address}{path}", additional_headers=headers, close_timeout=2, **options)

    def usage(self) -> list[dict[str, Any]]:
        if not self.usage_path.exists():
            return []
        # The last one may still be being written.
        *whole, _ = self.usage_path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in whole]


def spoken(text: str = SHORT, **fields: Any) -> speech.SynthesizeRequest:
    return speech.SynthesizeRequest(text=text, **fields)
