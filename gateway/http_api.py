"""The HTTP door: its routes, and the request id that every answer carries."""

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import request_id
from gateway.admission import Admission
from gateway.http_errors import answer_error, answer_http, answer_unforeseen
from gateway.http_speech import SpeechEndpoint
from gateway.models import Models
from gateway.openapi import description
from gateway.page import page_routes
from gateway.sessions import Sessions
from gateway.websocket_api import TtsEndpoint
from gateway.websocket_stream import StreamEndpoint
from swara import tracing
from swara.errors import SwaraError, Unavailable


def application(sessions: Sessions, models: Models, admission: Admission, max_body_bytes: int) -> Starlette:
    """Everything that is served on the HTTP port."""
    catalogue = Catalogue(models, admission)
    return Starlette(
        routes=[
            Route("/v1/audio/speech", SpeechEndpoint(sessions, models, max_body_bytes), methods=["POST"]),
            Route("/v1/audio/voices", catalogue.voices),
            Route("/v1/models", catalogue.models),
            Route("/healthz", catalogue.alive),
            Route("/readyz", catalogue.ready),
            Route("/openapi.json", described),
            WebSocketRoute("/ws/tts", TtsEndpoint(sessions)),
            WebSocketRoute("/ws/stream", StreamEndpoint(sessions)),
            *page_routes(),
        ],
        middleware=[Middleware(RequestIds)],
        exception_handlers={
            SwaraError: answer_error,
            HTTPException: answer_http,
            Exception: answer_unforeseen,
        },
    )


async def described(request: Request) -> Response:
    """What is served here, for machines."""
    return JSONResponse(description())


class Catalogue:
    """What there is, and whether it can speak."""

    def __init__(self, models: Models, admission: Admission) -> None:
        self._models = models
        self._admission = admission

    async def models(self, request: Request) -> Response:
        """The models, in OpenAI's shape."""
        data = [
            {"id": model.name, "object": "model", "created": 0, "owned_by": "swara", "fingerprint": model.fingerprint}
            for model in await self._models.all()
        ]
        return JSONResponse({"object": "list", "data": data})

    async def voices(self, request: Request) -> Response:
        """Every voice with its model."""
        voices = [{"model": model.name, **vars(voice)} for model in await self._models.all() for voice in model.voices]
        return JSONResponse({"voices": voices})

    async def alive(self, request: Request) -> Response:
        """The process answers."""
        return PlainTextResponse("alive\n")

    async def ready(self, request: Request) -> Response:
        """The services behind answer too, and this gateway takes new streams; raises Unavailable otherwise."""
        if self._admission.draining:
            raise Unavailable("this gateway is shutting down")
        await self._models.ask_again()
        return PlainTextResponse("ready\n")


class RequestIds:
    """Gives every request and WebSocket an id, in `state.request_id` and in the answer's headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on with the id."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        tracing.called_with(headers)
        name = request_id.resolve(headers.get(request_id.HEADER))
        scope.setdefault("state", {})["request_id"] = name

        async def send_with_id(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                MutableHeaders(scope=message)[request_id.HEADER] = name
            await send(message)

        return await self._app(scope, receive, send_with_id)
