"""The kernels: each computes one layer of the codec for all rows of a step, in one pass over memory.

Program (i, j) makes tile i of the samples and block j of the channels. The programs after the last tile store the past
that the layer's next step needs. Nothing is read that the same kernel writes: old and new states are different rows.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs

import triton
import triton.language as tl

from audio_service.fused.pieces import (
    KEYS,
    SOURCE,
    channels,
    inside,
    keep,
    normals,
    per_channel,
    places,
    product,
    samples,
    snake,
    starts,
    weights,
)

# What differs from step to step or from layer to layer of the same width: no reason to compile a kernel again.
VARYING = ["P", "rate", "delay", "T", "M", "tiles", "dilation", "layer", "scale", "noise_scale"]


@triton.jit(do_not_specialize=VARYING)
def latents(out, plan, table, P, T, rate, delay, LAYERS: tl.constexpr, BOOK: tl.constexpr, C: tl.constexpr,
            BC: tl.constexpr):  # fmt: skip
    """Codes to latents [B, T, C]: one entry from each of three projected codebooks `table` [3 * BOOK, C]."""
    b = tl.program_id(0) // T
    t = tl.program_id(0) - b * T
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    place = t % 4
    codes = plan + b * P + KEYS + LAYERS + t // 4 * 7
    first = tl.load(codes)
    second = tl.load(codes + 1 + place // 2 * 3) + BOOK
    third = tl.load(codes + 2 + place + place // 2) + 2 * BOOK
    mask = c < C
    x = tl.load(table + first * C + c, mask=mask)
    x += tl.load(table + second * C + c, mask=mask)
    x += tl.load(table + third * C + c, mask=mask)
    x = tl.where(inside(plan, b, t, P, rate, delay, T), x, 0.0)
    tl.store(out + (b * T + t) * C + c, x, mask=mask)


@triton.jit(do_not_specialize=VARYING)
def convolution(x, out, states, plan, turns_1, inverse_1, taps, bias_1, turns_2, inverse_2, high, low, bias_2, scale,
                P, S, window, rate, delay, T, M, tiles, dilation,
                C: tl.constexpr, D: tl.constexpr, TAPS: tl.constexpr, RESIDUAL: tl.constexpr, TERMS: tl.constexpr,
                FAST: tl.constexpr, ALIGNED: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
                BLOCK: tl.constexpr):  # fmt: skip
    """A depthwise convolution `taps` [TAPS, C] and a product with a matrix [D, C]; RESIDUAL: with a snake before each
    and the input added to the result. Rate and delay are those of the result.
    """
    tile = tl.program_id(0)
    past = (TAPS - 1) * dilation
    if tile < tiles:
        b, t = places(tile, T, M, ALIGNED, BM)
        n = tl.program_id(1) * BN + tl.arange(0, BN)
        state = states + tl.load(plan + b * P + SOURCE) * S + window
        total = tl.zeros((BM, BN), tl.float32)
        for k in tl.range(0, C, BK, num_stages=1):
            c = k + tl.arange(0, BK)
            if RESIDUAL:
                turns, inverse = per_channel(turns_1, c, C, BK), per_channel(inverse_1, c, C, BK)
            y = tl.zeros((BM, BK), tl.float32) + per_channel(bias_1, c, C, BK)
            for tap in tl.range(0, TAPS, num_stages=1):  # unrolled it would ask for more registers than there are
                value = channels(samples(x, state, b, t - past + tap * dilation, T, past, C), c, C, BK)
                if RESIDUAL:
                    value = snake(value, turns, inverse, FAST)
                y += value * per_channel(taps + tap * C, c, C, BK)
            if RESIDUAL:
                y = snake(y, per_channel(turns_2, c, C, BK), per_channel(inverse_2, c, C, BK), FAST)
            large = weights(high, n, c, D, C, BN, BK, C)
            small = weights(low, n, c, D, C, BN, BK, C) if TERMS > 1 else large
            total = product(y, large, small, total, TERMS)
        y = total * scale + per_channel(bias_2, n, D, BN)
        if RESIDUAL:
            y += channels(samples(x, state, b, t - past // 2, T, past, C), n, C, BN)
        y = tl.where(inside(plan, b, t, P, rate, delay, T)[:, None], y, 0.0)
        tl.store(out + ((b * T + t) * D)[:, None] + n[None, :], y, mask=(n < D)[None, :])
    else:
        if tl.program_id(1) == 0:
            keep(x, states, plan, tile - tiles, P, S, window, past, T, C, BLOCK)


@triton.jit(do_not_specialize=VARYING)
def upsampling(x, out, states, plan, turns, inverse, high, low, bias, scale, noise_high, noise_low, noise_scale,
               P, S, window, rate, delay, T, M, tiles, layer,
               C: tl.constexpr, D: tl.constexpr, STRIDE: tl.constexpr, NOISE: tl.constexpr, TERMS: tl.constexpr,
               FAST: tl.constexpr, ALIGNED: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
               BLOCK: tl.constexpr):  # fmt: skip
    """Snake and a transposed convolution of kernel 2 * STRIDE: samples t - 1 and t side by side, times a matrix
    [STRIDE, D, 2 * C], give the D channels of each of STRIDE new samples. NOISE (needs BN >= D) adds the noise block's
    product with [D, D], times the noise. Rate and delay are those of the result [B, T * STRIDE, D].
    """
    tile = tl.program_id(0)
    if tile < tiles:
        b, t = places(tile, T, M, ALIGNED, BM)
        blocks: tl.constexpr = (D + BN - 1) // BN
        phase = tl.program_id(1) // blocks
        n = tl.program_id(1) % blocks * BN + tl.arange(0, BN)
        state = states + tl.load(plan + b * P + SOURCE) * S + window
        older = samples(x, state, b, t - 1, T, 1, C)
        newer = x + (b * T + t) * C
        matrix = phase * (D * 2 * C)
        rounds: tl.constexpr = (C + BK - 1) // BK
        total = tl.zeros((BM, BN), tl.float32)
        for step in range(2 * rounds):
            half = step // rounds
            c = (step - half * rounds) * BK + tl.arange(0, BK)
            a = channels(tl.where(half == 0, older, newer), c, C, BK)
            a = snake(a, per_channel(turns, c, C, BK), per_channel(inverse, c, C, BK), FAST)
            place = matrix + half * C
            large = weights(high + place, n, c, D, C, BN, BK, 2 * C)
            small = weights(low + place, n, c, D, C, BN, BK, 2 * C) if TERMS > 1 else large
            total = product(a, large, small, total, TERMS)
        y = total * scale + per_channel(bias, n, D, BN)
        at = t * STRIDE + phase
        y = tl.where(inside(plan, b, at, P, rate, delay, T * STRIDE)[:, None], y, 0.0)
        if NOISE:
            large = weights(noise_high, n, n, D, D, BN, BN, D)
            small = weights(noise_low, n, n, D, D, BN, BN, D) if TERMS > 1 else large
            added = product(y, large, small, tl.zeros((BM, BN), tl.float32), TERMS) * noise_scale
            y += added * normals(plan, b, P, layer, starts(plan, b, P, rate, delay) + at)[:, None]
        tl.store(out + ((b * T * STRIDE + at) * D)[:, None] + n[None, :], y, mask=(n < D)[None, :])
    else:
        if tl.program_id(1) == 0:
            keep(x, states, plan, tile - tiles, P, S, window, 1, T, C, BLOCK)


@triton.jit(do_not_specialize=VARYING)
def noise(x, out, plan, high, low, scale, P, rate, delay, T, M, layer,
          D: tl.constexpr, TERMS: tl.constexpr, ALIGNED: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
          BK: tl.constexpr):  # fmt: skip
    """The noise block by itself: x [B, T, D] plus its product with [D, D], times the noise."""
    b, t = places(tl.program_id(0), T, M, ALIGNED, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    row = (b * T + t) * D
    total = tl.zeros((BM, BN), tl.float32)
    for k in range(0, D, BK):
        c = k + tl.arange(0, BK)
        a = channels(x + row, c, D, BK)
        large = weights(high, n, c, D, D, BN, BK, D)
        small = weights(low, n, c, D, D, BN, BK, D) if TERMS > 1 else large
        total = product(a, large, small, total, TERMS)
    values = normals(plan, b, P, layer, starts(plan, b, P, rate, delay) + t)
    y = channels(x + row, n, D, BN) + total * scale * values[:, None]
    tl.store(out + row[:, None] + n[None, :], y, mask=(n < D)[None, :])


@triton.jit(do_not_specialize=VARYING)
def ending(x, audio, states, plan, turns, inverse, taps, bias, P, S, window, T, M, tiles,
           C: tl.constexpr, TAPS: tl.constexpr, FAST: tl.constexpr, ALIGNED: tl.constexpr, BM: tl.constexpr,
           BK: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Snake, a convolution `taps` [TAPS, C] to one channel, tanh: audio [B, T]."""
    tile = tl.program_id(0)
    past = TAPS - 1
    if tile < tiles:
        b, t = places(tile, T, M, ALIGNED, BM)
        state = states + tl.load(plan + b * P + SOURCE) * S + window
        c = tl.arange(0, BK)
        y = tl.zeros((BM, BK), tl.float32)
        for tap in tl.range(0, TAPS, num_stages=1):
            value = channels(samples(x, state, b, t - past + tap, T, past, C), c, C, BK)
            value = snake(value, per_channel(turns, c, C, BK), per_channel(inverse, c, C, BK), FAST)
            y += value * per_channel(taps + tap * C, c, C, BK)
        level = tl.sum(y, 1) + tl.load(bias)
        e = tl.exp(-2.0 * tl.abs(level))
        loud = (1.0 - e) / (1.0 + e)
        tl.store(audio + b * T + t, tl.where(level < 0, -loud, loud))
    else:
        keep(x, states, plan, tile - tiles, P, S, window, past, T, C, BLOCK)
