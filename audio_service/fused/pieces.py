"""What the kernels are made of: functions that run on the device, inside a kernel.

A signal is [B, T, C] in memory; its samples before the step lie in the row's state. Blocks of samples are named by `b`,
the row (one for the block, or one a sample), and `t` [BM], the sample in the step. Triton reads the annotations of
arguments itself and knows none for tensors.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs

import triton
import triton.language as tl

from audio_service.fused import plan as plan_columns
from audio_service.fused.precision import TF32_BITS

# Kernels see constants of this type only.
SOURCE = tl.constexpr(plan_columns.SOURCE)
TARGET = tl.constexpr(plan_columns.TARGET)
FIRST_FRAME = tl.constexpr(plan_columns.FIRST_FRAME)
END_FRAME = tl.constexpr(plan_columns.END_FRAME)
LOUDNESS = tl.constexpr(plan_columns.LOUDNESS)
KEYS = tl.constexpr(plan_columns.KEYS)

_ROUNDER = tl.constexpr(12582912.0)  # adding and taking away 1.5 * 2^23 rounds a float32 to an integer
_GAMMA = tl.constexpr(0x9E3779B97F4A7C15 - 2**64)
_MULTIPLY_1 = tl.constexpr(0xBF58476D1CE4E5B9 - 2**64)
_MULTIPLY_2 = tl.constexpr(0x94D049BB133111EB - 2**64)
_TF32_BITS = tl.constexpr(TF32_BITS)


@triton.jit
def half_sine(u, FAST: tl.constexpr):
    """sin(pi u) but for the sign. Its error: 2e-7 by polynomial, 8e-7 if FAST."""
    r = u - ((u + _ROUNDER) - _ROUNDER)  # a quarter of a turn to either side is enough
    if FAST:
        sine = tl.inline_asm_elementwise(
            "sin.approx.f32 $0, $1;", "=f,f", [r * 3.14159265], dtype=tl.float32, is_pure=True, pack=1
        )
    else:
        s = r * r
        p = 0.0772109180688858 * s - 0.5980405807495117
        p = p * s + 2.5500307083129883
        p = p * s - 5.1677069664001465
        p = p * s + 3.141592502593994
        sine = p * r
    return sine


@triton.jit
def snake(x, turns, inverse, FAST: tl.constexpr):
    """x + sin(a x)^2 / a, given a / pi and 1 / a."""
    sine = half_sine(x * turns, FAST)
    return x + sine * (sine * inverse)


@triton.jit
def places(tile, T, M, ALIGNED: tl.constexpr, BM: tl.constexpr):
    """The row and samples of a tile of BM of the M = B * T samples. ALIGNED tiles lie within one row; the others
    repeat the last sample where they stick out.
    """
    if ALIGNED:
        b = tile * BM // T
        t = tile * BM - b * T + tl.arange(0, BM)
    else:
        m = tl.minimum(tile * BM + tl.arange(0, BM), M - 1)
        b = m // T
        t = m - b * T
    return b, t


@triton.jit
def starts(plan, b, P, rate, delay):
    """The absolute position (int64) of each row's first sample in the step."""
    return tl.load(plan + b * P + FIRST_FRAME) * rate - delay


@triton.jit
def inside(plan, b, t, P, rate, delay, T):
    """Whether samples lie within the utterance."""
    start = starts(plan, b, P, rate, delay)
    end = tl.load(plan + b * P + END_FRAME) * rate - start
    first = tl.minimum(tl.maximum(-start, 0), T).to(tl.int32)
    last = tl.minimum(tl.maximum(end, 0), T).to(tl.int32)
    return (t >= first) & (t < last)


@triton.jit
def samples(x, state, b, t, T, past, C: tl.constexpr):
    """Pointers to samples [t, 0] of a signal; those before the step are in its window `state`."""
    return tl.where(t >= 0, x + (b * T + t) * C, state + (t + past) * C)


