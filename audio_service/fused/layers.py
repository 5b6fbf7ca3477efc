"""The codec's layers as launches of kernels: weights here, prepared once, and what each kernel is told.

Each layer takes a signal [B, T, C] and fills another; the past it needs is a window of the states [slots, S], read from
one slot and written to another, as the plan says for each row.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from triton import cdiv, next_power_of_2

from audio_service.fused import kernels
from audio_service.fused.launches import launched
from audio_service.fused.precision import Matrix, Precision, prepared
from audio_service.fused.tiles import KEPT, Product, Tile, Tiling
from audio_service.layout import Layout, Signal, Window
from swara.frames import LEVEL_SLOTS

# Up to here the noise block's matrix fits beside the upsampling's tile; wider ones are a kernel of their own.
WIDEST_FUSED_CHANNELS = 128
_ALIGNED_FLOATS = 32  # windows begin at multiples of 128 bytes


@dataclass(frozen=True)
class Step:
    """The memory of one step: B rows, F frames. `plan` [B, P] int64, `states` [slots, S]; and what is done
    with its kernels.
    """

    plan: Tensor
    states: Tensor
    frames: int
    start: Callable[..., None] = launched

    @property
    def rows(self) -> int:
        """B."""
        return self.plan.shape[0]


@dataclass(frozen=True)
class Build:
    """What every layer is built with."""

    layout: Layout
    precision: Precision
    tiling: Tiling
    fast_sine: bool

    def window(self, past: int, channels: int) -> Window:
        """The next stretch of the state, at a border that wide loads need."""
        self.layout.window(-self.layout.floats % _ALIGNED_FLOATS, 1)
        return self.layout.window(past, channels)

    def matrix(self, weight: Tensor) -> Matrix:
        """A matrix [N, K] for the tensor cores."""
        return prepared(weight.detach().float(), self.precision)


class Layer:
    """What all layers share: where their result lies in time, and how they are cut into programs."""

    signal: Signal

    def __init__(self, build: Build) -> None:
        self._build = build

    def _cut(self, step: Step, product: Product, window: Window) -> tuple[Tile, int, int, dict[str, Any]]:
        """The tile, the number of tiles, that of programs that keep the past, and the kernel's common arguments."""
        tile = self._build.tiling(product)
        count = product.m // step.rows
        tiles = cdiv(product.m, tile.rows)
        keepers = step.rows * cdiv(window.past * window.channels, KEPT)
        common = {
            "P": step.plan.shape[1],
            "S": step.states.shape[1],
            "window": window.offset,
            "T": count,
            "M": product.m,
            "tiles": tiles,
            "FAST": self._build.fast_sine,
            "ALIGNED": count % tile.rows == 0,
            "BM": tile.rows,
            "BK": tile.depth,
            "BLOCK": KEPT,
            "num_warps": tile.warps,
            "num_stages": tile.stages,
        }
        return tile, tiles, keepers, common


class Snake:
    """The numbers of x + sin(a x)^2 / a: a / pi and 1 / a for each channel."""

    def __init__(self, module: Any) -> None:
        alpha = module.alpha.detach().reshape(-1)
        self.turns = (alpha.double() / math.pi).float().contiguous()
        self.inverse = (alpha + 1e-9).reciprocal().contiguous()


class Latents(Layer):
    """Codes to latents, by a table of the codebooks' entries as they come out of their projections."""

    def __init__(self, quantizer: Any, signal: Signal, noise_layers: int, build: Build) -> None:
        super().__init__(build)
        books = []
        for level in quantizer.quantizers:
            weight = level.out_proj.weight.detach()[:, :, 0].double()
            book = level.codebook.weight.detach().double() @ weight.t() + level.out_proj.bias.detach().double()
            books.append(book.float())
        if len(books) != len(LEVEL_SLOTS):
            raise ValueError(f"a frame has {len(LEVEL_SLOTS)} levels of codes, this codec {len(books)}")
        self._table = torch.cat(books).contiguous()
        self._book, self.channels = books[0].shape
        self._noise_layers = noise_layers
        self.signal = signal

    def __call__(self, step: Step, out: Tensor) -> None:
        """Fills out [B, 4 F, D]."""
        count = self.signal.rate * step.frames
        width = min(1024, next_power_of_2(self.channels))
        grid = (step.rows * count, cdiv(self.channels, width))
        step.start(
            kernels.latents, grid, out, step.plan, self._table, P=step.plan.shape[1], T=count, rate=self.signal.rate,
            delay=self.signal.delay, LAYERS=self._noise_layers, BOOK=self._book, C=self.channels, BC=width,
        )  # fmt: skip


