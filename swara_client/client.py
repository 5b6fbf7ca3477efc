"""The blocking client. `aio.py` is its twin for asyncio; what they share is in `speech.py`."""

from typing import Any, Self, Unpack

import grpc
import numpy as np

from swara.channel import OPTIONS
from swara.pcm import Samples
from swara.v1 import speech_service_pb2 as speech_pb2
from swara.v1 import speech_service_pb2_grpc as speech_grpc
from swara_client.errors import SpeechError, from_status
from swara_client.request import Choices, Voice, request_of, voices_of
from swara_client.speech import Outcome

DEFAULT_ADDRESS = "127.0.0.1:50051"


class Client:
    """Speaks through the gateway at `host:port` or `unix:/path`; a context manager.

    >>> with Client() as client:
    ...     for samples in client.synthesize("नमस्ते", voice="asha"):
    ...         play(samples)  # int16, 24 kHz, mono
    """

    def __init__(self, address: str = DEFAULT_ADDRESS) -> None:
        self.address = address
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._stub = speech_grpc.SpeechServiceStub(self._channel)

    def synthesize(self, text: str, *, timeout_seconds: float | None = None, **choices: Unpack[Choices]) -> "Speech":
        """Asks for `text`; returns when the gateway has accepted it. Raises SpeechError."""
        request = request_of(text, choices)
        return Speech(self._stub.Synthesize(request, timeout=timeout_seconds), self.address)

    def voices(self, model: str = "", *, timeout_seconds: float = 10.0) -> list[Voice]:
        """The voices of one model, or of all. Raises SpeechError."""
        try:
            return voices_of(self._stub.ListVoices(speech_pb2.ListVoicesRequest(model=model), timeout=timeout_seconds))
        except grpc.RpcError as error:
            raise from_status(error, self.address) from None

    def close(self) -> None:
        """Closes the connection; running speech is cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Speech(Outcome):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    def __init__(self, call: Any, address: str) -> None:
        self._call = call
        self._address = address
        self._closed = False
        super().__init__()
        self._receive()
        self._progress.accepted()

    def read(self) -> Samples:
        """All that is still to come as one array [T]. Raises SpeechError."""
        return np.concatenate([np.empty(0, np.int16), *self])

    def close(self) -> None:
        """Hangs up: the gateway stops the work. Nothing happens where the speech has ended."""
        self._closed = True
        self._call.cancel()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Samples:
        while (samples := self._receive()) is not None:
            if len(samples):
                return samples
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> Samples | None:
        """The samples of the next event, maybe none; None at the end."""
        if self._closed:
            return None
        try:
            return self._progress.take(next(self._call, None))
        except grpc.RpcError as error:
            # Another thread may have closed it meanwhile.
            if self._closed:
                return None
            raise from_status(error, self._address, self._progress.request_id) from None
        except SpeechError:
            self.close()
            raise
