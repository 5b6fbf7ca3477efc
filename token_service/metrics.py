"""The token service's Prometheus metrics. Base units, closed label sets, never a request id; see docs/metrics.md."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Protocol, runtime_checkable

from prometheus_client import Counter, Gauge, Histogram, Info

from swara.errors import Broken, label_of
from swara.frames import SLOTS
from token_service.engines.base import Ended, Engine

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
# A frame is 85 ms of speech: a step that takes longer cannot keep up.
FRAME_BUCKETS = (0.005, 0.01, 0.02, 0.04, 0.085, 0.2, 1)
STEP_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.085, 0.2, 0.5, 1)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
# How streams end: by themselves, or with the label of an error.
OUTCOMES = (
    "end_of_speech", "max_frames", "runaway", "cancelled",
    "full", "invalid", "unknown_name", "unavailable", "timed_out", "broken",
)  # fmt: skip
PROMPT, SPEECH = TOKENS = ("prompt", "speech")
LENGTH, LOOP = RUNAWAYS = ("length", "loop")

build = Info("swara_token_build", "What this process is and serves")
frames_total = Counter("swara_token_frames", "Frames generated")
tokens_total = Counter("swara_token_tokens", "Tokens read as prompts, and drawn as speech", ["kind"])
streams_total = Counter("swara_token_streams", "Streams that ended, by outcome", ["outcome"])
runaways_total = Counter(
    "swara_token_runaways", "Streams that did not end by themselves: too long, or in a loop", ["kind"]
)
held_tokens = Gauge("swara_token_held_tokens", "Tokens of prompt and speech that open streams have")
queue_seconds = Histogram("swara_token_queue_seconds", "Wait of a stream for its place", buckets=SECONDS)
first_token_seconds = Histogram(
    "swara_token_first_token_seconds", "From a stream's place to its first token", buckets=SECONDS
)
prefill_seconds = Histogram(
    "swara_token_first_frame_seconds", "From a stream's place to its first frame", buckets=SECONDS
)
decode_seconds = Histogram(
    "swara_token_frame_seconds", "Mean time between the frames of a stream", buckets=FRAME_BUCKETS
)
step_seconds = Histogram(
    "swara_token_step_seconds", "Time of one step of the native engine: a frame each", buckets=STEP_BUCKETS
)
step_streams = Histogram("swara_token_step_streams", "Streams in one step of the native engine", buckets=ROWS)

# Every label set exists from the start: rates have a beginning, and streams do not make the page grow.
for outcome in OUTCOMES:
    streams_total.labels(outcome)
for kind in TOKENS:
    tokens_total.labels(kind)
for kind in RUNAWAYS:
    runaways_total.labels(kind)


class Outcome:
    """How one stream ends: the label that is set, or else that of what its block raises; counted after the block."""

    def __init__(self) -> None:
        self.label = ""

    def __enter__(self) -> "Outcome":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        label = label_of(error)
        self.label = self.label or (label if label in OUTCOMES else Broken.label)
        streams_total.labels(self.label).inc()


@runtime_checkable
class Stepping(Protocol):
    """An engine whose steps we see: it says of each how many streams got a frame and how long it took."""

    stepped: Callable[[int, float], None]


@runtime_checkable
class Caching(Protocol):
    """An engine whose memory for attention is ours."""

    kv_capacity_tokens: int

    @property
    def kv_free_tokens(self) -> int:
        """Tokens that no stream has reserved."""


def describe(engine: str, model: str, fingerprint: str) -> None:
    """Says what this process is."""
    build.info({"version": version("swara"), "engine": engine, "model": model, "fingerprint": fingerprint})


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
    if isinstance(engine, Caching):
        _watch_cache(engine)
    if isinstance(engine, Stepping):
        engine.stepped = _stepped


def _watch_cache(engine: Caching) -> None:
    cache = Gauge("swara_token_kv_tokens", "Room for keys and values: reserved by streams, and free", ["state"])
    cache.labels("free").set_function(lambda: engine.kv_free_tokens)
    cache.labels("reserved").set_function(lambda: engine.kv_capacity_tokens - engine.kv_free_tokens)


def _stepped(streams: int, seconds: float) -> None:
    step_streams.observe(streams)
    step_seconds.observe(seconds)


@contextmanager
def holding(prompt_tokens: int, frames: int) -> Iterator[Callable[[int], None]]:
    """A stream with so much to read; call what comes with the number of each new block of frames."""
    tokens_total.labels(PROMPT).inc(prompt_tokens + SLOTS * frames)
    held = prompt_tokens + SLOTS * frames
    held_tokens.inc(held)

    def grow(frames: int) -> None:
        nonlocal held
        held += SLOTS * frames
        held_tokens.inc(SLOTS * frames)
        frames_total.inc(frames)
        tokens_total.labels(SPEECH).inc(SLOTS * frames)

    try:
        yield grow
    finally:
        held_tokens.dec(held)


def ended(event: Ended, frames: int, ran_away: bool) -> None:
    """A generation is complete; `frames` are those it made."""
    queue_seconds.observe(event.queue_seconds)
    if frames:
        # Where a frame's tokens come all at once, the first token comes with the first frame.
        first_token_seconds.observe(event.first_token_seconds or event.prefill_seconds)
        prefill_seconds.observe(event.prefill_seconds)
    # END_OF_SPEECH took a step as a frame does.
    if (steps := frames if event.by_model else frames - 1) > 0:
        decode_seconds.observe(event.decode_seconds / steps)
    if ran_away:
        runaways_total.labels(LOOP if event.looped else LENGTH).inc()
