"""The asyncio twin of `live.py`."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any

import grpc

from swara.pcm import Samples
from swara.v1 import speech_service_pb2 as speech_pb2
from swara_client.errors import SpeechError, Unavailable, from_status
from swara_client.iterator import AsyncSpeechIterator
from swara_client.request import Flush, piece_of
from swara_client.speech import Started


class AsyncWriter:
    """Gives gRPC the messages of a text; an error of the pieces hangs up and is kept for whoever hears the speech."""

    def __init__(
        self,
        configuration: speech_pb2.StreamSynthesizeRequest,
        pieces: AsyncIterable[str | Flush] | Iterable[str | Flush],
    ) -> None:
        self.error: Exception | None = None
        self._configuration = configuration
        self._pieces = pieces
        self._call: Any = None

    def writes_to(self, call: Any) -> None:
        """The call that takes the messages."""
        self._call = call

    async def messages(self) -> AsyncIterator[speech_pb2.StreamSynthesizeRequest]:
        """The configuration, then a message for each piece."""
        yield self._configuration
        try:
            if isinstance(self._pieces, AsyncIterable):
                async for piece in self._pieces:
                    yield piece_of(piece)
            else:
                for piece in self._pieces:
                    yield piece_of(piece)
        except Exception as error:
            self.error = error
            self._call.cancel()


class AsyncLiveSpeech(AsyncSpeechIterator):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    def __init__(
        self,
        call: Any,
        address: str,
        away: Callable[[], None],
        writer: AsyncWriter | None = None,
        first_sample: int | None = 0,
    ) -> None:
        """`away` is called where the gateway does not answer."""
        super().__init__(first_sample)
        self._call = call
        self._address = address
        self._away = away
        self._writer = writer
        if writer:
            writer.writes_to(call)

    async def accepted(self) -> Started:
        """Waits until the gateway has begun, and returns how; `started` tells it from then on. Raises SpeechError."""
        while self.started is None:
            if await self._receive() is None:
                raise SpeechError("this speech was closed before the gateway had begun it")
        return self.started

    async def _receive(self) -> Samples | None:
        if self._closed:
            return None
        try:
            response = await self._call.read()
            return self._progress.take(None if response is grpc.aio.EOF else response)
        except grpc.aio.AioRpcError as error:
            raise self._failure(from_status(error, self._address, self._progress.request_id)) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        except SpeechError:
            await self.close()
            raise
        # gRPC says "cancelled" too when another task closed this speech, and when the writer or the gateway ended it.
        if self._closed:
            return None
        gone = Unavailable(f"the gateway at {self._address} ended the call", self._progress.request_id)
        raise self._failure(gone)

    def _failure(self, failure: SpeechError) -> Exception:
        """The writer's own error where that is the reason."""
        if self._writer and self._writer.error:
            return self._writer.error
        if isinstance(failure, Unavailable):
            self._away()
        return failure