class Convolution(Layer):
    """A depthwise convolution and a pointwise one; in a residual unit a snake before each, and the input added."""

    def __init__(self, convolution: Any, pointwise: Any, snakes: tuple[Any, Any] | None, signal: Signal, build: Build):
        super().__init__(build)
        self._taps = convolution.weight.detach()[:, 0, :].t().contiguous()  # [taps, C]
        self._bias_1 = convolution.bias.detach().clone()
        self._matrix = build.matrix(pointwise.weight[:, :, 0])
        self._bias_2 = pointwise.bias.detach().clone()
        self._snakes = None if snakes is None else (Snake(snakes[0]), Snake(snakes[1]))
        self._dilation = convolution.dilation[0]
        past = (len(self._taps) - 1) * self._dilation
        self._window = build.window(past, self._taps.shape[1])
        self.signal = signal.widened(past // 2)
        self.channels = len(self._bias_2)

    def __call__(self, step: Step, x: Tensor, out: Tensor) -> None:
        """x [B, T, C] to out [B, T, D], zero outside the utterance like x."""
        m = step.rows * step.frames * self.signal.rate
        product = Product("convolution", m, self._taps.shape[1], self.channels)
        tile, tiles, keepers, common = self._cut(step, product, self._window)
        grid = (tiles + keepers, cdiv(self.channels, tile.columns))
        first, second = self._snakes or (None, None)
        step.start(
            kernels.convolution, grid, x, out, step.states, step.plan,
            first.turns if first else x, first.inverse if first else x, self._taps, self._bias_1,
            second.turns if second else x, second.inverse if second else x,
            self._matrix.high, self._matrix.low, self._bias_2, self._matrix.scale,
            rate=self.signal.rate, delay=self.signal.delay, dilation=self._dilation, C=self._taps.shape[1],
            D=self.channels, TAPS=len(self._taps), RESIDUAL=first is not None, TERMS=self._build.precision.terms,
            BN=tile.columns, **common,
        )  # fmt: skip


class Upsampling(Layer):
    """Snake, a transposed convolution of kernel 2 * stride, and the noise block where it is narrow enough."""

    def __init__(self, snake: Any, conv: Any, noise: Any | None, index: int, signal: Signal, build: Build) -> None:
        super().__init__(build)
        stride = conv.stride[0]
        weight = conv.weight.detach()  # [C, D, 2 * stride]
        older, newer = weight[:, :, stride:], weight[:, :, :stride]
        pairs = torch.stack([older, newer]).permute(3, 2, 0, 1)  # [stride, D, 2, C]
        self._matrix = build.matrix(pairs.reshape(stride * conv.out_channels, -1))
        self._bias = conv.bias.detach().clone()
        self._noise = None if noise is None else build.matrix(noise.linear.weight[:, :, 0])
        self._snake, self._index, self._stride = Snake(snake), index, stride
        self._window = build.window(1, conv.in_channels)
        self.signal = signal.upsampled(stride, conv.padding[0])
        self.channels = conv.out_channels

    def __call__(self, step: Step, x: Tensor, out: Tensor) -> None:
        """x [B, T, C] to out [B, T * stride, D], zero outside the utterance."""
        m = step.rows * step.frames * self.signal.rate // self._stride
        fused, channels = self._noise is not None, self._window.channels
        product = Product("upsampling", m, channels, self.channels, self._stride, whole=fused)
        tile, tiles, keepers, common = self._cut(step, product, self._window)
        noise = self._noise or self._matrix
        grid = (tiles + keepers, self._stride * cdiv(self.channels, tile.columns))
        step.start(
            kernels.upsampling, grid, x, out, step.states, step.plan, self._snake.turns, self._snake.inverse,
            self._matrix.high, self._matrix.low, self._bias, self._matrix.scale, noise.high, noise.low, noise.scale,
            rate=self.signal.rate, delay=self.signal.delay, layer=self._index, C=channels, D=self.channels,
            STRIDE=self._stride, NOISE=fused, TERMS=self._build.precision.terms, BN=tile.columns, **common,
        )  # fmt: skip


class Noise(Layer):
    """A noise block that is too wide to be part of the upsampling."""

    def __init__(self, noise: Any, index: int, signal: Signal, build: Build) -> None:
        super().__init__(build)
        self._matrix = build.matrix(noise.linear.weight[:, :, 0])
        self._index, self.signal, self.channels = index, signal, noise.linear.out_channels

    def __call__(self, step: Step, x: Tensor, out: Tensor) -> None:
        """x [B, T, D] to out, alike."""
        count = step.frames * self.signal.rate
        product = Product("noise", step.rows * count, self.channels, self.channels)
        tile = self._build.tiling(product)
        grid = (cdiv(product.m, tile.rows), cdiv(self.channels, tile.columns))
        step.start(
            kernels.noise, grid, x, out, step.plan, self._matrix.high, self._matrix.low, self._matrix.scale,
            P=step.plan.shape[1], rate=self.signal.rate, delay=self.signal.delay, T=count, M=product.m,
            layer=self._index, D=self.channels, TERMS=self._build.precision.terms, ALIGNED=count % tile.rows == 0,
            BM=tile.rows, BN=tile.columns, BK=tile.depth, num_warps=tile.warps, num_stages=tile.stages,
        )  # fmt: skip


class Ending(Layer):
    """Snake, the convolution to one channel, tanh."""

    def __init__(self, snake: Any, conv: Any, signal: Signal, build: Build) -> None:
        super().__init__(build)
        self._snake = Snake(snake)
        self._taps = conv.weight.detach()[0].t().contiguous()  # [taps, C]
        self._bias = conv.bias.detach().clone()
        self._window = build.window(len(self._taps) - 1, conv.in_channels)
        self.signal = signal.widened(self._window.past // 2)

    def __call__(self, step: Step, x: Tensor, audio: Tensor) -> None:
        """x [B, T, C] to audio [B, T]."""
        channels = self._window.channels
        product = Product("ending", step.rows * step.frames * self.signal.rate, channels, 1)
        _, tiles, keepers, common = self._cut(step, product, self._window)
        step.start(
            kernels.ending, (tiles + keepers,), x, audio, step.states, step.plan, self._snake.turns,
            self._snake.inverse, self._taps, self._bias, C=channels, TAPS=len(self._taps),
            **common | {"BK": next_power_of_2(channels)},
        )  # fmt: skip
