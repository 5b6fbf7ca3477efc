"""Who may begin: a bounded number of streams at once, and past it Full is said at once (law 6)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from swara.errors import Full, Unavailable
from swara.speech import AdmissionClass

# When one of four gateways dies, the others take a third more each; of fewer, each takes what it can.
RESERVE_SHARE = 1 / 3


class Admission:
    """Counts the streams of one gateway; `what` they are is said to those who are refused."""

    def __init__(self, max_streams: int, what: str = "streams") -> None:
        self._max_streams = max_streams
        self._what = what
        self._reserve_streams = max(1, round(max_streams * RESERVE_SHARE))
        self._streams = 0
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def draining(self) -> bool:
        """Whether this gateway is shutting down."""
        return self._draining

    @contextmanager
    def place(self, admission_class: AdmissionClass = AdmissionClass.NEW) -> Iterator[None]:
        """A place for one stream; raises Full where there is none, Unavailable where the gateway is shutting down.

        What another gateway has begun draws on a reserve.
        """
        if self._draining:
            raise Unavailable("this gateway is shutting down")
        reserve_streams = 0 if admission_class is AdmissionClass.NEW else self._reserve_streams
        if self._streams >= self._max_streams + reserve_streams:
            raise Full(f"all {self._max_streams} {self._what} of this gateway are taken")
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
