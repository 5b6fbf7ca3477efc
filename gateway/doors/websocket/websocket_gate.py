"""What every WebSocket passes first: its API key is checked, and it is closed where nothing is said for too long."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.access import credential
from gateway.doors.websocket.farewell import FAREWELL_SECONDS, GONE, refusal
from gateway.metrics import Door
from gateway.sessions import Sessions
from swara.errors import SwaraError

GOING_AWAY = 1001


class WebSocketGate:
    """Wraps one WebSocket endpoint."""

    def __init__(self, endpoint: ASGIApp, sessions: Sessions, idle_seconds: float) -> None:
        self._endpoint = endpoint
        self._sessions = sessions
        self._idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a connection on, or tells it why not: browsers show no answer but that of an open WebSocket."""
        websocket = WebSocket(scope, receive, send)
        name: str = websocket.state.request_id
        try:
            self._sessions.identify(Door.WEBSOCKET, name, credential.of_connection(websocket))
        except SwaraError as error:
            await _refuse(websocket, error, name)
            return
        watched = Watched(receive, send, self._idle_seconds, credential.answered_subprotocol(scope["subprotocols"]))
        await self._endpoint(scope, watched.receive, watched.send)


class Watched:
    """A connection's two ends, and when something last passed through either."""

    def __init__(self, receive: Receive, send: Send, idle_seconds: float, subprotocol: str | None) -> None:
        self._receive = receive
        self._send = send
        self._idle_seconds = idle_seconds
        self._subprotocol = subprotocol
        self._loop = asyncio.get_running_loop()
        self._note()

    async def receive(self) -> Message:
        """The next message; after an idle time the end of the connection."""
        while (left_seconds := self._until_seconds - self._loop.time()) > 0:
            try:
                async with asyncio.timeout(left_seconds):
                    message = await self._receive()
                self._note()
                return message
            except TimeoutError:
                continue
        reason = f"nothing was said for {self._idle_seconds:g} s"
        await self._send({"type": "websocket.close", "code": GOING_AWAY, "reason": reason})
        return {"type": "websocket.disconnect", "code": GOING_AWAY}

    async def send(self, message: Message) -> None:
        """Sends a message; the subprotocol is answered where the connection is accepted."""
        if message["type"] == "websocket.accept":
            message = {**message, "subprotocol": self._subprotocol}
        await self._send(message)
        self._note()

    def _note(self) -> None:
        self._until_seconds = self._loop.time() + self._idle_seconds


async def _refuse(websocket: WebSocket, error: SwaraError, name: str) -> None:
    try:
        async with asyncio.timeout(FAREWELL_SECONDS):
            await websocket.accept(credential.answered_subprotocol(websocket.scope["subprotocols"]))
            await websocket.send_json(refusal(error, name))
            await websocket.close(error.websocket_close, error.sentence)
    except (*GONE, TimeoutError, OSError):
        return
