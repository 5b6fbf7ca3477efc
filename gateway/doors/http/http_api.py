"""The HTTP door: its routes, and the request id that every answer carries."""

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import request_id
from gateway.access import credential
from gateway.access.admission import Admission
from gateway.doors.http.http_errors import answer_error, answer_http, answer_unforeseen, request_id_of
from gateway.doors.http.http_speech import SpeechEndpoint
from gateway.doors.http.openapi import description
from gateway.doors.http.origins import CORS_EXPOSED, CORS_HEADERS, CORS_METHODS, Origins, origins_of
from gateway.doors.http.page import page_routes
from gateway.doors.websocket.websocket_api import TtsEndpoint
from gateway.doors.websocket.websocket_gate import WebSocketGate
from gateway.doors.websocket.websocket_stream import StreamEndpoint
from gateway.metrics import Door
from gateway.models import Models
from gateway.sessions import Sessions
from gateway.settings import GatewaySettings
from swara import tracing
from swara.errors import SwaraError, Unavailable


def application(sessions: Sessions, models: Models, admission: Admission, settings: GatewaySettings) -> Starlette:
    """Everything that is served on the HTTP port."""
    catalogue = Catalogue(sessions, models, admission)
    idle_seconds = settings.idle_seconds
    return Starlette(
        routes=[
            Route("/v1/audio/speech", SpeechEndpoint(sessions, models, settings.max_body_bytes), methods=["POST"]),
            Route("/v1/audio/voices", catalogue.voices),
            Route("/v1/models", catalogue.models),
            Route("/healthz", catalogue.alive),
            Route("/readyz", catalogue.ready),
            Route("/openapi.json", described),
            WebSocketRoute("/ws/tts", WebSocketGate(TtsEndpoint(sessions), sessions, idle_seconds)),
            WebSocketRoute("/ws/stream", WebSocketGate(StreamEndpoint(sessions), sessions, idle_seconds)),
            *page_routes(),
        ],
        middleware=[Middleware(RequestIds), *_origins(origins_of(settings.allowed_origins))],
        exception_handlers={
            SwaraError: answer_error,
            HTTPException: answer_http,
            Exception: answer_unforeseen,
        },
    )


def _origins(allowed: frozenset[str]) -> list[Middleware]:
    check = Middleware(Origins, allowed)
    if not allowed:
        return [check]
    shared = Middleware(
        CORSMiddleware,
        allow_origins=sorted(allowed),
        allow_methods=CORS_METHODS,
        allow_headers=CORS_HEADERS,
        expose_headers=CORS_EXPOSED,
    )
    return [check, shared]


async def described(request: Request) -> Response:
    """What is served here, for machines."""
    return JSONResponse(description())


class Catalogue:
    """What there is, and whether it can speak."""

    def __init__(self, sessions: Sessions, models: Models, admission: Admission) -> None:
        self._sessions = sessions
        self._models = models
        self._admission = admission

    async def models(self, request: Request) -> Response:
        """The models, in OpenAI's shape."""
        self._identify(request)
        data = [
            {"id": model.name, "object": "model", "created": 0, "owned_by": "swara", "fingerprint": model.fingerprint}
            for model in await self._models.all()
        ]
        return JSONResponse({"object": "list", "data": data})

    async def voices(self, request: Request) -> Response:
        """Every voice with its model."""
        self._identify(request)
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

    def _identify(self, request: Request) -> None:
        self._sessions.identify(Door.HTTP, request_id_of(request), credential.of_connection(request))


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
