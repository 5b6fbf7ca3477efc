"""Prometheus metrics of the token service."""

from prometheus_client import Counter, Gauge, Histogram

from token_service.engines.base import Engine

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

frames_total = Counter("swara_token_frames", "Frames generated")
streams_total = Counter("swara_token_streams", "Streams that ended, by outcome", ["outcome"])
queue_seconds = Histogram("swara_token_queue_seconds", "Wait of a stream for its place", buckets=SECONDS)
prefill_seconds = Histogram(
    "swara_token_first_frame_seconds", "From a stream's place to its first frame", buckets=SECONDS
)
decode_seconds = Histogram(
    "swara_token_frame_seconds",
    "Mean time between the frames of a stream",
    buckets=(0.005, 0.01, 0.02, 0.04, 0.085, 0.2, 1),
)


def watch(engine: Engine) -> None:
    """Publishes the engine's load, read when Prometheus asks."""
    streams = Gauge("swara_token_streams_now", "Streams now, by state", ["state"])
    streams.labels("running").set_function(lambda: engine.load().running_streams)
    streams.labels("queued").set_function(lambda: engine.load().queued_streams)
    streams.labels("paused").set_function(lambda: engine.load().paused_streams)
    Gauge("swara_token_capacity_streams", "Streams it takes at once").set_function(
        lambda: engine.load().capacity_streams
    )
    Gauge("swara_token_slack_seconds", "How far the slowest stream is ahead of real time").set_function(
        lambda: engine.load().slack_seconds
    )
