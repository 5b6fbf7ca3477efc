"""One replica of the audio service as the pool knows it: how busy, how healthy, how lately it failed.

A plain class without I/O or clock: the caller says what happened and when, in seconds on any one clock.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.speech.segment import AudioSource

# A failed replica is left alone for a second, twice as long after each further failure, half a minute at most: long
# enough that a broken one costs few listeners anything, short enough that one that came back is soon used again.
FIRST_EJECTION_SECONDS = 1.0
LONGEST_EJECTION_SECONDS = 30.0
# One speech tells a replica what it carries; one of them in so long is little, should the replica turn out to be slow.
REST_SECONDS = 30.0


@dataclass(frozen=True)
class ReplicaLoad:
    """How busy a replica says it is, its token service included; streams of every gateway."""

    running_streams: int
    capacity_streams: int


class Health(Enum):
    """What the last look at a replica told. Before the first look it counts as serving."""

    SERVING = "serving"
    DRAINING = "draining"
    UNREACHABLE = "unreachable"


class ReplicaSource(AudioSource, Protocol):
    """One audio service, seen without its wire."""

    @property
    def address(self) -> str:
        """Where it is."""
        ...

    async def load(self) -> ReplicaLoad | None:
        """How busy it is; None where it takes no new streams. Raises SwaraError where it does not answer."""
        ...

    async def close(self) -> None:
        """Ends the connection."""
        ...


class Replica:
    """The state of one replica; `streams` are those this gateway has with it now."""

    def __init__(self, source: ReplicaSource) -> None:
        self.source = source
        self.health = Health.SERVING
        self.streams = 0
        self._others_streams = 0
        self._capacity_streams: int | None = None
        self._busy_seconds = float("-inf")
        self._failures = 0
        self._ejected_until_seconds = float("-inf")

    @property
    def address(self) -> str:
        """Where it is."""
        return self.source.address

    @property
    def running_streams(self) -> int:
        """What runs there: what others have as of the last look, and ours as of now."""
        return self._others_streams + self.streams

    @property
    def capacity_streams(self) -> int | None:
        """What it carries; None before the first look."""
        return self._capacity_streams

    def looked(self, load: ReplicaLoad, own_streams: int, now_seconds: float) -> None:
        """It answered; `own_streams` is the most that this gateway had with it while it did."""
        self.health = Health.SERVING
        self._capacity_streams = load.capacity_streams
        self._others_streams = max(0, load.running_streams - own_streams)
        if load.running_streams:
            self.was_busy(now_seconds)

    def was_busy(self, now_seconds: float) -> None:
        """It has had a stream until now."""
        self._busy_seconds = now_seconds

    def missed(self, health: Health) -> None:
        """It did not answer, or said that it takes no more."""
        self.health = health

    def failed(self, now_seconds: float) -> None:
        """It failed a stream."""
        self._failures += 1
        seconds = min(LONGEST_EJECTION_SECONDS, FIRST_EJECTION_SECONDS * 2 ** (self._failures - 1))
        self._ejected_until_seconds = now_seconds + seconds

    def worked(self) -> None:
        """It spoke: what was is forgiven."""
        self._failures = 0
        self._ejected_until_seconds = float("-inf")

    def ejected(self, now_seconds: float) -> bool:
        """Whether it is left alone for a while."""
        return now_seconds < self._ejected_until_seconds

    @property
    def has_room(self) -> bool:
        """Whether one more stream fits, as far as is known."""
        return self._capacity_streams is None or self.running_streams < self._capacity_streams

    def rested(self, now_seconds: float) -> bool:
        """Whether it is well, has had nothing to do for long, and so does not know what it carries now."""
        well = self.health is Health.SERVING and self._capacity_streams is not None and not self._failures
        return well and not self.running_streams and now_seconds - self._busy_seconds >= REST_SECONDS

    def rank(self, now_seconds: float) -> tuple[bool, bool, float]:
        """Sorts replicas for new work: those that answer, those that have not failed lately, the least loaded."""
        load = (self.running_streams + 1) / max(1, self._capacity_streams or 1)
        return self.health is Health.UNREACHABLE, self.ejected(now_seconds), load
