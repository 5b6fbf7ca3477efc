"""The WebSocket door /ws/stream: several contexts at once on one connection, each with its own text, end and errors."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway import request_id
from gateway.doors.websocket import stream_messages
from gateway.doors.websocket.contexts import Context, ReadsNothing
from gateway.doors.websocket.farewell import GONE
from gateway.doors.websocket.stream_messages import Input
from gateway.sessions import Sessions
from gateway.sharing.shared_encoder import Sharing
from swara.errors import Full, NotFound, SwaraError
from swara.logs import request_log

log = logging.getLogger(__name__)

# As many as people talk over each other; a program that needs more opens more connections.
MAX_CONTEXTS = 16


class StreamEndpoint:
    """Serves the route; a connection's state is in its Connection."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._sharing = Sharing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers messages until the client is gone."""
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        try:
            await Connection(websocket, self._sessions, self._sharing).serve()
        except* ReadsNothing:
            # Returning without a close makes uvicorn drop the connection.
            request_log(log, websocket.state.request_id).info(
                "the client reads nothing any more; its connection is dropped"
            )


class Connection:
    """One connection and its contexts, by id, each with the task that runs it."""

    def __init__(self, websocket: WebSocket, sessions: Sessions, sharing: Sharing) -> None:
        self._websocket = websocket
        self._sessions = sessions
        self._sharing = sharing
        self._contexts: dict[str, Context] = {}

    async def serve(self) -> None:
        """Takes messages until the client is gone; then every context is hung up on. Raises ReadsNothing in a group."""
        async with asyncio.TaskGroup() as group:
            tasks: set[asyncio.Task[None]] = set()
            while (message := await self._websocket.receive())["type"] != "websocket.disconnect":
                data = message.get("text")
                if context := await self._take(message.get("bytes") if data is None else data):
                    task = group.create_task(self._run(context))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
            for task in tasks:
                task.cancel()

    async def _take(self, data: str | bytes | None) -> Context | None:
        """Hands a message to its context; returns the context where it is a new one."""
        context_id = None
        try:
            values = stream_messages.read_values(data)
            context_id = stream_messages.context_of(values)
            return self._handed(context_id, values)
        except SwaraError as error:
            await self._refuse(context_id, error)
            return None

    def _handed(self, context_id: str, values: dict[str, Any]) -> Context | None:
        message = stream_messages.read_input(context_id, values)
        if context := self._running(context_id):
            context.take(message)
            return None
        return self._opened(message)

    def _running(self, context_id: str) -> Context | None:
        context = self._contexts.get(context_id)
        return context if context and not context.ended else None

    def _opened(self, first: Input) -> Context:
        if first.cancel:
            raise NotFound(f"there is no context {first.context_id}: it has ended, or has not begun")
        if sum(not context.ended for context in self._contexts.values()) >= MAX_CONTEXTS:
            raise Full(f"a connection has at most {MAX_CONTEXTS} contexts at once")
        context = Context(self._websocket, self._sessions, self._sharing, first, request_id.resolve(None))
        self._contexts[first.context_id] = context
        return context

    async def _run(self, context: Context) -> None:
        try:
            await context.run()
        finally:
            if self._contexts.get(context.context_id) is context:
                del self._contexts[context.context_id]

    async def _refuse(self, context_id: str | None, error: SwaraError) -> None:
        """Ends the context that the message was for, if it runs, with the error as its last word."""
        if context := self._running(context_id or ""):
            context.cancel(error)
            return
        with suppress(*GONE):
            name = self._websocket.state.request_id
            await self._websocket.send_text(stream_messages.failed(context_id, error, name))
