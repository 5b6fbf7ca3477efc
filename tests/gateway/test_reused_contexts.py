"""A context's id is free as soon as its last message has been sent, however soon the next text comes."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway.access.admission import Admission
from gateway.access.guard import OpenDoor
from gateway.access.usage import NoLedger
from gateway.doors.websocket.websocket_stream import StreamEndpoint
from gateway.metrics import GatewayMetrics
from gateway.model import Model
from gateway.models import Models
from gateway.sessions import House, Sessions
from gateway.sharing.broadcasts import Broadcasts
from gateway.sharing.relay import GatewayRelay
from gateway.sharing.synthesis_id import SynthesisIds
from gateway.speech.pipeline import Limits, Pipeline
from gateway.speech.resume import Sealer
from gateway.speech.segment import SegmentChunk, SegmentEvent, SegmentFinished, SegmentOrder, SegmentStarted
from gateway.text import Style
from swara.frames import FRAME_BYTES, SAMPLES_PER_FRAME
from swara.profile import Voice
from swara.speech import FinishReason

KEYS = (b"k" * 16,)
TURNS = 3
SOON_SECONDS = 5.0
GONE = {"type": "websocket.disconnect", "code": 1000}


class OneFrame:
    """Speaks every segment in one frame, at once."""

    async def model(self) -> Model:
        return Model("m", "f", (Voice("v", "en"),), ("en",), 24_000, 200)

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        yield SegmentStarted("f", "v", 24_000)
        yield SegmentChunk(0, bytes(2 * SAMPLES_PER_FRAME), 0, bytes(FRAME_BYTES))
        yield SegmentFinished(FinishReason.END_OF_SPEECH, SAMPLES_PER_FRAME, 1, 0.0, 0.0, 0.0, 0.0)


class Caller:
    """A client that begins the next text in the very moment in which it hears that the last is done."""

    def __init__(self) -> None:
        self.ends: list[dict[str, Any]] = []
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.receive = self._messages.get
        self._messages.put_nowait({"type": "websocket.connect"})
        self._speak()

    def _speak(self) -> None:
        text = {"context_id": "turn", "text": "Hello there.", "voice": "v"}
        self._messages.put_nowait({"type": "websocket.receive", "text": json.dumps(text)})

    async def send(self, message: dict[str, Any]) -> None:
        said = json.loads(message.get("text") or "{}")
        if said.get("done"):
            self.ends.append(said)
            self._speak() if len(self.ends) < TURNS else self._messages.put_nowait(GONE)


@pytest.fixture
def metrics() -> Iterator[GatewayMetrics]:
    before = set(REGISTRY._collector_to_names)
    yield GatewayMetrics()
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


def sessions(metrics: GatewayMetrics) -> Sessions:
    limits = Limits(1_000, 0.0)
    pipeline = Pipeline(Models({"": OneFrame()}), limits, Sealer(KEYS, 60.0), Style())
    broadcasts = Broadcasts(SynthesisIds(KEYS, "here"), GatewayRelay(), 96_000, 1.0)
    house = House(pipeline, limits, broadcasts, Admission(1), Admission(1), metrics, OpenDoor(), NoLedger())
    return Sessions(house, SOON_SECONDS)


def test_a_text_that_begins_as_the_last_one_of_its_id_is_done_is_a_new_one(metrics: GatewayMetrics) -> None:
    async def story() -> list[str]:
        # There is one place, and it is free by then, too.
        caller = Caller()
        scope = {"type": "websocket", "headers": [], "subprotocols": [], "state": {"request_id": "r1"}}
        endpoint = StreamEndpoint(sessions(metrics))
        await asyncio.wait_for(endpoint(scope, caller.receive, caller.send), SOON_SECONDS)
        return [end["type"] for end in caller.ends]

    assert asyncio.run(story()) == TURNS * ["done"]
