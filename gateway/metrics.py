"""The gateway's Prometheus metrics. Base units, closed label sets, never a request id."""

from collections.abc import Sequence
from enum import Enum
from functools import partial

from prometheus_client import Counter, Gauge, Histogram

from gateway.failover import REASONS
from gateway.pool import Pool
from gateway.replica import Health
from swara.errors import KINDS, UnknownName
from swara.player import Playback

FINISHED = "finished"
OUTCOMES = (FINISHED, UnknownName.label, *(kind.label for kind in KINDS))

SECONDS_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
FACTOR_BUCKETS = (0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)


class Door(Enum):
    """How a request came in."""

    GRPC = "grpc"
    HTTP = "http"
    WEBSOCKET = "websocket"


class GatewayMetrics:
    """What an operator sees of the listeners; make one per process.

    `gateway_estimated` stands for a simulated player at the gateway's own edge: the network after it is not in it.
    """

    def __init__(self) -> None:
        self.active = Gauge("swara_gateway_active_streams", "Streams being spoken", ["door"])
        self.listeners = Gauge("swara_gateway_listeners", "Listeners of syntheses that another has asked for", ["door"])
        self._requests = Counter("swara_gateway_requests", "Requests by how they ended", ["door", "outcome"])
        self._sent_bytes = Counter("swara_gateway_pcm_bytes", "PCM handed to listeners", ["door"])
        self._first_audio = Histogram(
            "swara_gateway_estimated_first_audio_seconds",
            "From a request's arrival to its first audible sample, gateway_estimated",
            ["door"],
            buckets=SECONDS_BUCKETS,
        )
        self._underruns = Counter(
            "swara_gateway_estimated_underruns", "Gaps a listener would have heard, gateway_estimated", ["door"]
        )
        self._real_time_factor = Histogram(
            "swara_gateway_estimated_real_time_factor",
            "Seconds of audio per second of waiting for all of it, gateway_estimated",
            ["door"],
            buckets=FACTOR_BUCKETS,
        )
        self._failovers = Counter(
            "swara_gateway_failovers", "Segments that went on at another audio service, by what was wrong", ["reason"]
        )
        self._waiting = Gauge("swara_gateway_waiting_streams", "New streams that wait for room")
        self._replicas = Gauge("swara_gateway_audio_replicas", "Audio services by what they last said", ["health"])
        for door in Door:
            self._show_zeros(door.value)
        for reason in REASONS:
            self._failovers.labels(reason)

    def _show_zeros(self, door: str) -> None:
        """Makes every label set exist from the start, so that rates have a beginning."""
        for family in (
            self.active,
            self.listeners,
            self._sent_bytes,
            self._first_audio,
            self._underruns,
            self._real_time_factor,
        ):
            family.labels(door)
        for outcome in OUTCOMES:
            self._requests.labels(door, outcome)

    def watch(self, pools: Sequence[Pool]) -> None:
        """Shows the pools as they are whenever somebody asks."""
        self._waiting.set_function(lambda: sum(len(pool.line) for pool in pools))
        for health in Health:
            self._replicas.labels(health.value).set_function(partial(_count, pools, health))

    def failed_over(self, reason: str) -> None:
        """A segment went on at another audio service."""
        self._failovers.labels(reason).inc()

    def ended(self, door: Door, outcome: str) -> None:
        """A request ended, well or otherwise."""
        self._requests.labels(door.value, outcome).inc()

    def sent(self, door: Door, size_bytes: int) -> None:
        """PCM went out."""
        self._sent_bytes.labels(door.value).inc(size_bytes)

    def played(self, door: Door, playback: Playback) -> None:
        """What the listener of a finished stream experienced."""
        if playback.first_audio_seconds is not None:
            self._first_audio.labels(door.value).observe(playback.first_audio_seconds)
        self._underruns.labels(door.value).inc(playback.underruns)
        if playback.audio_seconds:
            self._real_time_factor.labels(door.value).observe(playback.real_time_factor)


def _count(pools: Sequence[Pool], health: Health) -> int:
    return sum(replica.health is health for pool in pools for replica in pool.replicas)
