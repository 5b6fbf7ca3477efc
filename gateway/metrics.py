"""The gateway's Prometheus metrics. Base units, closed label sets, never a request id; docs/metrics.md lists them."""

from collections.abc import Sequence
from enum import Enum
from functools import partial
from importlib.metadata import version
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram, Info

from gateway.replicas.failover import REASONS
from gateway.replicas.pool import Pool
from gateway.replicas.replica import Health
from swara.errors import KINDS, NARROWER, SILENT

FINISHED = "finished"
OUTCOMES = (FINISHED, SILENT, *(kind.label for kind in (*NARROWER, *KINDS)))

# First audio has a budget of half a second; what is well within it and what misses it is told finely.
FIRST_AUDIO_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
# A frame is 85 ms, the player holds 200 ms; 2 s is when a silent replica is given up.
INTERVAL_BUCKETS = (0.005, 0.02, 0.05, 0.085, 0.12, 0.2, 0.35, 0.5, 1.0, 2.0, 5.0, 10.0)
STAGE_BUCKETS = (0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
FACTOR_BUCKETS = (0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)


class Door(Enum):
    """How a request came in."""

    GRPC = "grpc"
    HTTP = "http"
    WEBSOCKET = "websocket"


class Heard(Enum):
    """How a speech was for its listener; of one that heard nothing there is no playback."""

    WHOLE = "whole"
    GAPS = "gaps"


class Stage(Enum):
    """Where the time of a speech goes: at the token service, at the audio service, here."""

    QUEUE = "queue"
    PREFILL = "prefill"
    DECODE = "decode"
    CODEC = "codec"
    ENCODE = "encode"
    WRITE = "write"


class Playing(Protocol):
    """A listener at this moment."""

    @property
    def stalled(self) -> bool:
        """Whether the sound has stopped and waits for more."""


class GatewayMetrics:
    """What an operator sees of the listeners; make one per process.

    `gateway_estimated` stands for a simulated player at the gateway's own edge: the network after it is not in it.
    Families with a model are each `gateway.hearing.Hearing`'s to fill; `hearings` are those that go on now.
    """

    def __init__(self) -> None:
        self.hearings: set[Playing] = set()
        Info("swara_gateway_build", "What this process is").info({"version": version("swara")})
        self.active = Gauge("swara_gateway_active_streams", "Streams being spoken", ["door"])
        self.listeners = Gauge("swara_gateway_listeners", "Listeners of syntheses that another has asked for", ["door"])
        self._requests = Counter("swara_gateway_requests", "Requests by how they ended", ["door", "outcome"])
        self._sent_bytes = Counter("swara_gateway_pcm_bytes", "PCM handed to listeners", ["door"])
        self._interval = Histogram(
            "swara_gateway_chunk_interval_seconds",
            "Between two chunks of a stream as its listener takes them",
            ["door"],
            buckets=INTERVAL_BUCKETS,
        )
        self._stage = Histogram(
            "swara_gateway_stage_seconds", "Time of a speech in each stage", ["stage"], buckets=STAGE_BUCKETS
        )
        self._first_token = Histogram(
            "swara_gateway_first_token_seconds",
            "From a request's arrival to the first token of its speech",
            buckets=FIRST_AUDIO_BUCKETS,
        )
        self._failovers = Counter(
            "swara_gateway_failovers", "Segments that went on at another audio service, by what was wrong", ["reason"]
        )
        self._repeats = Counter("swara_gateway_repeated_segments", "Segments spoken again because they said nothing")
        self._waiting = Gauge("swara_gateway_waiting_streams", "New streams that wait for room")
        self._capacity = Gauge("swara_gateway_capacity_streams", "Streams this gateway takes at once")
        self._replicas = Gauge("swara_gateway_audio_replicas", "Audio services by what they last said", ["health"])
        self._stalled = Gauge(
            "swara_gateway_estimated_stalled_listeners", "Listeners who hear a gap at this moment, gateway_estimated"
        )
        self._make_estimates()
        self._show_zeros()

    def _make_estimates(self) -> None:
        labels = ["door", "model"]
        self.first_audio = Histogram(
            "swara_gateway_estimated_first_audio_seconds",
            "From a request's arrival to its first audible sample, gateway_estimated",
            labels,
            buckets=FIRST_AUDIO_BUCKETS,
        )
        self.underruns = Counter(
            "swara_gateway_estimated_underruns", "Gaps a listener would have heard, gateway_estimated", labels
        )
        self.gap_seconds = Counter(
            "swara_gateway_estimated_gap_seconds", "Silence within these gaps, gateway_estimated", labels
        )
        self.playbacks = Counter(
            "swara_gateway_estimated_playbacks",
            "Speeches that were heard, by whether a listener would have heard gaps, gateway_estimated",
            [*labels, "heard"],
        )
        self.audio_seconds = Counter("swara_gateway_audio_seconds", "Speech handed to listeners", labels)
        self.real_time_factor = Histogram(
            "swara_gateway_estimated_real_time_factor",
            "Seconds of audio per second of waiting for all of it, gateway_estimated",
            labels,
            buckets=FACTOR_BUCKETS,
        )

    def _show_zeros(self) -> None:
        """Makes every label set that is known exist from the start, so that rates have a beginning."""
        for door in Door:
            for family in (self.active, self.listeners, self._sent_bytes, self._interval):
                family.labels(door.value)
            for outcome in OUTCOMES:
                self._requests.labels(door.value, outcome)
        for reason in REASONS:
            self._failovers.labels(reason)
        for stage in Stage:
            self._stage.labels(stage.value)

    def show_model(self, door: Door, model: str) -> None:
        """Makes the label sets of a model exist, before there is anything to count."""
        for family in (self.first_audio, self.underruns, self.gap_seconds, self.audio_seconds, self.real_time_factor):
            family.labels(door.value, model)
        for heard in Heard:
            self.playbacks.labels(door.value, model, heard.value)

    def watch(self, pools: Sequence[Pool], capacity_streams: int) -> None:
        """Shows what is so whenever somebody asks."""
        self._waiting.set_function(lambda: sum(len(pool.line) for pool in pools))
        self._capacity.set(capacity_streams)
        # Prometheus is answered on a thread of its own: it gets a copy.
        self._stalled.set_function(lambda: sum(hearing.stalled for hearing in list(self.hearings)))
        for health in Health:
            self._replicas.labels(health.value).set_function(partial(_count, pools, health))

    def failed_over(self, reason: str) -> None:
        """A segment went on at another audio service."""
        self._failovers.labels(reason).inc()

    def repeated(self) -> None:
        """A segment said nothing and is spoken again."""
        self._repeats.inc()

    def ended(self, door: Door, outcome: str) -> None:
        """A request ended, well or otherwise."""
        self._requests.labels(door.value, outcome).inc()

    def sent(self, door: Door, size_bytes: int) -> None:
        """PCM went out."""
        self._sent_bytes.labels(door.value).inc(size_bytes)

    def waited(self, door: Door, seconds: float) -> None:
        """A listener took a chunk so long after the one before."""
        self._interval.labels(door.value).observe(seconds)

    def first_token(self, seconds: float) -> None:
        """The model drew the first token of a speech so long after the request."""
        self._first_token.observe(seconds)

    def spent(self, stage: Stage, seconds: float) -> None:
        """A speech took so long in one stage, all its segments and chunks together."""
        self._stage.labels(stage.value).observe(seconds)


def _count(pools: Sequence[Pool], health: Health) -> int:
    return sum(replica.health is health for pool in pools for replica in pool.replicas)
