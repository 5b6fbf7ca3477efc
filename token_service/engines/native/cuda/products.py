"""Products of few rows with large matrices, each with what follows it, in one pass over the weights.

The norm before a product is a factor for each row, so it is taken after the product, from squares added up on the way.
Program (i, split) makes tile i: its rows fastest, so that programs which read the same weights run side by side.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs

import triton
import triton.language as tl

from token_service.engines.native.cuda.pieces import (
    PAGE,
    VARYING,
    fetch_ahead,
    follow,
    gated,
    gathered,
    norm_factor,
    pairs,
    times,
)

ADD, GATE, LOGITS = 0, 1, 2
_ADD = tl.constexpr(ADD)
_GATE = tl.constexpr(GATE)


@triton.jit(do_not_specialize=VARYING)
def product(x, matrix, scales, out, parts, counters, M, epsilon, N: tl.constexpr, K: tl.constexpr, SPAN: tl.constexpr,
            KIND: tl.constexpr, SCALED: tl.constexpr, EVEN: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
            BK: tl.constexpr, SPLITS: tl.constexpr, STAGES: tl.constexpr, AHEAD: tl.constexpr,
            EARLY: tl.constexpr):  # fmt: skip
    """x [M, K] by a matrix [N, K] with `scales` [N] if SCALED. ADD: added to out [M, N]. GATE: normed, and gates beside
    what they gate become out [M, N / 2]. LOGITS: normed, out [M, N] float32.
    """
    NORMED: tl.constexpr = KIND != _ADD
    tile, split = tl.program_id(0), tl.program_id(1)
    tiles_m = tl.cdiv(M, BM)
    m = tile % tiles_m * BM + tl.arange(0, BM)
    n = tile // tiles_m * BN + tl.arange(0, BN)
    fetch_ahead(matrix, n, split * SPAN, N, K, AHEAD)
    follow(EARLY)
    total, squares = times(x, matrix, m, n, split * SPAN, M, N, K, SPAN, NORMED, EVEN, BM, BN, BK, STAGES)
    total, squares, last = gathered(total, squares, parts, counters, tile, split, SPLITS, NORMED, BM, BN)
    if last:
        if SCALED:
            total *= tl.load(scales + n, mask=n < N, other=0.0)[None, :]
        if NORMED:
            total *= norm_factor(squares, epsilon, K)[:, None]
        if KIND == _GATE:
            gate, up = pairs(total, BM, BN)
            half = tile // tiles_m * (BN // 2) + tl.arange(0, BN // 2)
            y = gated(gate, up).to(out.dtype.element_ty)
            tl.store(out + m[:, None] * (N // 2) + half[None, :], y, mask=(m < M)[:, None] & (half < N // 2)[None, :])
        else:
            places = out + m[:, None] * N + n[None, :]
            inside = (m < M)[:, None] & (n < N)[None, :]
            if KIND == _ADD:
                total += tl.load(places, mask=inside, other=0.0).to(tl.float32)
            tl.store(places, total.to(out.dtype.element_ty), mask=inside)


@triton.jit
def store_heads(y, m, first, slots, positions, turns, queries, cache, table, M, pages_pitch, H: tl.constexpr,
                KV: tl.constexpr, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):  # fmt: skip
    """Columns first..first + BN of the rows' queries, keys and values, y [BM, BN], all of one head: turned by their
    position where they are queries or keys, then to `queries` [M, H * D] or to their page of `cache`.
    """
    head = first // D
    runs = m < M
    position = tl.load(positions + m, mask=runs, other=-1)
    runs = runs & (position >= 0)
    half = first % D // 2 + tl.arange(0, BN // 2)
    angle = turns + position[:, None] * D + 2 * half[None, :]
    turned = runs[:, None] & (head < H + KV)
    cosine = tl.load(angle, mask=turned, other=1.0)
    sine = tl.load(angle + 1, mask=turned, other=0.0)
    even, odd = pairs(y, BM, BN)
    y = tl.reshape(tl.join(even * cosine - odd * sine, even * sine + odd * cosine), (BM, BN))
    if head < H:
        places = queries + m[:, None] * (H * D) + (first + tl.arange(0, BN))[None, :]
        tl.store(places, y.to(queries.dtype.element_ty), mask=runs[:, None])
    else:
        slot = tl.load(slots + m, mask=runs, other=0)
        page = tl.load(table + slot * pages_pitch + position // PAGE, mask=runs, other=0).to(tl.int64)
        place = ((page * (2 * KV) + head - H) * PAGE + position % PAGE) * D
        kept = cache + place[:, None] + (first % D + tl.arange(0, BN))[None, :]
        tl.store(kept, y.to(cache.dtype.element_ty), mask=runs[:, None])


@triton.jit(do_not_specialize=VARYING)
def heads_product(x, matrix, scales, slots, positions, turns, queries, cache, table, parts, counters, M, pages_pitch,
                  epsilon, H: tl.constexpr, KV: tl.constexpr, D: tl.constexpr, K: tl.constexpr, SPAN: tl.constexpr,
                  SCALED: tl.constexpr, EVEN: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
                  SPLITS: tl.constexpr, STAGES: tl.constexpr, AHEAD: tl.constexpr,
                  EARLY: tl.constexpr):  # fmt: skip
    """Norm, queries, keys and values of rows x [M, K] by a matrix [(H + 2 KV) D, K], and what store_heads does."""
    N: tl.constexpr = (H + 2 * KV) * D
    tile, split = tl.program_id(0), tl.program_id(1)
    tiles_m = tl.cdiv(M, BM)
    m = tile % tiles_m * BM + tl.arange(0, BM)
    first = tile // tiles_m * BN
    n = first + tl.arange(0, BN)
    fetch_ahead(matrix, n, split * SPAN, N, K, AHEAD)
    follow(EARLY)
    total, squares = times(x, matrix, m, n, split * SPAN, M, N, K, SPAN, True, EVEN, BM, BN, BK, STAGES)
    total, squares, last = gathered(total, squares, parts, counters, tile, split, SPLITS, True, BM, BN)
    if last:
        if SCALED:
            total *= tl.load(scales + n)[None, :]
        total *= norm_factor(squares, epsilon, K)[:, None]
        store_heads(total, m, first, slots, positions, turns, queries, cache, table, M, pages_pitch, H, KV, D, BM, BN)


@triton.jit
def row_norm(x, row, epsilon, K: tl.constexpr, BLOCK: tl.constexpr):
    """The norm's factor of one row of x [M, K]."""
    c = tl.arange(0, BLOCK)
    value = tl.load(x + row * K + c, mask=c < K, other=0.0).to(tl.float32)
    return norm_factor(tl.sum(value * value, 0), epsilon, K)


