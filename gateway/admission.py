"""Who may begin: a bounded number of streams at once, and past it Full is said at once (law 6)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from swara.errors import Full, Unavailable

# A stream lasts seconds; trying again sooner would mostly be refused again.
RETRY_AFTER_SECONDS = 1.0


class Admission:
    """Counts the streams of one gateway."""

    def __init__(self, max_streams: int) -> None:
        self._max_streams = max_streams
        self._streams = 0
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def draining(self) -> bool:
        """Whether this gateway is shutting down."""
        return self._draining

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one stream; raises Full where there is none, Unavailable where the gateway is shutting down."""
        if self._draining:
            raise Unavailable("this gateway is shutting down")
        if self._streams >= self._max_streams:
            raise Full(f"all {self._max_streams} streams of this gateway are taken", RETRY_AFTER_SECONDS)
        self._streams += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._streams -= 1
            if not self._streams:
                self._empty.set()

    async def drain(self, grace_seconds: float) -> bool:
        """Admits nobody any more and waits for those inside; returns whether all have left within `grace_seconds`."""
        self._draining = True
        try:
            async with asyncio.timeout(grace_seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
