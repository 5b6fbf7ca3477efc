"""The codec under training: SNAC with its quantiser's losses, revival of unused codes, and use figures."""

from dataclasses import dataclass, field
from typing import Any

import torch
from snac import SNAC
from torch import Tensor, nn
from torch.nn import functional as F

from demo_model.blueprint import CODEC_CONFIG

COMMITMENT = 0.25


@dataclass
class Quantised:
    """What the quantiser made of a batch of latents."""

    latents: Tensor
    codes: list[Tensor]
    projected: list[Tensor]
    loss: Tensor


def build_codec(config: dict[str, Any] = CODEC_CONFIG) -> SNAC:
    """A fresh codec of the shipped shape."""
    return SNAC(**config)


def quantise(codec: SNAC, latents: Tensor) -> Quantised:
    """Latents [B, C, L] → quantised latents of the same shape, codes per level, and the codebooks' loss."""
    residual, total, loss = latents, torch.zeros_like(latents), latents.new_zeros(())
    codes, projected = [], []
    for quantizer in codec.quantizer.quantizers:
        pooled = F.avg_pool1d(residual, quantizer.stride, quantizer.stride)
        encoded = quantizer.in_proj(pooled)
        chosen, indices = quantizer.decode_latents(encoded)
        loss = loss + COMMITMENT * F.mse_loss(encoded, chosen.detach()) + F.mse_loss(chosen, encoded.detach())
        part = quantizer.out_proj(encoded + (chosen - encoded).detach()).repeat_interleave(quantizer.stride, dim=-1)
        residual, total = residual - part, total + part
        codes.append(indices)
        projected.append(encoded.detach())
    return Quantised(total, codes, projected, loss)


@dataclass
class CodebookUse:
    """A moving count of how often each code is chosen; rare ones are moved onto live latents."""

    levels: int
    size: int
    decay: float = 0.98
    rare: float = 0.05
    counts: list[Tensor] = field(default_factory=list)

    def observe(self, codes: list[Tensor]) -> None:
        """Count one batch of codes per level."""
        fresh = [torch.bincount(level.flatten(), minlength=self.size).float() for level in codes]
        if not self.counts:
            self.counts = fresh
        self.counts = [old.lerp(new, 1 - self.decay) for old, new in zip(self.counts, fresh, strict=True)]

    def perplexities(self) -> list[float]:
        """Per level, how many codes are in even use."""
        shares = [count / count.sum() for count in self.counts]
        return [round(float((-(share * (share + 1e-12).log()).sum()).exp()), 1) for share in shares]

    @torch.no_grad()
    def revive(self, codec: SNAC, projected: list[Tensor]) -> None:
        """Move each code used under `rare` of its even share onto a random latent of this batch."""
        for quantizer, encoded, count in zip(codec.quantizer.quantizers, projected, self.counts, strict=True):
            dead = count < self.rare * count.mean()
            rows = encoded.transpose(1, 2).flatten(0, 1)
            drawn = rows[torch.randint(len(rows), (self.size,), device=rows.device)]
            quantizer.codebook.weight.copy_(torch.where(dead[:, None], drawn, quantizer.codebook.weight))
            count.copy_(torch.where(dead, count.mean(), count))


class MovingAverage:
    """An exponential moving average of a module's state, kept beside it."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Follow the module; the first steps count for more, so that the start is soon forgotten."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        fresh = module.state_dict()
        pairs = [(self.state[name], fresh[name]) for name in self.state if fresh[name].is_floating_point()]
        torch._foreach_lerp_([old for old, _ in pairs], [new for _, new in pairs], weight)
