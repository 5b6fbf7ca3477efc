"""SNAC's layers as cached convolutions: weights here, each stream's past in a state that is passed in.

Signals are [B, T, C] with channels last: pointwise and transposed convolutions are then plain matrix products, and a
layer's window over past and present is one stretch of memory. Every layer answers for as many samples as it is given.
Where a padded layer of the codec sees zeros beyond the utterance's ends, `mask` (1 inside, 0 outside) makes them.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from audio_service.layout import Layout, Signal


class Snake:
    """x + sin(a x)^2 / a for each channel's a."""

    def __init__(self, module: Any) -> None:
        self._alpha = module.alpha.detach().reshape(-1).clone()
        self._inverse = (self._alpha + 1e-9).reciprocal()

    def into(self, x: Tensor, out: Tensor) -> None:
        """Writes the snake of x [B, T, C] to `out`."""
        torch.addcmul(x, (x * self._alpha).sin_().square_(), self._inverse, out=out)

    def over(self, x: Tensor) -> Tensor:
        """Replaces x [B, T, C] by its snake."""
        return x.addcmul_((x * self._alpha).sin_().square_(), self._inverse)


class Pointwise:
    """A convolution of kernel 1: [B, T, C] to [B, T, D]."""

    def __init__(self, conv: Any) -> None:
        self._weight = conv.weight.detach()[:, :, 0].t().contiguous()
        self._bias = None if conv.bias is None else conv.bias.detach().clone()

    def __call__(self, x: Tensor) -> Tensor:
        """The product, with the bias where there is one."""
        flat = x.reshape(-1, x.shape[-1])
        y = flat @ self._weight if self._bias is None else torch.addmm(self._bias, flat, self._weight)
        return y.view(*x.shape[:-1], -1)


class Convolution:
    """A same-length convolution that answers (kernel - 1) * dilation / 2 samples late: [B, T, C] to [B, T, D]."""

    def __init__(self, conv: Any, layout: Layout, signal: Signal) -> None:
        self._dilation = conv.dilation[0]
        self._groups = conv.groups
        past = (conv.kernel_size[0] - 1) * self._dilation
        self.window = layout.window(past, conv.in_channels)
        self.signal = signal.widened(past // 2)
        weight = conv.weight.detach().unsqueeze(2)
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._bias = conv.bias.detach().clone()

    def __call__(self, buffer: Tensor) -> Tensor:
        """Convolves a window with its new samples [B, past + T, C]."""
        image = buffer.transpose(1, 2).unsqueeze(2)
        y = F.conv2d(image, self._weight, self._bias, dilation=(1, self._dilation), groups=self._groups)
        return y.squeeze(2).transpose(1, 2)


class Entry:
    """The codec's first convolution, over the latents."""

    def __init__(self, conv: Any, layout: Layout, signal: Signal) -> None:
        self._convolution = Convolution(conv, layout, signal)
        self.signal = self._convolution.signal

    def __call__(self, x: Tensor, state: Tensor) -> Tensor:
        """Latents [B, T, C], zero outside the utterance, to [B, T, D]."""
        window = self._convolution.window
        buffer = window.opened(state, x.shape[1])
        buffer[:, window.past :] = x
        window.kept(state, buffer)
        return self._convolution(buffer)


class Upsampling:
    """Snake, a transposed convolution of kernel 2 * stride as a product over two neighbours, and noise."""

    def __init__(self, snake: Any, conv: Any, noise: Any | None, layout: Layout, signal: Signal) -> None:
        stride, channels = conv.stride[0], conv.out_channels
        self._snake = Snake(snake)
        self._window = layout.window(1, conv.in_channels)
        self._noise = None if noise is None else Pointwise(noise.linear)
        self._channels = channels
        self.signal = signal.upsampled(stride, conv.padding[0])
        weight = conv.weight.detach()  # [C, D, 2 * stride]
        older, newer = weight[:, :, stride:], weight[:, :, :stride]
        # As [outputs, inputs], which is the faster way round where few samples meet many weights.
        self._weight = torch.cat([older, newer]).permute(2, 1, 0).reshape(stride * channels, -1).contiguous()
        self._bias = conv.bias.detach().repeat(stride)

    def __call__(self, x: Tensor, state: Tensor, noise: Tensor, mask: Tensor) -> Tensor:
        """x [B, T, C], noise and mask [B, T * stride, 1], to [B, T * stride, D]; x and the result are masked."""
        rows, count, channels = x.shape
        buffer = self._window.opened(state, count)
        self._snake.into(x, buffer[:, 1:])
        self._window.kept(state, buffer)
        pairs = buffer.as_strided((rows, count, 2 * channels), (buffer.stride(0), channels, 1))
        y = F.linear(pairs.reshape(-1, 2 * channels), self._weight, self._bias).view(rows, -1, self._channels)
        if self._noise is not None:
            y.addcmul_(self._noise(y), noise)
        return y.mul_(mask)


class Residual:
    """Snake, a dilated convolution, snake, a pointwise one, added to what came in (as late as the sum)."""

    def __init__(self, unit: Any, layout: Layout, signal: Signal) -> None:
        first, convolution, second, pointwise = unit.block
        self._first, self._second = Snake(first), Snake(second)
        self._convolution = Convolution(convolution, layout, signal)
        self._weight = pointwise.weight.detach()[:, :, 0].t().contiguous()
        self._bias = pointwise.bias.detach().clone()
        self._skip = layout.window(self._convolution.window.past // 2, pointwise.out_channels)
        self.signal = self._convolution.signal

    def __call__(self, x: Tensor, state: Tensor, mask: Tensor) -> Tensor:
        """x [B, T, C], zero outside the utterance, to [B, T, C], masked likewise."""
        window, count = self._convolution.window, x.shape[1]
        buffer = window.opened(state, count)
        self._first.into(x, buffer[:, window.past :])
        window.kept(state, buffer)
        skip = self._skip.opened(state, count)
        torch.add(x, self._bias, out=skip[:, self._skip.past :])
        self._skip.kept(state, skip)
        y = self._second.over(self._convolution(buffer))
        flat = skip[:, :count].reshape(-1, x.shape[2])
        return torch.addmm(flat, y.reshape(flat.shape), self._weight).view(x.shape).mul_(mask)


class Exit:
    """Snake, the convolution to one channel, tanh: [B, T, C] to PCM [B, T]."""

    def __init__(self, snake: Any, conv: Any, layout: Layout, signal: Signal) -> None:
        self._snake = Snake(snake)
        self._taps = conv.kernel_size[0]
        self._window = layout.window(self._taps - 1, conv.in_channels)
        self._weight = conv.weight.detach()[0].contiguous()  # [C, taps]
        self._bias = conv.bias.detach().clone()
        self.signal = signal.widened(self._window.past // 2)

    def __call__(self, x: Tensor, state: Tensor) -> Tensor:
        """x [B, T, C], zero outside the utterance, to audio in -1..1."""
        count = x.shape[1]
        buffer = self._window.opened(state, count)
        self._snake.into(x, buffer[:, self._window.past :])
        self._window.kept(state, buffer)
        taps = (buffer @ self._weight).transpose(1, 2)  # [B, taps, past + T]
        y: Tensor = taps[:, 0, :count] + self._bias
        for tap in range(1, self._taps):
            y += taps[:, tap, tap : tap + count]
        return y.tanh_()
