"""The keys and values of all streams: one slot a stream, allocated once."""

import torch
from torch import Tensor

from token_service.engines.native.weights import LlamaShape


class KvCache:
    """Keys and values of each layer and slot, [2, kv_heads, context, head_dim] fp32. A slot belongs to one stream."""

    def __init__(self, shape: LlamaShape, slots: int, context_tokens: int) -> None:
        size = (shape.layers, slots, 2, shape.kv_heads, context_tokens, shape.head_dim)
        whole = torch.zeros(size)
        self.bytes = whole.nbytes
        self.context_tokens = context_tokens
        self._slots = [[whole[layer, slot] for slot in range(slots)] for layer in range(shape.layers)]
        self._free = list(range(slots))

    @property
    def free_slots(self) -> int:
        """Slots that no stream holds."""
        return len(self._free)

    def take(self) -> int:
        """A free slot; the caller gives it back."""
        return self._free.pop()

    def give_back(self, slot: int) -> None:
        """Frees a slot; what is in it will be overwritten before it is read."""
        self._free.append(slot)

    def write(self, layer: int, slot: int, position: int, keys_values: Tensor) -> None:
        """Stores one token's keys and values, [2, kv_heads, head_dim]."""
        self._slots[layer][slot][:, :, position] = keys_values

    def read(self, layer: int, slot: int, length: int) -> tuple[Tensor, Tensor]:
        """The first `length` keys and values of a slot, views of [1, kv_heads, length, head_dim]."""
        keys, values = self._slots[layer][slot][:, None, :, :length].unbind(0)
        return keys, values
