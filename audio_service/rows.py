"""The states of all streams, a row each, and the steps over some of them: the only file between streams and tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from audio_service.decoder import Block, Decoder
from audio_service.hops import HOPS_FRAMES
from audio_service.noise import key
from audio_service.stream import Taken, Voicing
from swara.frames import no_codes


@dataclass(frozen=True)
class Work:
    """One stream's part of a step; `fresh` rows begin with an empty past."""

    row: int
    fresh: bool
    keys: tuple[int, ...]
    loudness: float
    taken: Taken


class Rows:
    """Room for the states of a fixed number of streams. Used by one thread at a time."""

    def __init__(self, decoder: Decoder, count: int) -> None:
        self._decoder = decoder
        self._states = decoder.new_states(count)

    def keys(self, voicing: Voicing) -> tuple[int, ...]:
        """The noise keys of one stream, one a layer."""
        return tuple(key(voicing.seed, layer) for layer in range(self._decoder.noise_layers))

    @torch.inference_mode()
    def run(self, works: Sequence[Work]) -> NDArray[np.float32]:
        """One step of these streams, all with the same number of frames: audio [B, F * 2048]."""
        for work in works:
            if work.fresh:
                self._states[work.row].zero_()
        rows = self._tensor([work.row for work in works])
        states = self._states.index_select(0, rows)
        audio = self._decoder.step(states, self._block(works))
        self._states.index_copy_(0, rows, states)
        numbers: NDArray[np.float32] = audio.cpu().numpy()
        return numbers

    def warm_up(self) -> None:
        """Runs every kind of step once, so that no stream pays for the first one."""
        for hop in HOPS_FRAMES:
            silent = np.zeros((hop, no_codes().shape[1]), np.uint16)
            self.run([Work(0, True, (0,) * self._decoder.noise_layers, 1.0, Taken(silent, 0, hop))])

    def _block(self, works: Sequence[Work]) -> Block:
        codes = np.stack([work.taken.codes for work in works]).astype(np.int64)
        return Block(
            codes=torch.from_numpy(codes).to(self._decoder.device),
            first_frame=self._tensor([work.taken.first_frame for work in works]),
            end_frame=self._tensor([work.taken.end_frame for work in works]),
            keys=self._tensor([work.keys for work in works]),
            loudness=torch.tensor([work.loudness for work in works], device=self._decoder.device),
        )

    def _tensor(self, values: Sequence[int] | Sequence[tuple[int, ...]]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self._decoder.device)
