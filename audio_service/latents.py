"""Codes to latents: the sum of three codebooks' entries, each held as long as its level's codes last."""

from typing import Any

import torch
from torch import Tensor

from swara.frames import LEVEL_SLOTS


class Latents:
    """Codes [B, F, 7] to latents [B, 4 F, D]."""

    def __init__(self, quantizer: Any) -> None:
        levels = quantizer.quantizers
        self._books = torch.cat([level.codebook.weight.detach() for level in levels])  # [3 * codes, 8]
        projections = [level.out_proj for level in levels]
        self._weight = torch.cat([p.weight.detach()[:, :, 0].t() for p in projections]).contiguous()  # [3 * 8, D]
        self._bias = torch.stack([p.bias.detach() for p in projections]).sum(0)
        device = self._books.device
        # Which slot each of a frame's four latents takes from each level: [4, 3].
        places = [torch.tensor(slots).repeat_interleave(4 // len(slots)) for slots in LEVEL_SLOTS]
        self._slots = torch.stack(places, 1).to(device)
        self._starts = (torch.arange(len(levels)) * levels[0].codebook.num_embeddings).to(device)

    def __call__(self, codes: Tensor) -> Tensor:
        """Latents [B, 4 F, D] of codes [B, F, 7] int64."""
        entries = self._books[codes[:, :, self._slots] + self._starts]  # [B, F, 4, 3, 8]
        rows, frames = codes.shape[:2]
        return torch.addmm(self._bias, entries.view(rows * frames * 4, -1), self._weight).view(rows, frames * 4, -1)
