"""The slot grammar as tensor arithmetic: what may follow each row's last id, on whatever device the ids are."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

NEVER = float("-inf")


@dataclass(frozen=True)
class SlotMask:
    """Token id = base_id + slot * size + code; END_OF_SPEECH is legal at slot 0."""

    end_id: int
    base_id: int
    size: int
    slots: int

    @classmethod
    def of_config(cls, config: Any) -> "SlotMask":
        """From a config that carries the `swara_*` keys."""
        return cls(config.swara_end_id, config.swara_code_base_id, config.swara_codebook_size, config.swara_slots)

    def slot_after(self, ids: Tensor) -> Tensor:
        """The slot [R] of the token after each of the ids [R]: 0 after any id that is not a code."""
        place = ids - self.base_id
        is_code = (place >= 0) & (place < self.slots * self.size)
        return torch.where(is_code, (place // self.size + 1) % self.slots, 0)

    def applied(self, logits: Tensor, last_ids: Tensor) -> Tensor:
        """Logits [R, V] after the ids [R], -inf wherever the grammar forbids."""
        slots = self.slot_after(last_ids.long())[:, None]
        ids = torch.arange(logits.shape[-1], device=logits.device)
        place = ids - self.base_id
        legal = (place >= slots * self.size) & (place < (slots + 1) * self.size)
        legal |= (ids == self.end_id) & (slots == 0)
        return logits.masked_fill(~legal, NEVER)
