"""The LLM of engine directories, which 1.2 was the last to have: masks come by a batched logits processor."""

import json
from pathlib import Path
from typing import Any

import torch

from .contract import FromContract, release
from .llm import LLM as _LLM
from .llm import Request

if "TrtLlmArgs" not in release().fields:
    raise ModuleNotFoundError("No module named 'tensorrt_llm._tensorrt_engine'")


class TrtLlmArgs(FromContract):
    """The arguments of this LLM."""


class LLM(_LLM):
    """Runs the checkpoint that an engine's config.json names in the stand-in's own key."""

    def __init__(self, model: str, **arguments: Any) -> None:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
        super().__init__(config["standin_checkpoint"], **arguments)
        self.args.sampler_type = "TRTLLMSampler"

    def _checked(self, model: str, arguments: dict[str, Any]) -> Any:
        return TrtLlmArgs(model=model, **arguments)

    def _masked(self, logits: torch.Tensor, batch: list[Request]) -> torch.Tensor:
        chosen = [k for k, request in enumerate(batch) if request.params.apply_batched_logits_processor]
        rows = [logits[k][None, None] for k in chosen]
        ids = [[batch[k].all_ids] for k in chosen]
        numbers = [batch[k].result.request_id for k in chosen]
        self.args.batched_logits_processor(numbers, rows, ids, None, numbers)
        return logits
