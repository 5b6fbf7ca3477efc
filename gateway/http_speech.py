"""POST /v1/audio/speech: OpenAI's speech API, the body streamed as it is spoken."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gateway.events import Chunk, Started
from gateway.fields import SAMPLING_FIELDS, BadField, Fields, read_object
from gateway.hangup import until_gone
from gateway.http_errors import TooLarge, error_response, request_id_of
from gateway.metrics import Door
from gateway.sessions import Session, Sessions
from swara.errors import Broken, Cancelled, InvalidRequest, SwaraError
from swara.pcm import wav_header

# `instructions` is taken and has no effect, as with OpenAI's own tts-1: the models have no such input.
OPENAI_FIELDS = ("model", "input", "voice", "response_format", "speed", "stream_format", "instructions")
FIELDS = frozenset((*OPENAI_FIELDS, "seed", *SAMPLING_FIELDS))
# A request is a few kilobytes; a body that takes longer is a stuck or hostile caller.
BODY_SECONDS = 10.0

FORMATS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "wav": ("audio/wav", wav_header),
    "pcm": ("audio/pcm", lambda sample_rate_hz: b""),
}


class SpeechEndpoint:
    """Serves the route as an ASGI application; a request's state is in its Session and its SpokenResponse."""

    def __init__(self, sessions: Sessions, max_body_bytes: int) -> None:
        self._sessions = sessions
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the body, then speaks until the end or until the client is gone."""
        request = Request(scope, receive)
        name = request_id_of(request)
        response = SpokenResponse(send)
        try:
            async with self._sessions.open(Door.HTTP, name) as session:
                body = await _read_body(request, self._max_body_bytes)
                await until_gone(_speak(session, body, response), _gone(receive))
        except Cancelled:
            return
        except SwaraError as error:
            # After the status line there is no way to say it: returning without the end of the body makes uvicorn
            # drop the connection, and the client sees an incomplete answer instead of a short one.
            if not response.started:
                await error_response(error, name)(scope, receive, send)


class SpokenResponse:
    """A streamed answer whose status line goes out together with the first samples."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def start(self, started: Started, content_type: str) -> None:
        """Sends the status line and the headers; header values are decimal or hexadecimal but for the model's name."""
        self.started = True
        headers = {
            "content-type": content_type,
            "cache-control": "no-store",
            "x-swara-seed": str(started.seed),
            "x-swara-model": started.model.encode("ascii", "replace").decode(),
            "x-swara-model-fingerprint": started.fingerprint,
            "x-swara-sample-rate-hz": str(started.sample_rate_hz),
        }
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body; waits while the client is not reading."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Sends the end of the body."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _speak(session: Session, body: bytes, response: SpokenResponse) -> None:
    fields = Fields(read_object(body), FIELDS)
    content_type, head = _format(fields)
    request = fields.speech_request("input", session.request_id, session.arrival)
    async with aclosing(session.speak(request)) as events:
        started = await anext(events)
        if not isinstance(started, Started):
            raise Broken("the synthesis did not begin with its start")
        header = head(started.sample_rate_hz)
        # Started is not yet speech: the status line waits for the first samples, so that what goes wrong before them
        # is still a status, and so that the first bytes are audible (law 8).
        async for event in events:
            if not response.started:
                await response.start(started, content_type)
            if isinstance(event, Chunk):
                await response.write(header + event.pcm)
                header = b""
    if header:
        await response.write(header)
    await response.end()


def _format(fields: Fields) -> tuple[str, Callable[[int], bytes]]:
    """The content type and what comes before the samples; raises BadField for what is not built."""
    name = fields.text("response_format")
    if not name:
        raise BadField("response_format", "the default format mp3 is not built yet: set response_format to wav or pcm")
    if name not in FORMATS:
        raise BadField("response_format", f"response_format must be {' or '.join(FORMATS)} until there are encoders")
    if fields.text("stream_format", "audio") != "audio":
        raise BadField("stream_format", "stream_format must be audio; sse is not built yet")
    if fields.number("speed") not in (None, 1.0):
        raise BadField("speed", "speed must be 1; other speeds are not built yet")
    fields.text("instructions")
    return FORMATS[name]


async def _read_body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > max_bytes:
                    raise TooLarge(f"the body is larger than {max_bytes} bytes")
    except TimeoutError:
        raise InvalidRequest(f"the body did not arrive within {BODY_SECONDS:g} s") from None
    except ClientDisconnect:
        raise Cancelled("the caller went away") from None
    return bytes(body)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
