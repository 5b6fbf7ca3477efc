"""The blocking client. `aio.py` is its twin for asyncio; what they share is in `connected.py` and `speech.py`."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Self, Unpack

import grpc

from swara.pcm import Samples
from swara.v1 import speech_service_pb2 as speech_pb2
from swara_client.comeback import Comeback
from swara_client.connected import Connected
from swara_client.errors import SpeechError, Unavailable, from_status
from swara_client.iterator import SpeechIterator
from swara_client.live import LiveSpeech, Writer
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


class Client(Connected):
    """Speaks through the gateway at `host:port` or `unix:/path`, or through any of several; a context manager.

    With several addresses, in a list or separated by commas, a speech whose gateway goes away goes on at another one
    without a gap in its samples. `resume=True` does it with a single one too, as soon as that is back.
    `api_key` is that of the environment's SWARA_API_KEY where it is not given; `tls=Tls()` speaks through TLS.

    >>> with Client() as client:
    ...     for samples in client.synthesize("नमस्ते", voice="asha"):
    ...         play(samples)  # int16, 24 kHz, mono
    """

    _grpc = grpc

    def synthesize(self, text: str, *, timeout_seconds: float | None = None, **choices: Unpack[Choices]) -> "Speech":
        """Asks for `text`; returns when a gateway has accepted it. Raises SpeechError."""
        comeback = Comeback(request_of(text, choices), len(self.addresses), self._resume, self._favourite)
        return Speech(self._stubs, self.addresses, comeback, timeout_seconds)

    def stream_synthesize(
        self,
        pieces: Iterable[str | Flush],
        *,
        max_buffer_delay_seconds: float = 0.0,
        timeout_seconds: float | None = None,
        **choices: Unpack[Choices],
    ) -> LiveSpeech:
        """Speaks a text while it is being written: `pieces` of any length, as a language model yields them.

        They are taken in a thread of their own. FLUSH between two pieces speaks what has come; without one, text waits
        for the end of its sentence, `max_buffer_delay_seconds` at most where that is not 0. It never goes on elsewhere;
        where its gateway does not answer, the next speech begins at another.
        """
        writer = Writer(stream_request_of(choices, max_buffer_delay_seconds), pieces)
        call = self._stub.StreamSynthesize(writer.messages(), timeout=timeout_seconds)
        return LiveSpeech(call, self._asked, self._away, writer)

    def listen(self, synthesis_id: str, start: Start = "start", *, timeout_seconds: float | None = None) -> LiveSpeech:
        """Joins a shareable synthesis by its id: from its start, live, or at a sample. Raises SpeechError.

        Any gateway will do: the next one is asked where one does not answer.
        """
        request, first_sample = listen_request_of(synthesis_id, start), start if isinstance(start, int) else None
        failure: Unavailable | None = None
        for _ in self.addresses:
            call = self._stub.Listen(request, timeout=timeout_seconds)
            speech = LiveSpeech(call, self._asked, self._away, first_sample=first_sample)
            try:
                speech.accepted()
                return speech
            except Unavailable as error:
                failure = error
        assert failure
        raise failure

    def voices(self, model: str = "", *, timeout_seconds: float = 10.0) -> list[Voice]:
        """The voices of one model, or of all, from the first gateway that answers. Raises SpeechError."""
        failure: SpeechError | None = None
        for stub, address in zip(self._stubs, self.addresses, strict=True):
            try:
                return voices_of(stub.ListVoices(speech_pb2.ListVoicesRequest(model=model), timeout=timeout_seconds))
            except grpc.RpcError as error:
                failure = from_status(error, address)
                if not isinstance(failure, Unavailable):
                    break
        assert failure
        raise failure

    def close(self) -> None:
        """Closes the connection; running speech is cancelled."""
        for channel in self._channels:
            channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Speech(SpeechIterator):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    def __init__(
        self, stubs: Sequence[Any], addresses: Sequence[str], comeback: Comeback, timeout_seconds: float | None
    ) -> None:
        self._stubs, self._addresses = stubs, addresses
        self._comeback = comeback
        self._timeout_seconds = timeout_seconds
        super().__init__()
        self._call = self._ask()
        self._receive()
        self._progress.accepted()

    @property
    def started(self) -> Started:
        """How the gateway took the request: known from the beginning."""
        return self._progress.accepted()

    def _receive(self) -> Samples | None:
        while not self._closed:
            try:
                response = next(self._call, None)
                samples = self._progress.take(response)
                if response is not None:
                    self._comeback.took(response)
                return samples
            except grpc.RpcError as error:
                # Another thread may have closed it meanwhile.
                if not self._closed:
                    self._go_on(from_status(error, self._address, self._progress.request_id))
            except SpeechError as error:
                self._call.cancel()
                self._go_on(error)
        return None

    def _go_on(self, failure: SpeechError) -> None:
        """Asks for the rest where it can be had; raises the failure where it cannot."""
        try:
            time.sleep(self._comeback.pause_seconds(failure, self.passed_seconds))
        except SpeechError:
            self.close()
            raise failure from None
        if not self._closed:
            self._call = self._ask()

    def _ask(self) -> Any:
        stub = self._stubs[self._comeback.at]
        return stub.Synthesize(self._comeback.request, timeout=self.left_seconds(self._timeout_seconds))

    @property
    def _address(self) -> str:
        return self._addresses[self._comeback.at]
