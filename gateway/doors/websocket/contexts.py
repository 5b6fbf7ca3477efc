"""One context of /ws/stream: a text that is spoken while it comes, or a synthesis that was joined, until its end."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, AsyncExitStack, aclosing, nullcontext
from dataclasses import replace

from starlette.websockets import WebSocket

from gateway.access import credential
from gateway.doors.websocket import stream_messages
from gateway.doors.websocket.farewell import FAREWELL_SECONDS, GONE, hung_up
from gateway.doors.websocket.stream_messages import BINARY, Input
from gateway.doors.websocket.stretch import Stretch
from gateway.events import Chunk, Finished, SpeechEvent, Started
from gateway.metrics import Door
from gateway.sessions import Session, Sessions
from gateway.sharing.shared_encoder import SharedEncoder, Sharing, unshared
from swara.errors import UNFORESEEN, Broken, Cancelled, InvalidRequest, SwaraError
from swara.logs import request_log

log = logging.getLogger(__name__)


class ReadsNothing(Exception):
    """The client has stopped reading: the connection is of no use any more."""


class Context:
    """What one `context_id` stands for on one connection; `run` is its whole life, the rest is told to it meanwhile.

    `ended` is whether its last message has been sent: from then on its id is free, though it is still being let go of.
    """

    def __init__(
        self, websocket: WebSocket, sessions: Sessions, sharing: Sharing, first: Input, request_id: str
    ) -> None:
        self.context_id = first.context_id
        self.request_id = request_id
        self.ended = False
        self._websocket = websocket
        self._key = credential.of_connection(websocket)
        self._sessions = sessions
        self._sharing = sharing
        self._fields = first.fields
        self._answer = stream_messages.answer_of(first.fields)
        self._listens = bool(first.fields.text("listen"))
        self._shareable = first.fields.flag("shareable")
        self._manuscript = sessions.manuscript(stream_messages.patience_seconds(first.fields))
        self._session: Session | None = None
        self._cancelled = False
        self._failure: SwaraError | None = None
        self._write(first)

    def take(self, message: Input) -> None:
        """A later message of this context; raises InvalidRequest."""
        if message.configures:
            raise InvalidRequest(f"context {self.context_id} is configured already: {', '.join(message.configures)}")
        if message.cancel:
            self.cancel()
        elif self._listens:
            raise InvalidRequest(f"context {self.context_id} listens to a synthesis: it takes nothing but cancel")
        else:
            self._write(message)

    def cancel(self, failure: SwaraError | None = None) -> None:
        """Ends it at once; its last message is then `done`, or the failure that is the reason."""
        self._cancelled = True
        self._failure = failure
        if self._session:
            self._session.stop()

    async def run(self) -> None:
        """Speaks or listens to the end, and tells how it ended; raises ReadsNothing where it cannot."""
        try:
            async with self._sessions.open(Door.WEBSOCKET, self.request_id, self._key) as session:
                self._session = session
                if self._cancelled:
                    session.stop()
                with hung_up():
                    await self._send(self._events(session))
                if self._failure:
                    raise self._failure
        except Cancelled:
            return
        except SwaraError as error:
            await self._tell(error)
        except Exception:
            request_log(log, self.request_id).exception("unforeseen error")
            await self._tell(Broken(UNFORESEEN))

    def _write(self, message: Input) -> None:
        if self._listens:
            return
        self._manuscript.write(message.text)
        if message.flush:
            self._manuscript.flush()
        if not message.more:
            self._manuscript.end()

    def _events(self, session: Session) -> AsyncGenerator[SpeechEvent, None]:
        wanted = stream_messages.listen_request(self._fields, self.request_id, session.account.name, self._key)
        if wanted:
            return session.listen(wanted)
        request = stream_messages.speech_request(self._fields, self.request_id, session.arrival)
        return session.speak(replace(request, manuscript=self._manuscript, shareable=self._shareable))

    async def _send(self, events: AsyncGenerator[SpeechEvent, None]) -> None:
        stretch: Stretch | None = None
        async with aclosing(events), AsyncExitStack() as leaving:
            async for event in events:
                match event:
                    case Started():
                        encoder = self._encoder(event)
                        leaving.callback(encoder.close)
                        stretch = Stretch(encoder)
                        await self._websocket.send_text(self._started(event))
                    case Chunk() if stretch:
                        await self._send_chunk(event, stretch)
                    case Finished() if not self._failure:
                        await self._send_end(event, stretch)

    def _encoder(self, event: Started) -> SharedEncoder:
        sharing = self._sharing if self._listens or self._shareable else unshared()
        return SharedEncoder(sharing, event.synthesis_id, self._answer.output, event.sample_rate_hz)

    def _started(self, event: Started) -> str:
        output = self._answer.output
        return stream_messages.started(
            self.context_id, event, output.content_type, output.rate_hz(event.sample_rate_hz)
        )

    async def _send_chunk(self, chunk: Chunk, stretch: Stretch) -> None:
        if chunk.text and self._answer.add_timestamps:
            await self._websocket.send_text(stream_messages.segment(self.context_id, chunk))
        with self._encoding():
            stretch.take(chunk)
        await self._send_audio(stretch)

    async def _send_end(self, event: Finished, stretch: Stretch | None) -> None:
        if stretch and not self._cancelled:
            with self._encoding():
                stretch.finish()
            await self._send_audio(stretch)
        await self._websocket.send_text(stream_messages.finished(self.context_id, event))
        self.ended = True

    def _encoding(self) -> AbstractContextManager[None]:
        return self._session.encoding() if self._session else nullcontext()

    async def _send_audio(self, stretch: Stretch) -> None:
        """Sends what is encoded, if anything is."""
        if not (data := stretch.data):
            return
        mark = self.context_id, stretch.segment, stretch.first_sample, data
        stretch.sent()
        if self._answer.frames == BINARY:
            await self._websocket.send_bytes(stream_messages.audio_frame(*mark))
        else:
            await self._websocket.send_text(stream_messages.audio(*mark))

    async def _tell(self, error: SwaraError) -> None:
        message = stream_messages.failed(self.context_id, error, self.request_id)
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._websocket.send_text(message)
        except GONE:
            return
        except TimeoutError:
            raise ReadsNothing from None
