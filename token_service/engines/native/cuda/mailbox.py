"""Copies from the host to the device that nobody waits for: pinned memory, used again when its last copy is done."""

import torch
from torch import Tensor

# As many copies may be on their way as 256 streams take that join at once, three each, behind a frame that is running.
BUFFERS = 1024
_ALIGNED_BYTES = 256


class Mailbox:
    """A ring of pinned buffers. Without a CUDA device it copies at once. Used by one thread, on its current stream."""

    def __init__(self, device: torch.device, buffer_bytes: int) -> None:
        self._ring: list[tuple[Tensor, torch.cuda.Event]] = []
        self._next = 0
        if device.type == "cuda":
            each = -(-buffer_bytes // _ALIGNED_BYTES) * _ALIGNED_BYTES
            whole = torch.empty(BUFFERS, each, dtype=torch.uint8, pin_memory=True)
            self._ring = [(buffer, torch.cuda.Event()) for buffer in whole]

    def post(self, values: Tensor, target: Tensor) -> None:
        """Copies values, of the target's type and shape, in the order of the stream."""
        if not self._ring:
            target.copy_(values)
            return
        buffer, sent = self._ring[self._next]
        self._next = (self._next + 1) % len(self._ring)
        sent.synchronize()  # returns at once for a copy that was never made or is done
        pinned = buffer[: values.nbytes].view(values.dtype).view(values.shape)
        pinned.copy_(values)
        target.copy_(pinned, non_blocking=True)
        sent.record()
