"""Speech that cannot be asked for again: of a text that is being written, or of a synthesis that was joined."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc

from swara.pcm import Samples
from swara.v1 import speech_service_pb2 as speech_pb2
from swara_client.errors import SpeechError, Unavailable, from_status
from swara_client.iterator import SpeechIterator
from swara_client.request import Flush, piece_of
from swara_client.speech import Started


class Writer:
    """Gives gRPC the messages of a text; an error of the pieces hangs up and is kept for whoever hears the speech."""

    def __init__(self, configuration: speech_pb2.StreamSynthesizeRequest, pieces: Iterable[str | Flush]) -> None:
        self.error: Exception | None = None
        self._configuration = configuration
        self._pieces = pieces
        self._call: Any = None
        self._connected = threading.Event()

    def writes_to(self, call: Any) -> None:
        """The call that takes the messages, from a thread of its own."""
        self._call = call
        self._connected.set()

    def messages(self) -> Iterator[speech_pb2.StreamSynthesizeRequest]:
        """The configuration, then a message for each piece."""
        yield self._configuration
        try:
            for piece in self._pieces:
                yield piece_of(piece)
        except Exception as error:
            self.error = error
            self._connected.wait()
            self._call.cancel()


class LiveSpeech(SpeechIterator):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    def __init__(
        self,
        call: Any,
        address: str,
        away: Callable[[], None],
        writer: Writer | None = None,
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

    def accepted(self) -> Started:
        """Waits until the gateway has begun, and returns how; `started` tells it from then on. Raises SpeechError."""
        while self.started is None:
            if self._receive() is None:
                raise SpeechError("this speech was closed before the gateway had begun it")
        return self.started

    def _receive(self) -> Samples | None:
        if self._closed:
            return None
        try:
            return self._progress.take(next(self._call, None))
        except grpc.RpcError as error:
            # Another thread may have closed it meanwhile.
            if self._closed:
                return None
            if self._writer and self._writer.error:
                raise self._writer.error from None
            failure = from_status(error, self._address, self._progress.request_id)
            if isinstance(failure, Unavailable):
                self._away()
            raise failure from None
        except SpeechError:
            self.close()
            raise
