"""A client that goes away while it is written to has hung up: that is nobody's fault, and is counted as what it is."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.types import ASGIApp

from gateway.doors.websocket.websocket_api import TtsEndpoint
from gateway.doors.websocket.websocket_gate import WebSocketGate
from gateway.doors.websocket.websocket_stream import StreamEndpoint
from gateway.metrics import GatewayMetrics
from gateway.sessions import Sessions
from swara.errors import Unauthenticated
from tests.gateway.one_frame import SOON_SECONDS, sessions

IDLE_SECONDS = 60.0


class Vanishing:
    """A client whose connection breaks at the `last` message to it; as with uvicorn, the writer hears of it first."""

    def __init__(self, last: str, **context: str) -> None:
        self._last = last
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.receive = self._messages.get
        self._messages.put_nowait({"type": "websocket.connect"})
        text = {"text": "Hello there.", "voice": "v"} | context
        self._messages.put_nowait({"type": "websocket.receive", "text": json.dumps(text)})

    async def send(self, message: dict[str, Any]) -> None:
        if self._last in message or self._last in (message.get("text") or ""):
            asyncio.get_running_loop().call_soon(
                self._messages.put_nowait, {"type": "websocket.disconnect", "code": 1006}
            )
            raise OSError("the connection is lost")


async def connected(endpoint: ASGIApp, client: Vanishing) -> None:
    scope = {"type": "websocket", "headers": [], "subprotocols": [], "state": {"request_id": "r1"}}
    await asyncio.wait_for(endpoint(scope, client.receive, client.send), SOON_SECONDS)  # type: ignore[arg-type]


def ended(outcome: str) -> float | None:
    return REGISTRY.get_sample_value("swara_gateway_requests_total", {"door": "websocket", "outcome": outcome})


@pytest.mark.parametrize(
    ("endpoint", "client"),
    [(TtsEndpoint, lambda: Vanishing("bytes")), (StreamEndpoint, lambda: Vanishing('"chunk"', context_id="a"))],
    ids=["/ws/tts", "/ws/stream"],
)
def test_who_goes_away_in_the_middle_of_a_write_has_hung_up(
    metrics: GatewayMetrics, endpoint: Callable[[Sessions], ASGIApp], client: Callable[[], Vanishing]
) -> None:
    async def story() -> None:
        await connected(endpoint(sessions(metrics)), client())

    asyncio.run(story())
    assert (ended("cancelled"), ended("broken")) == (1, 0)


def test_who_goes_away_while_being_refused_is_no_fault_of_ours(metrics: GatewayMetrics) -> None:
    class NobodyKnown(Sessions):
        def identify(self, *_: object) -> None:
            raise Unauthenticated("who are you?")

    async def story() -> None:
        house = sessions(metrics)._house
        strict = NobodyKnown(house, SOON_SECONDS)
        await connected(WebSocketGate(TtsEndpoint(strict), strict, IDLE_SECONDS), Vanishing("who are you?"))

    asyncio.run(story())
    assert ended("broken") == 0
