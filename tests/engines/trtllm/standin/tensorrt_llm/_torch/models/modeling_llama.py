"""A Llama that takes the tokens of several sequences in one row, as TensorRT-LLM's does; runs on transformers."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers import LlamaForCausalLM as Reference

from .modeling_utils import register_auto_model


@dataclass
class ModelConfig:
    """What a model class is built from."""

    pretrained_config: Any


@dataclass
class AttentionMetadata:
    """How many tokens of each sequence are in this step, and where their keys and values are kept."""

    seq_lens_cuda: Tensor
    caches: list[DynamicCache] = field(default_factory=list)


@register_auto_model("LlamaForCausalLM")
class LlamaForCausalLM(torch.nn.Module):
    """Logits of each sequence's last token, or of every token where all are asked for."""

    def __init__(self, model_config: ModelConfig) -> None:
        super().__init__()
        self.model_config = model_config
        self.reference = Reference.from_pretrained(
            model_config.pretrained_config.name_or_path, config=model_config.pretrained_config, dtype=torch.float32
        ).eval()

    def forward(
        self,
        attn_metadata: AttentionMetadata,
        input_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        return_context_logits: bool = False,
        spec_metadata: Any = None,
        **keywords: Any,
    ) -> Tensor:
        """Logits [R, V] for the ids [T] of all sequences, one after the other."""
        assert input_ids is not None
        pieces = input_ids.split(attn_metadata.seq_lens_cuda.tolist())
        logits = [
            self.reference(ids[None], past_key_values=cache, use_cache=True).logits[0]
            for ids, cache in zip(pieces, attn_metadata.caches, strict=True)
        ]
        return torch.cat(logits if return_context_logits else [one[-1:] for one in logits])
