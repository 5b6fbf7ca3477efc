"""Two families of discriminators: over the wave folded at prime periods, and over spectra at three resolutions."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

PERIODS = (2, 3, 5, 7, 11)
WINDOWS = (512, 1024, 2048)
SLOPE = 0.1


def run(layers: nn.ModuleList, verdict: nn.Module, x: Tensor) -> list[Tensor]:
    """All layers' features and, last, the verdict."""
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        features.append(x)
    return [*features, verdict(x)]


class PeriodDiscriminator(nn.Module):
    """Sees the wave as a picture of [T / period, period]."""

    def __init__(self, period: int, widths: tuple[int, ...] = (1, 32, 64, 128, 256)) -> None:
        super().__init__()
        self.period = period
        pairs = pairwise(widths)
        self.layers = nn.ModuleList(weight_norm(nn.Conv2d(i, o, (5, 1), (3, 1), (2, 0))) for i, o in pairs)
        self.layers.append(weight_norm(nn.Conv2d(widths[-1], widths[-1], (5, 1), 1, (2, 0))))
        self.verdict = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0)))

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Audio [B, T] → features."""
        usable = audio.shape[-1] // self.period * self.period
        folded = audio[:, :usable].unflatten(1, (-1, self.period)).unsqueeze(1)
        return run(self.layers, self.verdict, folded)


class SpectrumDiscriminator(nn.Module):
    """Sees real and imaginary parts of one short-time Fourier transform."""

    def __init__(self, window: int, width: int = 32) -> None:
        super().__init__()
        self.window = window
        self.hann: Tensor
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        shapes = [
            (2, (3, 9), (1, 1)),
            (width, (3, 9), (1, 2)),
            (width, (3, 9), (1, 2)),
            (width, (3, 9), (1, 2)),
            (width, (3, 3), (1, 1)),
        ]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(inputs, width, kernel, stride, (kernel[0] // 2, kernel[1] // 2)))
            for inputs, kernel, stride in shapes
        )
        self.verdict = weight_norm(nn.Conv2d(width, 1, (3, 3), padding=(1, 1)))

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Audio [B, T] → features."""
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(
                audio.float(), self.window, self.window // 4, window=self.hann, return_complex=True, normalized=True
            )
        picture = torch.view_as_real(spectrum).permute(0, 3, 2, 1)
        return run(self.layers, self.verdict, picture)


class Discriminators(nn.Module):
    """All of them together."""

    def __init__(self) -> None:
        super().__init__()
        members = [PeriodDiscriminator(period) for period in PERIODS] + [
            SpectrumDiscriminator(window) for window in WINDOWS
        ]
        self.members = nn.ModuleList(members)

    def forward(self, audio: Tensor) -> list[list[Tensor]]:
        """Audio [B, T] → one list of features a discriminator."""
        return [member(audio) for member in self.members]
