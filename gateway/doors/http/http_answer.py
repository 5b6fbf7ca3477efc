"""The answer of the speech API while it is spoken: the audio itself, or server-sent events that carry it."""

import base64
import json
from typing import Any, Protocol

from starlette.types import Send

from gateway.doors.http.http_errors import error_body
from gateway.encoders import Encoder
from gateway.events import Finished, Started
from swara.errors import SwaraError
from swara.frames import SLOTS


class Body(Protocol):
    """The form of an answer; each call gives the bytes to send, none where there is nothing to hear yet."""

    content_type: str

    def chunk(self, pcm: bytes) -> bytes:
        """More speech."""

    def end(self, finished: Finished) -> bytes:
        """The end of the speech."""

    def failure(self, error: SwaraError, request_id: str) -> bytes:
        """What a listener is told who has heard some of it; empty where the form has no words for it."""


class AudioBody:
    """`stream_format: audio`: the encoder's bytes and nothing else."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.content_type = encoder.content_type

    def chunk(self, pcm: bytes) -> bytes:
        """The bytes that are ready."""
        return self._encoder.encode(pcm)

    def end(self, finished: Finished) -> bytes:
        """The last bytes."""
        return self._encoder.finish()

    def failure(self, error: SwaraError, request_id: str) -> bytes:
        """Nothing: a listener would take it for audio."""
        return b""


class EventBody:
    """`stream_format: sse`: OpenAI's events, and in the last one why the speech ended."""

    content_type = "text/event-stream"

    def __init__(self, encoder: Encoder, started: Started) -> None:
        self._encoder = encoder
        self._started = started

    def chunk(self, pcm: bytes) -> bytes:
        """A `speech.audio.delta` with the bytes that are ready."""
        return _delta(self._encoder.encode(pcm))

    def end(self, finished: Finished) -> bytes:
        """The last delta, and `speech.audio.done` with OpenAI's usage and our reason."""
        tokens = finished.frames * SLOTS
        done = {
            "type": "speech.audio.done",
            # The gateway sees text and frames, no prompts: it has no input tokens to count.
            "usage": {"input_tokens": 0, "output_tokens": tokens, "total_tokens": tokens},
            "reason": finished.reason.value,
            "segments": finished.segments,
            "speech_seconds": round(finished.samples / self._started.sample_rate_hz, 4),
            "request_id": self._started.request_id,
        }
        return _delta(self._encoder.finish()) + _event(done)

    def failure(self, error: SwaraError, request_id: str) -> bytes:
        """An `error` event in OpenAI's shape."""
        return _event({"type": "error", **error_body(error, request_id)})


def _delta(audio: bytes) -> bytes:
    if not audio:
        return b""
    return _event({"type": "speech.audio.delta", "audio": base64.b64encode(audio).decode()})


def _event(fields: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


class SpokenResponse:
    """A streamed answer whose status line goes out together with the first bytes of speech."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._body: Body | None = None
        self._headers: dict[str, str] = {}
        self.started = False

    def prepare(self, started: Started, encoder: Encoder, body: Body) -> None:
        """Says what will be sent; header values are ASCII, names with others have ? in their place."""
        self._body = body
        self._headers = {
            "content-type": body.content_type,
            "cache-control": "no-store",
            # nginx would hold the speech back until its buffers are full.
            "x-accel-buffering": "no",
            "x-swara-seed": str(started.seed),
            "x-swara-model": started.model.encode("ascii", "replace").decode(),
            "x-swara-voice": started.voice.encode("ascii", "replace").decode(),
            "x-swara-model-fingerprint": started.fingerprint,
            "x-swara-sample-rate-hz": str(encoder.sample_rate_hz),
        }

    async def write(self, data: bytes) -> None:
        """Sends a piece of the body, if it is not empty; waits while the client is not reading."""
        if data:
            await self._begin()
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Sends the end of the body."""
        await self._begin()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _begin(self) -> None:
        if not self.started:
            self.started = True
            raw = [(name.encode(), value.encode("latin-1")) for name, value in self._headers.items()]
            await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def fail(self, error: SwaraError, request_id: str) -> None:
        """Tells a listener who has heard some of it.

        Where there are no words for it, returning without the end of the body makes uvicorn drop the connection, and
        the client sees an incomplete answer instead of a short one.
        """
        if self._body and (told := self._body.failure(error, request_id)):
            await self.write(told)
            await self.end()
