"""SNAC's snake activation as one Triton kernel forward and one backward. As the package scripts it, its gradient is a
dozen passes over memory and was a fifth of a training step; torch.compile's took more than a minute to be ready."""

from typing import Any

import torch
import triton
import triton.language as tl
from snac.layers import Snake1d
from torch import Tensor, nn

MAX_BLOCK = 1_024
"""Samples of one channel that one program handles."""
EPSILON = tl.constexpr(1e-9)


@triton.jit
def forward_kernel(x, alpha, y, channels, length, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """y = x + sin²(alpha x) / alpha, a block of one channel."""
    row = tl.program_id(0)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside, places = at < length, row.to(tl.int64) * length + at
    a = tl.load(alpha + row % channels)
    value = tl.load(x + places, mask=inside, other=0.0)
    sine = tl.sin(a * value)
    tl.store(y + places, value + sine * sine / (a + EPSILON), mask=inside)


@triton.jit
def backward_kernel(x, alpha, pull, x_pull, alpha_pulls, channels, length, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """The gradient of x, and the block's share of alpha's."""
    row, block = tl.program_id(0), tl.program_id(1)
    at = block * BLOCK + tl.arange(0, BLOCK)
    inside, places = at < length, row.to(tl.int64) * length + at
    a = tl.load(alpha + row % channels)
    inverse = 1 / (a + EPSILON)
    value = tl.load(x + places, mask=inside, other=0.0)
    given = tl.load(pull + places, mask=inside, other=0.0)
    sine, slope = tl.sin(a * value), tl.cos(a * value)
    twice = 2 * sine * slope * inverse
    tl.store(x_pull + places, given * (1 + a * twice), mask=inside)
    share = tl.sum(given * (value * twice - sine * sine * inverse * inverse))
    tl.store(alpha_pulls + row * tl.num_programs(1) + block, share)


class Snake(torch.autograd.Function):
    """x [B, C, T], alpha [1, C, 1], both float32 → x + sin²(alpha x) / alpha."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor) -> Tensor:
        """One kernel."""
        x = x.contiguous()
        ctx.save_for_backward(x, alpha)
        y = torch.empty_like(x)
        block, grid = tiling(x)
        forward_kernel[grid](x, alpha, y, x.shape[1], x.shape[2], BLOCK=block)
        return y

    @staticmethod
    def backward(ctx: Any, pull: Tensor) -> tuple[Tensor, Tensor]:
        """One kernel, and the sum of alpha's shares."""
        x, alpha = ctx.saved_tensors
        block, grid = tiling(x)
        x_pull, shares = torch.empty_like(x), x.new_empty(x.shape[0], x.shape[1], grid[1])
        backward_kernel[grid](x, alpha, pull.contiguous(), x_pull, shares, x.shape[1], x.shape[2], BLOCK=block)
        return x_pull, shares.sum((0, 2)).view_as(alpha)


def tiling(x: Tensor) -> tuple[int, tuple[int, int]]:
    """Samples a program, and programs: one row of x [B, C, T] each, block by block."""
    block = min(MAX_BLOCK, triton.next_power_of_2(x.shape[2]))
    return block, (x.shape[0] * x.shape[1], triton.cdiv(x.shape[2], block))


class FusedSnake1d(Snake1d):
    """The same parameter, the same function."""

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, T] → the same shape."""
        y: Tensor = Snake.apply(x, self.alpha)
        return y


def fuse_snakes(module: nn.Module) -> None:
    """Make every snake in `module` a fused one; parameters and their names stay."""
    for part in module.modules():
        if type(part) is Snake1d:
            part.__class__ = FusedSnake1d
