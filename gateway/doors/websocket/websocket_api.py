"""The WebSocket door /ws/tts: {"text", "voice", "benchmark"} in, int16 chunks out, then {"done": true, …}.

One request after another on one connection; what comes while one is spoken waits its turn.
"""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway import request_id
from gateway.access import credential
from gateway.doors.fields import SAMPLING_FIELDS, Fields, read_object
from gateway.doors.hangup import until_gone
from gateway.doors.websocket.benchmark import metrics
from gateway.doors.websocket.farewell import FAREWELL_SECONDS, GONE, hung_up, refusal
from gateway.events import Chunk, Finished, Started
from gateway.metrics import Door
from gateway.sessions import Session, Sessions
from swara.errors import UNFORESEEN, Broken, Cancelled, InvalidRequest, SwaraError
from swara.pcm import SAMPLE_BYTES

FIELDS = frozenset(("text", "voice", "benchmark", "model", "seed", *SAMPLING_FIELDS))
# Requests that may wait behind the one being spoken; a client that sends more does not follow the protocol.
MAX_WAITING_REQUESTS = 8
POLICY_VIOLATION = 1008


class TtsEndpoint:
    """Serves the route; a connection's state is in its Conversation."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers requests until the client is gone or asks for something wrong."""
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        conversation = Conversation(websocket, self._sessions)
        try:
            await until_gone(conversation.answer(), conversation.listen())
        except (Cancelled, *GONE):
            return


class Conversation:
    """One connection: `listen` takes messages in, `answer` speaks them, both until the end."""

    def __init__(self, websocket: WebSocket, sessions: Sessions) -> None:
        self._websocket = websocket
        self._key = credential.of_connection(websocket)
        self._sessions = sessions
        self._waiting: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._next_id: str = websocket.state.request_id

    async def listen(self) -> None:
        """Takes messages in and returns when the client is gone; more than may wait end the connection."""
        while (message := await self._websocket.receive())["type"] != "websocket.disconnect":
            if self._waiting.qsize() >= MAX_WAITING_REQUESTS:
                await self._websocket.close(POLICY_VIOLATION, f"more than {MAX_WAITING_REQUESTS} requests wait")
                return
            text = message.get("text")
            self._waiting.put_nowait(message["bytes"] if text is None else text)

    async def answer(self) -> None:
        """Speaks request after request; the first that fails is told why, and the connection is closed."""
        while True:
            message = await self._waiting.get()
            name, self._next_id = self._next_id, request_id.resolve(None)
            try:
                # The session's end is inside the task that hanging up cancels, so that it counts as cancelled.
                async with self._sessions.open(Door.WEBSOCKET, name, self._key) as session:
                    with hung_up():
                        await self._speak(session, message)
            except Cancelled:
                return None
            except SwaraError as error:
                return await self._refuse(error, name)
            except Exception:
                await self._refuse(Broken(UNFORESEEN), name)
                raise

    async def _speak(self, session: Session, message: str | bytes) -> None:
        if isinstance(message, bytes):
            raise InvalidRequest("a request is a text message holding a JSON object, this was a binary message")
        fields = Fields(read_object(message), FIELDS)
        benchmark = fields.flag("benchmark")
        request = fields.speech_request("text", session.request_id, session.arrival)
        chunks = 0
        async with aclosing(session.speak(request)) as events:
            async for event in events:
                match event:
                    case Started():
                        started = event
                    case Chunk():
                        chunks += 1
                        await self._websocket.send_bytes(event.pcm)
                    case Finished():
                        await self._websocket.send_json(_done(started, event, chunks, benchmark))

    async def _refuse(self, error: SwaraError, name: str) -> None:
        with suppress(*GONE, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._websocket.send_json(refusal(error, name))
                await self._websocket.close(error.websocket_close)


def _done(started: Started, finished: Finished, chunks: int, benchmark: bool) -> dict[str, Any]:
    """The closing message: the report's fields, and ours after them."""
    message = {
        "done": True,
        "chunks": chunks,
        "duration_s": round(finished.samples / started.sample_rate_hz, 4),
        "bytes": SAMPLE_BYTES * finished.samples,
        "reason": finished.reason.value,
        "segments": finished.segments,
        "sample_rate_hz": started.sample_rate_hz,
        "request_id": started.request_id,
        "seed": started.seed,
        "model": started.model,
        "model_fingerprint": started.fingerprint,
    }
    return message | ({"metrics": metrics(finished)} if benchmark else {})
