"""The asyncio client: the twin of `client.py`; what they share is in `connected.py` and `speech.py`."""

import asyncio
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, Self, Unpack

import grpc

from swara.pcm import Samples
from swara.v1 import speech_service_pb2 as speech_pb2
from swara_client.comeback import Comeback
from swara_client.connected import Connected
from swara_client.errors import SpeechError, Unavailable, from_status
from swara_client.iterator import AsyncSpeechIterator
from swara_client.live_aio import AsyncLiveSpeech, AsyncWriter
from swara_client.request import (
    Choices,
    Flush,
    Start,
    Voice,
    listen_request_of,
    request_of,
    stream_request_of,
    voices_of,
)
from swara_client.speech import Started


class AsyncClient(Connected):
    """Speaks through one gateway or any of several, as Client does; an async context manager, made in a running loop.

    >>> async with AsyncClient() as client:
    ...     async for samples in await client.synthesize("नमस्ते", voice="asha"):
    ...         play(samples)  # int16, 24 kHz, mono
    """

    _grpc = grpc.aio

    async def synthesize(
        self, text: str, *, timeout_seconds: float | None = None, **choices: Unpack[Choices]
    ) -> "AsyncSpeech":
        """Asks for `text`; returns when a gateway has accepted it. Raises SpeechError."""
        comeback = Comeback(request_of(text, choices), len(self.addresses), self._resume, self._favourite)
        return await AsyncSpeech.accepted(self._stubs, self.addresses, comeback, timeout_seconds)

    def stream_synthesize(
        self,
        pieces: AsyncIterable[str | Flush] | Iterable[str | Flush],
        *,
        max_buffer_delay_seconds: float = 0.0,
        timeout_seconds: float | None = None,
        **choices: Unpack[Choices],
    ) -> AsyncLiveSpeech:
        """Speaks a text while it is being written, as Client does; `pieces` may come from a language model's stream."""
        writer = AsyncWriter(stream_request_of(choices, max_buffer_delay_seconds), pieces)
        call = self._stub.StreamSynthesize(writer.messages(), timeout=timeout_seconds)
        return AsyncLiveSpeech(call, self._asked, self._away, writer)

    async def listen(
        self, synthesis_id: str, start: Start = "start", *, timeout_seconds: float | None = None
    ) -> AsyncLiveSpeech:
        """Joins a shareable synthesis by its id, as Client does. Raises SpeechError."""
        request, first_sample = listen_request_of(synthesis_id, start), start if isinstance(start, int) else None
        failure: Unavailable | None = None
        for _ in self.addresses:
            call = self._stub.Listen(request, timeout=timeout_seconds)
            speech = AsyncLiveSpeech(call, self._asked, self._away, first_sample=first_sample)
            try:
                await speech.accepted()
                return speech
            except Unavailable as error:
                failure = error
        assert failure
        raise failure

    async def voices(self, model: str = "", *, timeout_seconds: float = 10.0) -> list[Voice]:
        """The voices of one model, or of all, from the first gateway that answers. Raises SpeechError."""
        request = speech_pb2.ListVoicesRequest(model=model)
        failure: SpeechError | None = None
        for stub, address in zip(self._stubs, self.addresses, strict=True):
            try:
                return voices_of(await stub.ListVoices(request, timeout=timeout_seconds))
            except grpc.aio.AioRpcError as error:
                failure = from_status(error, address)
                if not isinstance(failure, Unavailable):
                    break
        assert failure
        raise failure

    async def close(self) -> None:
        """Closes the connection; running speech is cancelled."""
        for channel in self._channels:
            await channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncSpeech(AsyncSpeechIterator):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    def __init__(
        self, stubs: Sequence[Any], addresses: Sequence[str], comeback: Comeback, timeout_seconds: float | None
    ) -> None:
        self._stubs, self._addresses = stubs, addresses
        self._comeback = comeback
        self._timeout_seconds = timeout_seconds
        super().__init__()
        self._call = self._ask()

    @classmethod
    async def accepted(
        cls, stubs: Sequence[Any], addresses: Sequence[str], comeback: Comeback, timeout_seconds: float | None
    ) -> Self:
        """The speech of a request, once a gateway has accepted it."""
        speech = cls(stubs, addresses, comeback, timeout_seconds)
        await speech._receive()
        speech._progress.accepted()
        return speech

    @property
    def started(self) -> Started:
        """How the gateway took the request: known from the beginning."""
        return self._progress.accepted()

    async def _receive(self) -> Samples | None:
        while not self._closed:
            try:
                response = await self._read()
                samples = self._progress.take(response)
                if response is not None:
                    self._comeback.took(response)
                return samples
            except SpeechError as error:
                await self._go_on(error)
        return None

    async def _read(self) -> speech_pb2.SynthesizeResponse | None:
        """The next event; None at the end. Raises SpeechError."""
        try:
            response = await self._call.read()
            return None if response is grpc.aio.EOF else response
        except grpc.aio.AioRpcError as error:
            raise from_status(error, self._address, self._progress.request_id) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        # gRPC says "cancelled" too when another task closed this speech, and when the gateway itself ended the call.
        raise Unavailable(f"the gateway at {self._address} ended the call", self._progress.request_id)

    async def _go_on(self, failure: SpeechError) -> None:
        """Asks for the rest where it can be had; raises the failure where it cannot. Does nothing once it is closed."""
        if self._closed:
            return
        self._call.cancel()
        try:
            await asyncio.sleep(self._comeback.pause_seconds(failure, self.passed_seconds))
        except SpeechError:
            await self.close()
            raise failure from None
        if not self._closed:
            self._call = self._ask()

    def _ask(self) -> Any:
        stub = self._stubs[self._comeback.at]
        return stub.Synthesize(self._comeback.request, timeout=self.left_seconds(self._timeout_seconds))

    @property
    def _address(self) -> str:
        return self._addresses[self._comeback.at]
