"""Law 2: second 150 of an utterance does what second 1 did, in the same memory."""

import statistics
import time
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from audio_service.decoder import Decoder
from audio_service.rows import Rows, Work
from audio_service.stream import NO_END, Stream, Taken, Voicing
from swara.frames import FRAME_SECONDS
from tests.audio_service.codecs import delays, random_codes

EARLY_FRAME, LATE_FRAME = round(1 / FRAME_SECONDS), round(150 / FRAME_SECONDS)


class Recorder(TorchDispatchMode):
    """Writes down every operation with its shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[str, tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        shapes = tuple(tuple(a.shape) if isinstance(a, torch.Tensor) else None for a in args)
        self.operations.append((str(func), shapes))
        return func(*args, **(kwargs or {}))


def work(frame: int, hop: int, codebook_size: int) -> Work:
    return Work(0, False, (1, 2, 3, 4), 1.0, Taken(random_codes(hop, codebook_size), frame, NO_END))


def test_second_150_runs_the_same_operations_on_the_same_shapes_as_second_1(decoder: Decoder) -> None:
    rows = Rows(decoder, 1)
    recorded = []
    for frame in (0, EARLY_FRAME, LATE_FRAME):
        with Recorder() as recorder:
            rows.run([work(frame, 2, decoder.codebook_size)])
        recorded.append(recorder.operations)
    assert len(recorded[0]) > 100
    assert recorded[0] == recorded[1] == recorded[2]


def test_second_150_takes_as_long_as_second_1(decoder: Decoder) -> None:
    rows = Rows(decoder, 1)
    seconds: dict[int, list[float]] = {EARLY_FRAME: [], LATE_FRAME: []}
    for _ in range(60):
        for frame, times in seconds.items():
            step = work(frame, 1, decoder.codebook_size)
            began = time.thread_time()
            rows.run([step])
            times.append(time.thread_time() - began)
    early, late = (statistics.median(times[10:]) for times in seconds.values())
    assert late / early < 1.15


def test_a_stream_holds_no_more_after_150_seconds_than_after_1(decoder: Decoder) -> None:
    stream = Stream(Voicing(0), delays(decoder))
    sizes = []
    for frame in range(LATE_FRAME):
        stream.feed(frame, random_codes(1, decoder.codebook_size))
        taken = stream.take(1)
        stream.give(taken, np.zeros(2048, np.float32), frame * FRAME_SECONDS)
        sizes.append(stream.waiting_frames)
    assert max(sizes) == 0


def test_the_state_of_a_stream_is_about_half_a_megabyte_for_the_real_shape(decoders: dict[str, Decoder]) -> None:
    assert decoders["real shape"].state_bytes == 476_928
