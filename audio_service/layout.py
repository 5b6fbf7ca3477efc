"""Where each layer's past lies in a stream's state, and which places of the utterance a step's samples stand for.

A stream's state is one flat row of floats. A layer that looks back owns a `Window` of it. A layer that would look ahead
answers late instead, so every signal inside the codec lags behind the frames by a fixed delay: a `Signal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """A signal inside the codec.

    A step that begins with frame f brings its samples from f * rate - delay on. After a start in the middle of an
    utterance the first `warm_up` samples from the starting frame's own first on are not exact.
    """

    rate: int
    delay: int = 0
    warm_up: int = 0

    def widened(self, samples: int) -> "Signal":
        """After a convolution that reaches this many samples to either side."""
        return Signal(self.rate, self.delay + samples, self.warm_up + samples)

    def upsampled(self, stride: int, padding: int) -> "Signal":
        """After a transposed convolution with kernel 2 * stride that cuts `padding` samples off its start."""
        return Signal(self.rate * stride, self.delay * stride + padding, (self.warm_up + 1) * stride - padding)


@dataclass(frozen=True)
class Window:
    """The last `past` samples of a signal, as a stretch of the flat state."""

    offset: int
    past: int
    channels: int

    def opened(self, state: Tensor, fresh: int) -> Tensor:
        """A buffer [B, past + fresh, C] whose first `past` samples come from the state [B, S]; fill in the rest."""
        buffer = state.new_empty(state.shape[0], self.past + fresh, self.channels)
        buffer[:, : self.past] = self._of(state)
        return buffer

    def kept(self, state: Tensor, buffer: Tensor) -> None:
        """Stores the last `past` samples of the buffer in the state [B, S]."""
        self._of(state).copy_(buffer[:, buffer.shape[1] - self.past :])

    def _of(self, state: Tensor) -> Tensor:
        stretch = state[:, self.offset : self.offset + self.past * self.channels]
        return stretch.view(-1, self.past, self.channels)


class Layout:
    """Hands out windows while a decoder is built; `floats` is then the size of one stream's state."""

    def __init__(self) -> None:
        self.floats = 0

    def window(self, past: int, channels: int) -> Window:
        """The next free stretch of the state."""
        window = Window(self.floats, past, channels)
        self.floats += past * channels
        return window


class Places:
    """The absolute positions of several signals' samples in a step of `frames` frames, side by side in one tensor."""

    def __init__(self, signals: Sequence[Signal], frames: int, device: torch.device) -> None:
        self._lengths = [signal.rate * frames for signal in signals]
        counts = torch.tensor(self._lengths)
        self.signals = torch.arange(len(signals)).repeat_interleave(counts).to(device)
        self.rates = torch.tensor([signal.rate for signal in signals]).repeat_interleave(counts).to(device)
        self._offsets = torch.cat([torch.arange(s.rate * frames) - s.delay for s in signals]).to(device)

    def positions(self, first_frame: Tensor) -> Tensor:
        """Positions [B, N] for steps that begin with these frames [B]."""
        return torch.addcmul(self._offsets, first_frame[:, None], self.rates)

    def split(self, values: Tensor) -> list[Tensor]:
        """Values [B, N] as one [B, T, 1] per signal."""
        return [part.unsqueeze(-1) for part in values.split(self._lengths, dim=1)]
