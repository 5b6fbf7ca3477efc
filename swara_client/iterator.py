"""What a caller does with speech: iterate over it, read it to its end, close it. For either client."""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from swara.pcm import Samples
from swara_client.speech import Outcome


class SpeechIterator(Outcome, ABC):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    _call: Any
    _closed = False

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

    @abstractmethod
    def _receive(self) -> Samples | None:
        """The samples of the next event, maybe none; None at the end. Raises SpeechError."""


class AsyncSpeechIterator(Outcome, ABC):
    """Speech as it comes: iterate over it for samples [T]. Closing it early tells the gateway to stop at once."""

    _call: Any
    _closed = False

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

    @abstractmethod
    async def _receive(self) -> Samples | None:
        """The samples of the next event, maybe none; None at the end. Raises SpeechError."""
