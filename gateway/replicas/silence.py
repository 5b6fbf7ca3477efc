"""How long a replica may be silent: longer where nobody else could go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# How often it is asked anew whether somebody else could.
LOOK_SECONDS = 0.25


@asynccontextmanager
async def at_most(seconds: float, replaceable_seconds: float, replaceable: Callable[[], bool]) -> AsyncIterator[None]:
    """Ends its block with TimeoutError after `seconds`; after `replaceable_seconds` as soon as `replaceable` holds."""
    async with asyncio.timeout(seconds) as limit:
        lookout = _Lookout(limit, replaceable_seconds, replaceable)
        try:
            yield
        finally:
            lookout.close()


class _Lookout:
    """Lets a limit pass at once when the silent one has become replaceable."""

    def __init__(self, limit: asyncio.Timeout, seconds: float, replaceable: Callable[[], bool]) -> None:
        self._limit = limit
        self._replaceable = replaceable
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(seconds, self._look)

    def close(self) -> None:
        """Looks no more."""
        self._next.cancel()

    def _look(self) -> None:
        if self._limit.expired():
            # Both times may be over in one turn of the loop: what has passed cannot pass again.
            return
        if self._replaceable():
            self._limit.reschedule(self._loop.time())
        else:
            self._next = self._loop.call_later(LOOK_SECONDS, self._look)
