"""The replicas behind this gateway: which there are, how they are, and which one gets the next work."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from gateway.model import Model
from gateway.replicas import addresses
from gateway.replicas.line import Line
from gateway.replicas.replica import Health, Replica, ReplicaSource
from swara.address import is_name
from swara.errors import SwaraError, Unavailable

LOOK_SECONDS = 0.5
# Before somebody is refused the replicas are asked once more, unless that was a moment ago: a refusal is due in 250 ms.
FRESH_SECONDS = 0.1
HURRIED_LOOK_SECONDS = 0.15
RESOLVE_SECONDS = 5.0
# Longer than any answer of a replica that is well; the last one is given its own, longer time.
MODEL_SECONDS = 1.0


class Pool:
    """Replicas by address. `run` looks at them for as long as the gateway lives; until then all are taken on trust."""

    def __init__(self, known: Collection[str], connect: Callable[[str], ReplicaSource]) -> None:
        self._connect = connect
        self._names = [address for address in known if is_name(address)]
        self._replicas = {address: Replica(connect(address)) for address in known if not is_name(address)}
        self._looked_seconds = float("-inf")
        self.line = Line()

    @property
    def replicas(self) -> list[Replica]:
        """All of them."""
        return list(self._replicas.values())

    async def run(self) -> None:
        """Looks at every replica twice a second, and where they have moved every five; ends when it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for replica in self.replicas:
                group.create_task(self._watch(replica))
            for name in self._names:
                group.create_task(self._follow(name, group))

    async def close(self) -> None:
        """Ends every connection and every call on it."""
        for replica in self.replicas:
            await replica.source.close()

    async def model(self) -> Model:
        """The model they speak with; raises Unavailable where none answers."""
        replicas = self._ranked()
        for replica in replicas[:-1]:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(MODEL_SECONDS):
                    return await replica.source.model()
        if not replicas:
            raise Unavailable("no audio service can be reached")
        return await replicas[-1].source.model()

    def choose(self, excluded: Collection[Replica]) -> Replica | None:
        """The best replica that is not excluded; None where none is left."""
        return next((replica for replica in self._ranked() if replica not in excluded), None)

    def choose_for_new(self, excluded: Collection[Replica]) -> Replica | None:
        """The replica for a stream that begins: one that has rested, if there is one, else the best.

        What a replica carries it measures only while it speaks. One that measured little, perhaps while the machine was
        busy with its start, would be asked last, and so never find out; whoever has begun does not go there.
        """
        now = time.monotonic()
        rested = (replica for replica in self._ranked() if replica.rested(now) and replica not in excluded)
        return next(rested, None) or self.choose(excluded)

    @property
    def has_room(self) -> bool:
        """Whether one more new stream may begin: of N replicas one's share is kept for what has begun already.

        A single replica decides itself: it knows best, and it keeps its own reserve.
        """
        serving = [replica for replica in self.replicas if replica.health is Health.SERVING]
        capacities = [replica.capacity_streams for replica in serving]
        if len(serving) < 2 or None in capacities:
            return True
        capacity = sum(streams or 0 for streams in capacities) * (len(serving) - 1) // len(serving)
        running = sum(replica.running_streams for replica in serving)
        return running < max(1, capacity) and any(replica.has_room for replica in serving)

    @contextmanager
    def lease(self, replica: Replica) -> Iterator[None]:
        """Counts one stream with a replica, at once and until the end of the block."""
        replica.streams += 1
        try:
            yield
        finally:
            replica.streams -= 1
            replica.was_busy(time.monotonic())
            self.line.wake()

    async def look_again(self) -> None:
        """Asks the replicas that answer how busy they are now, for a moment; a refusal may wait so long."""
        if time.monotonic() - self._looked_seconds < FRESH_SECONDS:
            return
        self._looked_seconds = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(HURRIED_LOOK_SECONDS), asyncio.TaskGroup() as group:
                for replica in self.replicas:
                    if replica.health is not Health.UNREACHABLE:
                        group.create_task(_look(replica))

    def _ranked(self) -> list[Replica]:
        now = time.monotonic()
        able = (replica for replica in self.replicas if replica.health is not Health.DRAINING)
        return sorted(able, key=lambda replica: replica.rank(now))

    async def _watch(self, replica: Replica) -> None:
        """Looks at one replica until it has left the pool and its last stream has ended."""
        while replica.streams or self._replicas.get(replica.address) is replica:
            await _look(replica)
            self.line.wake()
            await asyncio.sleep(LOOK_SECONDS)
        await replica.source.close()

    async def _follow(self, name: str, group: asyncio.TaskGroup) -> None:
        """Lets replicas come and go as DNS says; while it does not answer, the last answer holds."""
        mine: set[str] = set()
        while True:
            found = await addresses.resolved(name)
            if found is not None:
                for address in mine - set(found):
                    self._replicas.pop(address)
                for address in set(found) - set(self._replicas):
                    self._replicas[address] = Replica(self._connect(address))
                    group.create_task(self._watch(self._replicas[address]))
                    mine.add(address)
                mine &= set(found)
            await asyncio.sleep(RESOLVE_SECONDS)


async def _look(replica: Replica) -> None:
    streams = replica.streams
    try:
        load = await replica.source.load()
    except SwaraError:
        replica.missed(Health.UNREACHABLE)
        return
    if load is None:
        replica.missed(Health.DRAINING)
    else:
        replica.looked(load, max(streams, replica.streams), time.monotonic())
