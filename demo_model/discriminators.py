"""Two families of discriminators: over the wave folded at prime periods, and over the bands of complex spectra at three
resolutions."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

PERIODS = (2, 3, 5, 7, 11)
PERIOD_WIDTHS = (1, 32, 64, 192, 384)
WINDOWS = (512, 1024, 2048)
BANDS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Edges of the bands as shares of half the sample rate; each band has filters of its own."""
SPECTRUM_WIDTH = 32
SLOPE = 0.1


def features_of(layers: nn.ModuleList, x: Tensor) -> list[Tensor]:
    """The output of every layer."""
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        features.append(x)
    return features


class PeriodDiscriminator(nn.Module):
    """Sees the wave as a picture of [T / period, period]."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        last = PERIOD_WIDTHS[-1]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, (5, 1), (3, 1), (2, 0))) for i, o in pairwise(PERIOD_WIDTHS)
        )
        self.layers.append(weight_norm(nn.Conv2d(last, last, (5, 1), 1, (2, 0))))
        self.verdict = weight_norm(nn.Conv2d(last, 1, (3, 1), 1, (1, 0)))

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Audio [B, T] → features, the verdict last."""
        usable = audio.shape[-1] // self.period * self.period
        folded = audio[:, :usable].unflatten(1, (-1, self.period)).unsqueeze(1)
        features = features_of(self.layers, folded)
        return [*features, self.verdict(features[-1])]


def band_layers() -> nn.ModuleList:
    """The filters of one band; the middle three halve its frequencies."""
    width = SPECTRUM_WIDTH
    shapes = [(2, (3, 9), 1), (width, (3, 9), 2), (width, (3, 9), 2), (width, (3, 9), 2), (width, (3, 3), 1)]
    return nn.ModuleList(
        weight_norm(nn.Conv2d(inputs, width, kernel, (1, stride), (kernel[0] // 2, kernel[1] // 2)))
        for inputs, kernel, stride in shapes
    )


class BandDiscriminator(nn.Module):
    """Sees real and imaginary parts of one short-time Fourier transform, each band with its own filters."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.edges = [(int(low * bins), int(high * bins)) for low, high in pairwise(BANDS)]
        self.bands = nn.ModuleList(band_layers() for _ in self.edges)
        self.verdict = weight_norm(nn.Conv2d(SPECTRUM_WIDTH, 1, (3, 3), padding=(1, 1)))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Spectrum [B, 2, frames, bins] → features of all bands, one verdict over them last."""
        features, ends = [], []
        for (low, high), layers in zip(self.edges, self.bands, strict=True):
            assert isinstance(layers, nn.ModuleList)
            seen = features_of(layers, picture[..., low:high])
            features += seen
            ends.append(seen[-1])
        return [*features, self.verdict(torch.cat(ends, dim=-1))]


class SpectrumDiscriminator(nn.Module):
    """The transform, always in float32, in front of its band discriminator.

    It is not normalised: speech's values above 1.2 kHz would be a hundredth, hidden for thousands of steps under fresh
    filters' biases of a tenth, and features that are mostly bias are alike whatever is heard."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.hann: Tensor
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        self.judge = BandDiscriminator(window // 2 + 1)

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Audio [B, T] → features, the verdict last."""
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(audio.float(), self.window, self.window // 4, window=self.hann, return_complex=True)
            picture = torch.view_as_real(spectrum).permute(0, 3, 2, 1)
        features: list[Tensor] = self.judge(picture)
        return features


class Discriminators(nn.Module):
    """All of them together."""

    def __init__(self) -> None:
        super().__init__()
        self.periods = nn.ModuleList(PeriodDiscriminator(period) for period in PERIODS)
        self.spectra = nn.ModuleList(SpectrumDiscriminator(window) for window in WINDOWS)

    def forward(self, audio: Tensor) -> list[list[Tensor]]:
        """Audio [B, T] → one list of features a discriminator."""
        return [member(audio) for member in [*self.periods, *self.spectra]]