@triton.jit(do_not_specialize=VARYING)
def split_heads(x, product, slots, positions, turns, queries, cache, table, M, pages_pitch, epsilon, H: tl.constexpr,
                KV: tl.constexpr, D: tl.constexpr, K: tl.constexpr, BLOCK: tl.constexpr, EACH: tl.constexpr,
                EARLY: tl.constexpr):  # fmt: skip
    """What heads_product does after its product, by cuBLAS: `product` [M, (H + 2 KV) D]. EACH heads a program."""
    follow(EARLY)
    row = tl.program_id(0)
    factor = row_norm(x, row, epsilon, K, BLOCK)
    m = row + tl.arange(0, 1)
    for index in tl.static_range(EACH):
        head = tl.program_id(1) * EACH + index
        y = tl.load(product + row * ((H + 2 * KV) * D) + head * D + tl.arange(0, D)).to(tl.float32)
        y = (y * factor)[None, :]
        store_heads(y, m, head * D, slots, positions, turns, queries, cache, table, M, pages_pitch, H, KV, D, 1, D)


@triton.jit(do_not_specialize=VARYING)
def gate(x, product, out, M, epsilon, K: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr, BN: tl.constexpr,
         EARLY: tl.constexpr):  # fmt: skip
    """What GATE does after its product, which cuBLAS made: `product` [M, N] to out [M, N / 2]."""
    follow(EARLY)
    row = tl.program_id(0)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    y = tl.load(product + row * N + n, mask=n < N, other=0.0).to(tl.float32) * row_norm(x, row, epsilon, K, BLOCK)
    left, right = tl.split(tl.reshape(y, (BN // 2, 2)))
    half = tl.program_id(1) * (BN // 2) + tl.arange(0, BN // 2)
    tl.store(out + row * (N // 2) + half, gated(left, right).to(out.dtype.element_ty), mask=half < N // 2)
