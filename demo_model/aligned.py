"""Codes beside the very audio they were made of, both in the device's memory: what the decoder is trained on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from snac import SNAC
from torch import Tensor

from demo_model.blueprint import SAMPLES_PER_FRAME
from demo_model.corpus import coded_batches
from demo_model.recordings import Recording


@dataclass(frozen=True)
class Aligned:
    """Frame f of `frames` [N, 7] int16 was made of samples f * 2048 to (f + 1) * 2048 of `audio` [N * 2048] int16."""

    frames: Tensor
    audio: Tensor

    def draw(self, batch: int, frames: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Random windows: codes [B, frames, 7] and their audio [B, frames * 2048] between -1 and 1.

        A window may span the end of one utterance and the beginning of the next, as a listener hears joined segments.
        No value is read back, so a CUDA graph can hold the draw."""
        device = self.frames.device
        starts = torch.randint(len(self.frames) - frames + 1, (batch, 1), device=device, generator=generator)
        codes = self.frames[starts + torch.arange(frames, device=device)].long()
        places = starts * SAMPLES_PER_FRAME + torch.arange(frames * SAMPLES_PER_FRAME, device=device)
        return codes, self.audio[places].float() / 32_768

    def save(self, folder: Path) -> None:
        """Write frames.npy and audio.npy."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "frames.npy", self.frames.cpu().numpy())
        np.save(folder / "audio.npy", self.audio.cpu().numpy())

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Aligned":
        """Read what `save` wrote."""
        arrays = [np.load(folder / name) for name in ("frames.npy", "audio.npy")]
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))


def align(codec: SNAC, samples: Any, rows: list[Recording], variants: int, device: torch.device) -> Aligned:
    """Code every recording `variants` times, at random offsets and gains, and keep the audio as it was coded."""
    frames, audio = [], []
    for coded, heard in aligned_pieces(codec, samples, rows, variants, device):
        frames.append(coded)
        audio.append(heard)
    return Aligned(torch.cat(frames), torch.cat(audio))


def aligned_pieces(
    codec: SNAC, samples: Any, rows: list[Recording], variants: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Each coding as (frames [F, 7] int16, audio [F * 2048] int16), the padding of its batch cut off."""
    flat = torch.from_numpy(np.array(samples)).to(device)
    for batch in coded_batches(codec, flat, rows, variants):
        heard = (batch.audio * 32_768).round().clamp(-32_768, 32_767).to(torch.int16)
        for place, count in enumerate(batch.counts):
            yield batch.frames[place, :count], heard[place, : count * SAMPLES_PER_FRAME]
