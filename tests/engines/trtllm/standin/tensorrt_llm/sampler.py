"""Draws as each release's sampler does: what a release ignores is ignored here, too."""

from typing import Any

import torch
from torch import Tensor

from .contract import release

# Before 1.3.0rc24 the sampler of the PyTorch backend took penalties, before rc25 seeds, and did nothing with them.
IGNORES = {"1.2.1": {"penalty", "seed"}, "1.3.0rc22": {"penalty", "seed"}, "1.3.0rc24": {"seed"}}
# One that takes seeds only is no release, but nothing says that it never will be.
IGNORES["1.3.0rc0"] = {"penalty"}


class Sampler:
    """One for each request."""

    def __init__(self, params: Any, prompt: list[int], sampler_type: str | None) -> None:
        ignored = IGNORES.get(release().version, set()) if sampler_type != "TRTLLMSampler" else set()
        self._params = params
        self._penalty = 1.0 if "penalty" in ignored else params.repetition_penalty or 1.0
        self._seen = list(prompt)
        self._drawn = 0
        self._generator = torch.Generator()
        if "seed" in ignored:
            self._generator.seed()
        else:
            self._generator.manual_seed(params.seed or 0)

    def draw(self, logits: Tensor) -> int:
        """One id from logits [V]."""
        logits = logits.clone()
        seen = torch.tensor(sorted(set(self._seen)))
        logits[seen] = torch.where(logits[seen] >= 0, logits[seen] / self._penalty, logits[seen] * self._penalty)
        if self._drawn < (self._params.min_tokens or 0):
            logits[self._params.end_id] = float("-inf")
        self._seen.append(self._pick(logits))
        self._drawn += 1
        return self._seen[-1]

    def _pick(self, logits: Tensor) -> int:
        params = self._params
        if params.top_k == 1 or params.temperature in (0, None):
            return int(logits.argmax())
        probability, order = (logits / params.temperature).softmax(-1).sort(descending=True)
        if params.top_k:
            probability[params.top_k :] = 0
        if params.top_p is not None:
            probability[(probability.cumsum(-1) - probability) >= params.top_p] = 0
        return int(order[torch.multinomial(probability, 1, generator=self._generator)])
