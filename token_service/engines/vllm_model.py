"""The Llama of vLLM with the slot grammar in its head (law 3). Runs in vLLM's worker process.

vLLM asks a model for logits of some rows of hidden states, and does not say which token each row saw last. So
`forward`, which does see the ids, writes each row's slot into an extra column of the hidden states. It is inside the
CUDA graph; the column travels wherever vLLM copies or selects rows. Slots 0..6 are exact in every float type.
"""

from typing import Any

import torch
from torch import Tensor
from vllm.config import VllmConfig
from vllm.model_executor.models.llama import LlamaForCausalLM

NEVER = float("-inf")
# One column would do; eight keep rows aligned to 16 bytes in 2-byte types.
EXTRA_COLUMNS = 8


class SwaraForCausalLM(LlamaForCausalLM):
    """Logits over the whole vocabulary [R, V], finite for the legal ids of each row's slot and nowhere else."""

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        config = vllm_config.model_config.hf_config
        self._end_id: int = config.swara_end_id
        self._base_id: int = config.swara_code_base_id
        self._size: int = config.swara_codebook_size
        self._slots: int = config.swara_slots
        self._hidden: int = config.hidden_size

    def forward(self, input_ids: Tensor, *arguments: Any, **keywords: Any) -> Tensor:
        """Hidden states [T, hidden + EXTRA_COLUMNS] of T tokens, the slot that follows each in the first extra one."""
        hidden: Tensor = super().forward(input_ids, *arguments, **keywords)
        slots = self._slot_after(input_ids).to(hidden.dtype)
        return torch.cat([hidden, slots[:, None].expand(-1, EXTRA_COLUMNS)], dim=1)

    def compute_logits(self, hidden_states: Tensor) -> Tensor:
        """Logits [R, V] of R rows.

        Of the head only the rows of codes and END_OF_SPEECH are read: of Orpheus' 156,940 that is a fifth, and on a GPU
        reading the head is what this costs.
        """
        hidden = hidden_states[:, : self._hidden].contiguous()
        slots = hidden_states[:, self._hidden].long()
        head = self.lm_head.weight
        logits = hidden.new_full((len(hidden), self.config.vocab_size), NEVER)
        self._write_codes(logits[:, self._base_id : self._base_id + self._slots * self._size], hidden, slots)
        end = torch.mv(hidden, head[self._end_id])
        logits[:, self._end_id] = end.masked_fill_(slots != 0, NEVER)
        return logits

    def _write_codes(self, logits: Tensor, hidden: Tensor, slots: Tensor) -> None:
        """Fills the columns of codes, [R, slots * size]: each row's own slot from hidden [R, hidden], the others never.

        A batch has streams at every slot, so it reads all the rows of codes once: 176 MB at Orpheus' shape in bf16. One
        stream needs a seventh of them, which with the copy that an index on the device takes is 75 MB.
        """
        codes = logits.view(len(hidden), self._slots, self._size)
        head = self.lm_head.weight[self._base_id : self._base_id + self._slots * self._size]
        if len(hidden) == 1:
            own = head.view(self._slots, self._size, -1).index_select(0, slots)
            codes[0].index_copy_(0, slots, torch.nn.functional.linear(hidden, own[0]))
            return
        foreign = torch.arange(self._slots, device=slots.device) != slots[:, None]
        every = torch.nn.functional.linear(hidden, head).view_as(codes)
        codes.copy_(every.masked_fill_(foreign[:, :, None], NEVER))

    def _slot_after(self, ids: Tensor) -> Tensor:
        """The slot [T] of the token after each of the ids [T]: 0 after any id that is not a code."""
        place = ids - self._base_id
        is_code = (place >= 0) & (place < self._slots * self._size)
        return torch.where(is_code, (place // self._size + 1) % self._slots, 0)
