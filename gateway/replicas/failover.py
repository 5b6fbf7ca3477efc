"""A dead replica is not heard (law 7): a segment goes on elsewhere from the frames that have come already.

Only here is anything tried again; a service below that fails says so at once. What the caller must change, and a
deadline that has passed, are never tried again.
"""

import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from gateway.model import Model
from gateway.replicas import silence
from gateway.replicas.journey import Journey, OtherModel
from gateway.replicas.pool import Pool
from gateway.replicas.replica import Health, Replica
from gateway.replicas.retry_budget import RetryBudget
from gateway.replicas.turn import Turn
from gateway.speech.segment import SegmentChunk, SegmentEvent, SegmentOrder
from swara.errors import Broken, Full, SwaraError, Unavailable, Withdrawn
from swara.logs import request_log
from swara.stopwatch import Stopwatch

log = logging.getLogger(__name__)

# A text that has made so many services fail is the likeliest reason for it; the others are spared.
MAX_CRASHES = 2

HUNG, WITHDRAWN, OTHER_MODEL, BROKEN, GONE = REASONS = ("hung", "withdrawn", "other_model", "broken", "gone")


class Hung(Unavailable):
    """A replica has gone silent in the middle of its work."""


@dataclass(frozen=True)
class Patience:
    """How long a new stream may wait for room, and how long a replica may be silent before and after it speaks."""

    queue_seconds: float
    first_seconds: float
    progress_seconds: float


class Failover:
    """An AudioSource over a pool of replicas; `count` hears the reason of each move to another one."""

    def __init__(self, pool: Pool, patience: Patience, count: Callable[[str], None]) -> None:
        self._pool = pool
        self._patience = patience
        self._count = count
        self._budget = RetryBudget()

    async def model(self) -> Model:
        """The model the replicas speak with."""
        return await self._pool.model()

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        """Speaks one segment, on as many replicas as it takes; closing it stops the work at once."""
        self._budget.requested(time.monotonic())
        journey = Journey(order)
        turn = Turn(self._pool, journey, order.priority, self._patience.queue_seconds)
        while not journey.finished:
            replica = await turn.replica()
            try:
                with self._pool.lease(replica):
                    async with aclosing(self._watched(replica, journey)) as events:
                        async for event in events:
                            if journey.take(event):
                                yield event
            except Full as error:
                journey.full.add(replica)
                turn.refused = error
            except (Unavailable, Broken) as error:
                self._blame(journey, replica, error)
                if not await turn.rested_after(error):
                    self._move(journey, error)

    async def _watched(self, replica: Replica, journey: Journey) -> AsyncGenerator[SegmentEvent, None]:
        """A replica's events up to the last; raises Hung where the next one takes too long."""
        spoke = False
        async with aclosing(replica.source.speak(journey.begin())) as events:
            while not journey.finished:
                quiet = Stopwatch()
                try:
                    async with self._silence(replica, journey, spoke):
                        event = await anext(events, None)
                except TimeoutError:
                    raise Hung(f"the audio service at {replica.address} was silent for {quiet.seconds:.0f} s") from None
                if event is None:
                    raise Unavailable(f"the audio service at {replica.address} ended the stream before its end")
                if isinstance(event, SegmentChunk) and not spoke:
                    spoke = True
                    replica.worked()
                yield event

    def _silence(self, replica: Replica, journey: Journey, spoke: bool) -> AbstractAsyncContextManager[None]:
        """How long a replica may pause; once it has spoken, waiting is better than an end where no other answers."""

        def replaceable() -> bool:
            other = self._pool.choose(journey.excluded | {replica})
            return other is not None and other.health is Health.SERVING

        first_seconds, progress_seconds = self._patience.first_seconds, self._patience.progress_seconds
        longest_seconds = max(first_seconds, progress_seconds) if spoke else first_seconds
        return silence.at_most(longest_seconds, progress_seconds if spoke else longest_seconds, replaceable)

    def _blame(self, journey: Journey, replica: Replica, error: SwaraError) -> None:
        """Notes whose fault it was; raises Broken where it is likelier the text's."""
        journey.failed(replica, crashed=not isinstance(error, Withdrawn | OtherModel))
        if not isinstance(error, Withdrawn | OtherModel):
            replica.failed(time.monotonic())
        if journey.crashes >= MAX_CRASHES:
            raise Broken(f"{MAX_CRASHES} services failed while they spoke this text; it is not tried again") from error

    def _move(self, journey: Journey, error: SwaraError) -> None:
        """Counts a move to another replica; raises the error where there have been too many."""
        # The first move of a stream that is being heard is free: when a replica dies all of its listeners move at once.
        if not (journey.heard and not journey.moves) and not self._budget.take(time.monotonic()):
            raise error
        journey.moves += 1
        self._count(reason_of(error))
        request_log(log, journey.request_id).warning("going on elsewhere: %s", error.sentence)


def reason_of(error: SwaraError) -> str:
    """The metric label of a failure."""
    kinds = ((Hung, HUNG), (Withdrawn, WITHDRAWN), (OtherModel, OTHER_MODEL), (Broken, BROKEN))
    return next((label for kind, label in kinds if isinstance(error, kind)), GONE)
