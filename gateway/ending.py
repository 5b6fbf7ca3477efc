"""Ends a session from outside, wherever it is, with the error that its listener is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from swara.errors import SwaraError


class Ending:
    """One session's end; the first error that is told counts."""

    def __init__(self) -> None:
        self._timeout = asyncio.timeout(None)
        self._error: SwaraError | None = None

    def tell(self, error: SwaraError) -> None:
        """Ends the session now."""
        if self._error is None:
            self._error = error
            self._timeout.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[None]:
        """Runs the block until its end or until an error is told, which is then raised."""
        try:
            async with self._timeout:
                yield
        except TimeoutError:
            if self._error is not None and self._timeout.expired():
                raise self._error from None
            raise
