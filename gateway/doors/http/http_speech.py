"""POST /v1/audio/speech: OpenAI's speech API, the body streamed as it is spoken."""

import asyncio
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gateway.access import credential
from gateway.doors.fields import SAMPLING_FIELDS, Fields, read_object
from gateway.doors.hangup import until_gone
from gateway.doors.http.http_answer import AudioBody, EventBody, SpokenResponse
from gateway.doors.http.http_errors import TooLarge, error_response, request_id_of
from gateway.doors.http.openai_names import with_our_names
from gateway.encoders import Output
from gateway.events import Chunk, Finished, Started
from gateway.metrics import Door
from gateway.models import Models
from gateway.request import BadField
from gateway.sessions import Session, Sessions
from swara.errors import Broken, Cancelled, InvalidRequest, SwaraError

# `instructions` is taken and has no effect, as with OpenAI's own tts-1: the models have no such input.
OPENAI_FIELDS = ("model", "input", "voice", "response_format", "speed", "stream_format", "instructions")
FIELDS = frozenset((*OPENAI_FIELDS, "sample_rate", "seed", *SAMPLING_FIELDS))
# A request is a few kilobytes; a body that takes longer is a stuck or hostile caller.
BODY_SECONDS = 10.0

DEFAULT_FORMAT = "mp3"
MAX_RATE_HZ = 48_000
AUDIO, SSE = STREAM_FORMATS = ("audio", "sse")


class SpeechEndpoint:
    """Serves the route as an ASGI application; a request's state is in its Session and its SpokenResponse."""

    def __init__(self, sessions: Sessions, models: Models, max_body_bytes: int) -> None:
        self._sessions = sessions
        self._models = models
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the body, then speaks until the end or until the client is gone."""
        request = Request(scope, receive)
        name = request_id_of(request)
        response = SpokenResponse(send)
        try:
            async with self._sessions.open(Door.HTTP, name, credential.of_connection(request)) as session:
                body = await _read_body(request, self._max_body_bytes)
                await until_gone(self._speak(session, body, response), _gone(receive))
        except Cancelled:
            return
        except SwaraError as error:
            if response.started:
                await response.fail(error, name)
            else:
                await error_response(error, name)(scope, receive, send)

    async def _speak(self, session: Session, body: bytes, response: SpokenResponse) -> None:
        fields = Fields(read_object(body), FIELDS)
        output, stream_format = output_of(fields), stream_format_of(fields)
        request = fields.speech_request("input", session.request_id, session.arrival)
        request = await with_our_names(request, self._models)
        async with aclosing(session.speak(request)) as events:
            started = await anext(events)
            if not isinstance(started, Started):
                raise Broken("the synthesis did not begin with its start")
            encoder = output.open(started.sample_rate_hz)
            form = EventBody(encoder, started) if stream_format == SSE else AudioBody(encoder)
            # Started is not yet speech: the status line waits for the first bytes of it, so that what goes wrong before
            # them is still a status, and so that they are audible (law 8).
            response.prepare(started, encoder, form)
            async for event in events:
                match event:
                    case Chunk():
                        with session.encoding():
                            data = form.chunk(event.pcm)
                        await response.write(data)
                    case Finished():
                        with session.encoding():
                            data = form.end(event)
                        await response.write(data)
        await response.end()


def output_of(fields: Fields) -> Output:
    """The form of the audio; raises BadField."""
    speed = fields.number("speed")
    return Output(
        format=fields.text("response_format", DEFAULT_FORMAT),
        sample_rate_hz=fields.whole("sample_rate", MAX_RATE_HZ),
        speed=1.0 if speed is None else speed,
    ).checked()


def stream_format_of(fields: Fields) -> str:
    """`audio` or `sse`; raises BadField."""
    fields.text("instructions")
    name = fields.text("stream_format", AUDIO)
    if name not in STREAM_FORMATS:
        raise BadField("stream_format", f"stream_format must be {' or '.join(STREAM_FORMATS)}")
    return name


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
