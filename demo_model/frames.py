"""Between SNAC's three levels and Orpheus frames of seven codes."""

import torch
from torch import Tensor

LEVEL_SLOTS = ((0,), (1, 4), (2, 3, 5, 6))
"""Which slots of a frame hold the codes of levels 1, 2 and 3, in their order in time."""


def levels_to_frames(levels: list[Tensor]) -> Tensor:
    """Codes per level [B, F], [B, 2F], [B, 4F] → frames [B, F, 7]."""
    batch, count = levels[0].shape
    frames = torch.empty(batch, count, 7, dtype=levels[0].dtype, device=levels[0].device)
    for slots, codes in zip(LEVEL_SLOTS, levels, strict=True):
        frames[:, :, list(slots)] = codes.view(batch, count, len(slots))
    return frames


def frames_to_levels(frames: Tensor) -> list[Tensor]:
    """Frames [B, F, 7] → codes per level [B, F], [B, 2F], [B, 4F]."""
    return [torch.stack([frames[:, :, slot] for slot in slots], dim=-1).flatten(1) for slots in LEVEL_SLOTS]
