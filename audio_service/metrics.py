"""The audio service's metrics: prefix swara_audio_, base units, closed label sets."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from swara.frames import FRAME_SECONDS

STEP_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
FIRST_PCM_SECONDS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """A batcher's watcher that counts for Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
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

    def opened(self) -> None:
        """A stream has begun."""
        self._active.inc()

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
