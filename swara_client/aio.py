"""The asyncio client: the twin of `client.py`; what they share is in `speech.py`."""

import asyncio
from typing import Any, Self, Unpack

import grpc
import numpy as np

from swara.channel import connect
from swara.pcm import Samples
from swara.v1 import speech_service_pb2 as speech_pb2
from swara.v1 import speech_service_pb2_grpc as speech_grpc
from swara_client.client import DEFAULT_ADDRESS
from swara_client.errors import SpeechError, Unavailable, from_status
from swara_client.request import Choices, Voice, request_of, voices_of
from swara_client.speech import Outcome


class AsyncClient:
    """Speaks through the gateway at `host:port` or `unix:/path`; an async context manager, made in a running loop.

    >>> async with AsyncClient() as client:
    ...     async for samples in await client.synthesize("नमस्ते", voice="asha"):
    ...         play(samples)  # int16, 24 kHz, mono
    """

    def __init__(self, address: str = DEFAULT_ADDRESS) -> None:
        self.address = address
        self._channel = connect(address)
        self._stub = speech_grpc.SpeechServiceStub(self._channel)

    async def synthesize(
        self, text: str, *, timeout_seconds: float | None = None, **choices: Unpack[Choices]
    ) -> "AsyncSpeech":
        """Asks for `text`; returns when the gateway has accepted it. Raises SpeechError."""
        request = request_of(text, choices)
        return await AsyncSpeech.accepted(self._stub.Synthesize(request, timeout=timeout_seconds), self.address)

    async def voices(self, model: str = "", *, timeout_seconds: float = 10.0) -> list[Voice]:
        """The voices of one model, or of all. Raises SpeechError."""
        request = speech_pb2.ListVoicesRequest(model=model)
        try:
            return voices_of(await self._stub.ListVoices(request, timeout=timeout_seconds))
        except grpc.aio.AioRpcError as error:
            raise from_status(error, self.address) from None

    async def close(self) -> None:
        """Closes the connection; running speech is cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncSpeech(Outcome):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    def __init__(self, call: Any, address: str) -> None:
        self._call = call
        self._address = address
        self._closed = False
        super().__init__()

    @classmethod
    async def accepted(cls, call: Any, address: str) -> Self:
        """The speech of a call, once the gateway has accepted it."""
        speech = cls(call, address)
        await speech._receive()
        speech._progress.accepted()
        return speech

    async def read(self) -> Samples:
        """All that is still to come as one array [T]. Raises SpeechError."""
        return np.concatenate([np.empty(0, np.int16), *[samples async for samples in self]])

    async def close(self) -> None:
        """Hangs up: the gateway stops the work. Nothing happens where the speech has ended."""
        self._closed = True
        self._call.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Samples:
        while (samples := await self._receive()) is not None:
            if len(samples):
                return samples
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _receive(self) -> Samples | None:
        """The samples of the next event, maybe none; None at the end."""
        if self._closed:
            return None
        try:
            response = await self._call.read()
            return self._progress.take(None if response is grpc.aio.EOF else response)
        except grpc.aio.AioRpcError as error:
            raise from_status(error, self._address, self._progress.request_id) from None
        except SpeechError:
            await self.close()
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        # gRPC says "cancelled" too when another task closed this speech, and when the gateway itself ended the call.
        if not self._closed:
            raise Unavailable(f"the gateway at {self._address} ended the call", self._progress.request_id)
        return None
