"""The slot mask for engines that are compiled and cannot be given our model class: a batched logits processor.

It runs in Python once a step, for all streams, so it is slower than the class; engine directories have no other way.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from swara.profile import Profile
from token_service.engines.slot_mask import SlotMask


class SlotMaskProcessor:
    """Called by TensorRT-LLM before each draw; changes the logits in place."""

    def __init__(self, profile: Profile) -> None:
        self._mask = SlotMask(profile.end_of_speech_id, profile.code_base_id, profile.codebook_size, profile.slots)

    def __call__(
        self,
        req_ids: list[int],
        logits: list[Tensor],
        token_ids: list[list[list[int]]],
        stream_ptr: int | None,
        client_ids: list[int | None],
    ) -> None:
        """Masks each request's logits [..., V] by the last of its ids [beam][length]."""
        with _on_stream(stream_ptr):
            for one, ids in zip(logits, token_ids, strict=True):
                rows = one.view(-1, one.shape[-1])
                last_ids = torch.tensor([beam[-1] for beam in ids], device=one.device).expand(len(rows))
                rows.copy_(self._mask.applied(rows, last_ids))


def _on_stream(stream_ptr: int | None) -> AbstractContextManager[object]:
    """The CUDA stream that the logits belong to."""
    return torch.cuda.stream(torch.cuda.ExternalStream(stream_ptr)) if stream_ptr else nullcontext()
