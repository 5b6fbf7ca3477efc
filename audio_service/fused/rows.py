"""The states of all streams on a CUDA device and the steps over some of them: what audio_service.rows is on the CPU."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.graphs import Shape
from audio_service.fused.launches import compile_all
from audio_service.fused.plan import END_FRAME, FIRST_FRAME, KEYS, LOUDNESS, SOURCE, TARGET
from audio_service.hops import HOPS_FRAMES
from audio_service.noise import key
from audio_service.rows import Work
from audio_service.stream import Voicing
from swara.ladder import ladder

# The first two states belong to nobody: fresh rows read the one, which stays empty, and padding writes the other.
EMPTY, SCRATCH, FIRST_OWNED = 0, 1, 2
HIGHEST_PRIORITY = -5  # lower numbers go first; devices with fewer levels take their own highest


class FusedRows:
    """Room for the states of a fixed number of streams, two copies each: a step reads one and writes the other, so
    that no kernel overwrites what another still reads. Used by one thread at a time.
    """

    def __init__(self, decoder: FusedDecoder, count: int, step_frames: int) -> None:
        """`step_frames`: the most frames of one step, over all its rows."""
        self._decoder = decoder
        self._states = decoder.new_states(FIRST_OWNED + 2 * count)
        self._written = np.zeros(count, np.int64)  # which of its two copies each stream wrote last
        size = step_frames * decoder.floats_per_frame
        self._signals = (
            torch.empty(size, device=decoder.device),
            torch.empty(size, device=decoder.device),
        )
        self._rungs = {frames: ladder(max(1, min(count, step_frames // frames))) for frames in HOPS_FRAMES}
        self._shapes: dict[tuple[int, int], Shape] = {}
        self._stream = _urgent_stream(decoder.device)
        if self._stream is not None:
            torch.cuda.synchronize()  # weights and states were made on another stream

    def keys(self, voicing: Voicing) -> tuple[int, ...]:
        """The noise keys of one stream, one a layer."""
        return tuple(key(voicing.seed, layer) for layer in range(self._decoder.noise_layers))

    @torch.inference_mode()
    def run(self, works: Sequence[Work]) -> NDArray[np.float32]:
        """One step of these streams, all with the same number of frames: audio [B, F * 2048]."""
        frames = len(works[0].taken.codes)
        with torch.cuda.stream(self._stream):  # does nothing for None
            shape = self._shape(len(works), frames)
            self._fill(shape.plan.numpy(), works)
            shape.run()
        if self._stream is not None:
            self._stream.synchronize()
        return shape.audio[: len(works)].numpy().copy()

    @torch.inference_mode()
    def warm_up(self, steps: Sequence[tuple[int, int]] | None = None) -> None:
        """Compiles every kernel and captures every step there will be, or those of so many (rows, frames) only."""
        wanted = steps or [(rows, frames) for frames, rungs in self._rungs.items() for rows in rungs]
        with torch.cuda.stream(self._stream):
            shapes = [self._shape(rows, frames) for rows, frames in wanted]
        for shape in shapes:
            self._fill(shape.plan.numpy(), [])
        if self._stream is None:
            return
        compile_all(shape.compile for shape in shapes)
        pool = torch.cuda.graph_pool_handle()
        for shape in shapes:
            shape.capture(self._stream, pool)

    def _shape(self, rows: int, frames: int) -> Shape:
        rungs = self._rungs[frames]
        place = bisect_left(rungs, rows)
        if place == len(rungs):
            raise ValueError(f"a step of {frames} frames takes at most {rungs[-1]} rows, not {rows}")
        shape = self._shapes.get((rungs[place], frames))
        if shape is None:
            shape = Shape(self._decoder, self._states, self._signals, rungs[place], frames)
            self._shapes[rungs[place], frames] = shape
        return shape

    def _fill(self, plan: NDArray[np.int64], works: Sequence[Work]) -> None:
        """Writes what the step is told: a row for each of the works, padding below them."""
        plan[len(works) :] = 0
        plan[len(works) :, TARGET] = SCRATCH
        if not works:
            return
        rows = np.array([work.row for work in works])
        fresh = np.array([work.fresh for work in works])
        read = self._written[rows]
        self._written[rows] = 1 - read
        used, first_code = plan[: len(works)], self._decoder.first_code_column
        used[:, SOURCE] = np.where(fresh, EMPTY, FIRST_OWNED + 2 * rows + read)
        used[:, TARGET] = FIRST_OWNED + 2 * rows + 1 - read
        used[:, FIRST_FRAME] = [work.taken.first_frame for work in works]
        used[:, END_FRAME] = [work.taken.end_frame for work in works]
        used[:, LOUDNESS] = np.array([work.loudness for work in works], np.float32).view(np.int32)
        used[:, KEYS:first_code] = np.array([work.keys for work in works], np.int64)
        used[:, first_code:] = np.stack([work.taken.codes for work in works]).reshape(len(works), -1)


def _urgent_stream(device: torch.device) -> torch.cuda.Stream | None:
    """A stream of the highest priority, as others may work on the same device; none without a CUDA device."""
    if device.type != "cuda":
        return None
    return torch.cuda.Stream(device, priority=HIGHEST_PRIORITY)
