"""The audio service's metrics: prefix swara_audio_, base units, closed label sets; docs/metrics.md lists them."""

from importlib.metadata import version
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from swara.errors import Full
from swara.frames import FRAME_SECONDS

STEP_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
FIRST_PCM_SECONDS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)
SILENCE = "silence"
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


# How streams end: by themselves, or with the label of an error.
OUTCOMES = ("finished", "cancelled", "full", "invalid", "unavailable", "timed_out", "broken")


class Places(Protocol):
    """The batcher, as far as it is counted."""

    @property
    def capacity_streams(self) -> int:
        """Streams that may be open before a new one is refused."""

    @property
    def running_streams(self) -> int:
        """Streams that are open."""

    @property
    def free_rows(self) -> int:
        """States that no stream holds."""

    def slack_seconds(self) -> float:
        """How long the listener plays on who would run dry first."""


class Metrics:
    """A batcher's watcher that counts for Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._build = Info("swara_audio_build", "What this process is and decodes with.", registry=registry)
        self._runaways = Counter(
            "swara_audio_runaways",
            "Streams cut short because their model went on saying nothing.",
            ["kind"],
            registry=registry,
        )
        self._states = Gauge("swara_audio_states", "Room for decoder states.", ["state"], registry=registry)
        self._capacity = Gauge("swara_audio_capacity_streams", "Streams it takes at once.", registry=registry)
        self._slack = Gauge(
            "swara_audio_slack_seconds", "How long the listener plays on who would run dry first.", registry=registry
        )
        self._active = Gauge("swara_audio_active_streams", "Streams that are open.", registry=registry)
        self._finished = Counter("swara_audio_streams", "Streams that ended.", ["outcome"], registry=registry)
        self._frames = Counter("swara_audio_decoded_frames", "Frames through the decoder.", registry=registry)
        self._audio = Counter("swara_audio_decoded_audio_seconds", "Audio through the decoder.", registry=registry)
        self._step = Histogram(
            "swara_audio_step_seconds", "Time of one decoder step.", buckets=STEP_SECONDS, registry=registry
        )
        self._rows = Histogram("swara_audio_step_streams", "Streams in one step.", buckets=ROWS, registry=registry)
        self._first = Histogram(
            "swara_audio_first_pcm_seconds",
            "From the opening of a stream to its first PCM.",
            buckets=FIRST_PCM_SECONDS,
            registry=registry,
        )

        self._runaways.labels(SILENCE)
        for outcome in OUTCOMES:
            self._finished.labels(outcome)

    def describe(self, codec: str, device: str) -> None:
        """Says what this process is."""
        self._build.info({"version": version("swara"), "codec": codec, "device": device})

    def watch(self, places: Places) -> None:
        """Shows the places as they are whenever somebody asks."""
        self._capacity.set_function(lambda: places.capacity_streams)
        self._slack.set_function(places.slack_seconds)
        self._states.labels("used").set_function(lambda: places.running_streams)
        self._states.labels("free").set_function(lambda: places.free_rows)

    def fell_silent(self) -> None:
        """A stream was cut short because its model went on saying nothing."""
        self._runaways.labels(SILENCE).inc()

    def opened(self) -> None:
        """A stream has begun."""
        self._active.inc()

    def refused(self) -> None:
        """A stream has found no place."""
        self._finished.labels(Full.label).inc()

    def heard(self, seconds: float) -> None:
        """A stream's first PCM came this long after it began."""
        self._first.observe(seconds)

    def closed(self, outcome: str) -> None:
        """A stream is over."""
        self._active.dec()
        self._finished.labels(outcome).inc()

    def stepped(self, rows: int, frames: int, seconds: float) -> None:
        """The decoder took this many frames of each of these streams."""
        self._step.observe(seconds)
        self._rows.observe(rows)
        self._frames.inc(rows * frames)
        self._audio.inc(rows * frames * FRAME_SECONDS)
