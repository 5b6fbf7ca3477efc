"""The line of new streams that wait for room: interactive before batch, and in each the first to come is the first."""

import asyncio
import itertools
from bisect import insort

from swara.speech import Priority

RANKS = {Priority.INTERACTIVE: 0, Priority.BATCH: 1}


class Ticket:
    """A place in the line that is kept for as long as its stream tries to come in."""

    def __init__(self, priority: Priority, number: int) -> None:
        self.key = (RANKS[priority], number)
        self.called = asyncio.Event()

    def __lt__(self, other: "Ticket") -> bool:
        return self.key < other.key


class Line:
    """Who waits. Its length is bounded by the gateway's own limit of streams: each that waits holds a place there."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._waiting: list[Ticket] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def ticket(self, priority: Priority) -> Ticket:
        """A new ticket, behind all others of its priority."""
        return Ticket(priority, next(self._numbers))

    def is_first(self, ticket: Ticket) -> bool:
        """Whether nobody who waits comes before it."""
        return not self._waiting or not self._waiting[0] < ticket

    async def wait(self, ticket: Ticket, seconds: float) -> None:
        """Waits until it is worth trying again, for `seconds` at most."""
        ticket.called.clear()
        insort(self._waiting, ticket)
        try:
            async with asyncio.timeout(seconds):
                await ticket.called.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.remove(ticket)

    def wake(self) -> None:
        """There may be room: the first in line should try."""
        if self._waiting:
            self._waiting[0].called.set()
