"""When the tokens of many streams arrived, and the figures that follow from it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from swara.frames import SLOTS

# With three frames a codec that looks three frames ahead is about to speak.
LISTENED_TOKENS = 21
# All streams of a measurement are asked for within this time, evenly.
ARRIVAL_SECONDS = 0.1


@dataclass
class Arrivals:
    """One stream: seconds since it was asked for, and how many tokens had come by then."""

    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def arrived(self, seconds: float, new_tokens: int) -> None:
        """Notes so many new tokens."""
        self.seconds.append(seconds)
        self.tokens.append(new_tokens + (self.tokens[-1] if self.tokens else 0))

    def until(self, tokens: int) -> float:
        """The seconds until so many tokens had come."""
        return next(seconds for seconds, count in zip(self.seconds, self.tokens, strict=True) if count >= tokens)

    @property
    def tokens_per_second(self) -> float:
        """The rate after the first tokens had come, so that the prompt does not count."""
        return (self.tokens[-1] - self.tokens[0]) / (self.seconds[-1] - self.seconds[0])


def figures(streams: Sequence[Arrivals], cpu_seconds: float) -> dict[str, float]:
    """Rates and delays of streams that ran together; `frame_ms` is the mean time between a stream's frames.

    `cpu_us_per_frame` is the processors' time that the serving process has spent, which vLLM's own process is not in.
    """
    frames = sum(stream.tokens[-1] for stream in streams) / SLOTS
    rate = statistics.mean(stream.tokens_per_second for stream in streams)
    first = sorted(1e3 * stream.until(SLOTS) for stream in streams)
    listened = sorted(1e3 * stream.until(LISTENED_TOKENS) for stream in streams)
    return {
        "tokens_per_second_per_stream": round(rate, 1),
        "step_ms": round(1e3 / rate, 3),
        "frame_ms": round(1e3 * SLOTS / rate, 2),
        "cpu_us_per_frame": round(1e6 * cpu_seconds / frames, 1),
        "first_frame_ms_p50": round(statistics.median(first), 1),
        "token21_ms_p50": round(statistics.median(listened), 1),
        "token21_ms_p95": round(listened[ceil(0.95 * (len(listened) - 1))], 1),
    }
