"""Losses of the codec: multi-resolution log-mel distance, and the least-squares game with feature matching."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WINDOWS = (64, 128, 256, 512, 1024, 2048)
BANDS = (8, 16, 32, 64, 100, 160)
FLOOR = 1e-3
"""Of a mel magnitude; white noise at -56 dB lies there. A logarithm's gradient grows as sounds fade: at 1e-4 the pauses
pulled three to eleven times as hard at the decoder as all speech did, though they are a tenth to a quarter of the time;
at 1e-3 one to three times."""
SMALLEST_SIZE = 1e-3
"""Of a layer's features together: no division by nothing."""
Features = list[list[Tensor]]


def mel_filters(bands: int, window: int, sample_rate_hz: int) -> Tensor:
    """Triangular mel filters [bands, window // 2 + 1], each of unit sum where it has any bin."""
    top = 2595 * math.log10(1 + sample_rate_hz / 2 / 700)
    centres = 700 * (10 ** (torch.linspace(0, top, bands + 2) / 2595) - 1)
    bins = torch.linspace(0, sample_rate_hz / 2, window // 2 + 1)
    rising = (bins - centres[:-2, None]) / (centres[1:-1] - centres[:-2])[:, None]
    falling = (centres[2:, None] - bins) / (centres[2:] - centres[1:-1])[:, None]
    filters = torch.minimum(rising, falling).clamp(min=0)
    return filters / filters.sum(1, keepdim=True).clamp(min=1e-3)


class MelLoss(nn.Module):
    """Sum over resolutions of the mean absolute difference of log10 mel magnitudes."""

    def __init__(self, sample_rate_hz: int) -> None:
        super().__init__()
        for window, bands in zip(WINDOWS, BANDS, strict=True):
            self.register_buffer(f"window{window}", torch.hann_window(window), persistent=False)
            self.register_buffer(f"filters{window}", mel_filters(bands, window, sample_rate_hz), persistent=False)

    def mel(self, audio: Tensor, window: int) -> Tensor:
        """Audio [B, T] → log10 mel magnitudes [B, bands, frames]."""
        spectrum = torch.stft(
            audio, window, window // 4, window=getattr(self, f"window{window}"), return_complex=True, normalized=True
        )
        magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
        filters: Tensor = getattr(self, f"filters{window}")
        return (filters @ magnitude).clamp(min=FLOOR).log10()

    def forward(self, made: Tensor, true: Tensor) -> Tensor:
        """Two batches of audio [B, T] → their distance."""
        return torch.stack([F.l1_loss(self.mel(made, w), self.mel(true, w)) for w in WINDOWS]).sum()


def discriminator_loss(true: Features, made: Features) -> Tensor:
    """Each discriminator's last feature is its verdict: true should be 1, made 0."""
    losses = [
        (1 - t[-1].float()).square().mean() + m[-1].float().square().mean() for t, m in zip(true, made, strict=True)
    ]
    return torch.stack(losses).mean()


def adversarial_loss(made: Features) -> Tensor:
    """What the codec pays for not being taken for true."""
    return torch.stack([(1 - m[-1].float()).square().mean() for m in made]).mean()


def feature_loss(true: Features, made: Features) -> Tensor:
    """Mean absolute difference of the discriminators' inner features, each relative to its size; every discriminator
    counts the same. Only the made ones are pulled."""
    return torch.stack([relative_distances(t[:-1], m[:-1]).mean() for t, m in zip(true, made, strict=True)]).mean()


def relative_distances(true: list[Tensor], made: list[Tensor]) -> Tensor:
    """The same of one discriminator, layer by layer."""
    distances: Tensor = RelativeDistances.apply([t.detach() for t in true], *made)
    return distances


class RelativeDistances(torch.autograd.Function):
    """sum |made - true| / sum |true| of every layer at once. Written layer by layer with its gradient left to autograd,
    it was a quarter of a training step's kernels."""

    @staticmethod
    def forward(ctx: Any, true: list[Tensor], *made: Tensor) -> Tensor:
        """Features of equal shapes → [layers] in float32."""
        differences = torch._foreach_sub(made, true)
        sizes = torch.stack(torch._foreach_norm(true, 1)).float().clamp(min=SMALLEST_SIZE)
        ctx.signs, ctx.sizes = torch._foreach_sign(differences), sizes
        return torch.stack(torch._foreach_norm(differences, 1)).float() / sizes

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """A feature is pulled towards the true one by a constant."""
        pulls = (gradient / ctx.sizes).unbind()
        return None, *(sign * pull.to(sign.dtype) for sign, pull in zip(ctx.signs, pulls, strict=True))