@triton.jit
def channels(pointers, c, C: tl.constexpr, BK: tl.constexpr):
    """Loads channels c [BK] of samples at pointers [BM]: [BM, BK], zero beyond the last channel."""
    if C % BK == 0:
        value = tl.load(pointers[:, None] + c[None, :])
    else:
        value = tl.load(pointers[:, None] + c[None, :], mask=(c < C)[None, :], other=0.0)
    return value


@triton.jit
def per_channel(values, c, C: tl.constexpr, BK: tl.constexpr):
    """Loads one number for each of the channels c: [1, BK]."""
    if C % BK == 0:
        value = tl.load(values + c)
    else:
        value = tl.load(values + c, mask=c < C, other=0.0)
    return value[None, :]


@triton.jit
def weights(matrix, n, k, N: tl.constexpr, K: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, PITCH: tl.constexpr):
    """A block [BK, BN] of a matrix that is stored as [N, K], its rows PITCH numbers apart."""
    pointers = matrix + n[:, None] * PITCH + k[None, :]
    if N % BN == 0 and K % BK == 0:
        block = tl.load(pointers)
    else:
        block = tl.load(pointers, mask=(n < N)[:, None] & (k < K)[None, :], other=0.0)
    return tl.trans(block)


@triton.jit
def product(a, high, low, total, TERMS: tl.constexpr):
    """total + a @ (high + low), a [BM, BK] float32. With three TERMS both factors are sums of two numbers that the
    tensor core holds exactly, and only the product of the small parts is left out.
    """
    if TERMS == 1:
        total = tl.dot(a.to(high.dtype), high, total, input_precision="tf32")
    else:
        if high.dtype == tl.float32:
            large = (a.to(tl.int32, bitcast=True) & _TF32_BITS).to(tl.float32, bitcast=True)
            small = a - large
        else:
            a = tl.clamp(a, -65504.0, 65504.0)  # beyond, half precision would make it infinite, and the rest no number
            large = a.to(high.dtype)
            small = (a - large.to(tl.float32)).to(high.dtype)
        total = tl.dot(small, high, total, input_precision="tf32")
        total = tl.dot(large, low, total, input_precision="tf32")
        total = tl.dot(large, high, total, input_precision="tf32")
    return total


@triton.jit
def normals(plan, b, P, layer, positions):
    """The keyed noise of audio_service.noise at int64 positions, times the row's loudness."""
    z = tl.load(plan + b * P + KEYS + layer) + positions * _GAMMA
    z = (z ^ ((z >> 30) & ((1 << 34) - 1))) * _MULTIPLY_1
    z = (z ^ ((z >> 27) & ((1 << 37) - 1))) * _MULTIPLY_2
    z = z ^ ((z >> 31) & ((1 << 33) - 1))
    radius = (((z >> 40) & 0xFFFFFF).to(tl.float32) + 1.0) * 5.9604644775390625e-08
    sine = half_sine((z & 0xFFFFFF).to(tl.float32) * 5.9604644775390625e-08, False)
    loudness = tl.load(plan + b * P + LOUDNESS).to(tl.int32).to(tl.float32, bitcast=True)
    return loudness * tl.sqrt(-2.0 * tl.log(radius)) * (1.0 - 2.0 * sine * sine)


@triton.jit
def keep(x, states, plan, index, P, S, window, past, T, C: tl.constexpr, BLOCK: tl.constexpr):
    """Writes the index-th block of the windows that the next step begins with: the last `past` samples."""
    size = past * C
    blocks = tl.cdiv(size, BLOCK)
    b = index // blocks
    j = (index - b * blocks) * BLOCK + tl.arange(0, BLOCK)
    source = states + tl.load(plan + b * P + SOURCE) * S + window
    target = states + tl.load(plan + b * P + TARGET) * S + window
    k = j + T * C - size
    value = tl.load(tl.where(k >= 0, x + b * T * C + k, source + j + T * C), mask=j < size)
    tl.store(target + j, value, mask=j < size)
