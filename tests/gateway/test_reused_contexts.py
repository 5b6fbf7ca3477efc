"""A context's id is free as soon as its last message has been sent, however soon the next text comes."""

import asyncio
import json
from typing import Any

from gateway.doors.websocket.websocket_stream import StreamEndpoint
from gateway.metrics import GatewayMetrics
from tests.gateway.one_frame import SOON_SECONDS, sessions

TURNS = 3
GONE = {"type": "websocket.disconnect", "code": 1000}


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


def test_a_text_that_begins_as_the_last_one_of_its_id_is_done_is_a_new_one(metrics: GatewayMetrics) -> None:
    async def story() -> list[str]:
        # There is one place, and it is free by then, too.
        caller = Caller()
        scope = {"type": "websocket", "headers": [], "subprotocols": [], "state": {"request_id": "r1"}}
        endpoint = StreamEndpoint(sessions(metrics))
        await asyncio.wait_for(endpoint(scope, caller.receive, caller.send), SOON_SECONDS)
        return [end["type"] for end in caller.ends]

    assert asyncio.run(story()) == TURNS * ["done"]
