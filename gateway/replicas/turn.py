"""Whose turn it is: finds the replica for a segment's next try, and waits for room where that is allowed (law 6)."""

import asyncio
import time

from gateway.replicas.journey import Journey
from gateway.replicas.pool import Pool
from gateway.replicas.replica import Replica
from swara.errors import Full, SwaraError, Unavailable
from swara.speech import Priority

# Running texts are never refused, but a replica that has just taken over many, or has just come back, may need a moment
# for one more; longer than a listener holds helps nobody.
RUNNING_PATIENCE_SECONDS = 3.0
RETRY_SECONDS = 0.2


class Turn:
    """The search of one segment; `refused` is what the last replica that had no room said."""

    def __init__(self, pool: Pool, journey: Journey, priority: Priority, queue_seconds: float) -> None:
        self._pool = pool
        self._journey = journey
        self._ticket = pool.line.ticket(priority)
        self._queue_seconds = queue_seconds
        self.begin()

    def begin(self) -> None:
        """A new search, with all the patience there is."""
        self._looked = False
        self._until_seconds: float | None = None
        self.refused: Full | None = None

    async def replica(self) -> Replica:
        """The next one to try; raises Full where there is no room in time, Unavailable where there is nobody."""
        while True:
            if self._may_try and (found := self._found()):
                # There may be room for one more, and the next in line may see to it.
                self._pool.line.wake()
                return found
            await self._look_or_wait()

    async def rested_after(self, error: SwaraError) -> bool:
        """A replica has failed: False where there is another to try; raises the error where there can be none.

        True where a rest is needed: of those that are left, the ones without room, or that did not even take the text,
        may do so in a moment.
        """
        if self._pool.choose(self._journey.excluded):
            self.begin()
            return False
        if self._journey.full:
            # Somebody is there and has no room just now: that decides, and not who is away.
            return True
        if self._journey.taken or self._journey.is_new:
            raise error
        await self._pause(error)
        self._journey.missed.clear()
        return True

    def _found(self) -> Replica | None:
        choose = self._pool.choose_for_new if self._journey.is_new else self._pool.choose
        return choose(self._journey.excluded)

    @property
    def _may_try(self) -> bool:
        return not self._journey.is_new or (self._pool.line.is_first(self._ticket) and self._pool.has_room)

    async def _look_or_wait(self) -> None:
        """What is known of the replicas may be half a second old: they are asked before anybody waits or is refused."""
        if not self._looked and self.refused is None:
            self._looked = True
            await self._pool.look_again()
        elif self._may_try and not self._journey.full:
            raise Unavailable("no audio service can take this text now")
        else:
            await self._wait()

    async def _wait(self) -> None:
        await self._pause(self.refused or Full("all streams are taken; try again soon"))
        self._journey.full.clear()

    async def _pause(self, error: SwaraError) -> None:
        """Waits until it is worth trying again; raises the error where the patience for it is over."""
        now = time.monotonic()
        if self._until_seconds is None:
            self._until_seconds = now + (self._queue_seconds if self._journey.is_new else RUNNING_PATIENCE_SECONDS)
        left_seconds = self._until_seconds - now
        if left_seconds <= 0:
            raise error
        if self._journey.is_new:
            await self._pool.line.wait(self._ticket, left_seconds)
        else:
            await asyncio.sleep(min(RETRY_SECONDS, left_seconds))
