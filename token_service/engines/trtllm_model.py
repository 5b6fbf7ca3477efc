"""The Llama of TensorRT-LLM's PyTorch backend with the slot grammar in its logits (law 3).

TensorRT-LLM samples from what a model's `forward` returns, so that is where the mask is: inside the CUDA graph, and
before penalties and draws. Importing this module registers the class.
"""

from typing import Any

import torch
from tensorrt_llm._torch.models.modeling_llama import LlamaForCausalLM
from tensorrt_llm._torch.models.modeling_utils import register_auto_model
from torch import Tensor

from token_service.engines.slot_mask import SlotMask
from token_service.engines.trtllm_folder import ARCHITECTURE


@register_auto_model(ARCHITECTURE)
class SwaraForCausalLM(LlamaForCausalLM):
    """Logits over the whole vocabulary, finite for the legal ids of each row's slot and nowhere else."""

    def __init__(self, model_config: Any) -> None:
        super().__init__(model_config)
        self._slot_mask = SlotMask.of_config(model_config.pretrained_config)

    def forward(self, attn_metadata: Any, input_ids: Tensor | None = None, *arguments: Any, **keywords: Any) -> Tensor:
        """Logits [R, V]: one row for each sequence's last token, or one a token where all are asked for."""
        logits: Tensor = super().forward(attn_metadata, input_ids, *arguments, **keywords)
        assert input_ids is not None, "a model of text and codes is never given embeddings"
        seen = input_ids
        if len(logits) != len(seen):
            seen = seen[torch.cumsum(attn_metadata.seq_lens_cuda, dim=0, dtype=torch.long)[: len(logits)] - 1]
        return self._slot_mask.applied(logits, seen)
