"""The `metrics` object of /ws/tts, with the field names of the report its clients were written against."""

from typing import Any

from gateway.events import Finished
from swara.frames import SLOTS


def metrics(finished: Finished) -> dict[str, Any]:
    """Server-side figures of one synthesis; `_ms` and `_s` fields are times, all since the request's arrival or summed.

    `ttft_ms` is up to the end of the prompt. The codec's time is known per segment, so `decode_times_ms` has one each.
    """
    timings = finished.timings
    tokens = SLOTS * finished.frames
    generation_seconds = timings.prefill_seconds + timings.decode_seconds
    return {
        "ttft_ms": _ms(timings.first_token_seconds),
        "ttfa_ms": _ms(timings.first_chunk_seconds),
        "tokens": tokens,
        "tokens_per_sec": _rate(tokens, generation_seconds),
        "frames_per_sec": _rate(finished.frames, timings.total_seconds),
        "generation_time_s": round(generation_seconds, 4),
        "decode_times_ms": [_ms(seconds) for seconds in timings.codec_seconds],
    }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def _rate(count: int, seconds: float) -> float:
    return round(count / seconds, 2) if seconds > 0 else 0.0
