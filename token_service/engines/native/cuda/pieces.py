"""What the kernels are made of: functions that run on the device, inside a kernel.

A row is one token of one stream: `slots` [M] says whose, `positions` [M] where in the sequence; position -1 is a row
that does not run. Triton reads the annotations of arguments itself and knows none for tensors.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

from token_service.engines.native.cuda.layout import PAGE_TOKENS

# What differs from step to step: no reason to compile a kernel again.
VARYING = ["M", "pages_pitch", "slot_index", "first_id"]
PAGE = tl.constexpr(PAGE_TOKENS)

_GAMMA = tl.constexpr(0x9E3779B97F4A7C15 - 2**64)
_MULTIPLY_1 = tl.constexpr(0xBF58476D1CE4E5B9 - 2**64)
_MULTIPLY_2 = tl.constexpr(0x94D049BB133111EB - 2**64)


@triton.jit
def follow(EARLY: tl.constexpr):
    """First in a kernel. EARLY: lets the next kernel start, waits until the last one has written everything.

    What comes before this call may read weights and nothing else.
    """
    if EARLY:
        gdc_launch_dependents()
        gdc_wait()


@triton.jit
def fetch_ahead(matrix, n, first, N, K: tl.constexpr, AHEAD: tl.constexpr):
    """Asks for the first AHEAD columns of a tile's weights to be brought into the L2 cache, a line at a time."""
    if AHEAD > 0:
        line: tl.constexpr = 128 // (matrix.dtype.element_ty.primitive_bitwidth // 8)
        c = first + tl.arange(0, AHEAD // line) * line
        pointers = matrix + tl.minimum(n, N - 1)[:, None] * K + tl.minimum(c, K - line)[None, :]
        tl.inline_asm_elementwise(
            "prefetch.global.L2 [$1]; mov.u32 $0, 0;", "=r,l", [pointers.to(tl.int64)], dtype=tl.int32,
            is_pure=False, pack=1,
        )  # fmt: skip


@triton.jit
def weight_tile(matrix, n, c, N, K: tl.constexpr, EVEN: tl.constexpr):
    """A tile [BN, BK] of a matrix [N, K]. EVEN: it lies within the matrix."""
    pointers = matrix + n[:, None] * K + c[None, :]
    if EVEN:
        tile = tl.load(pointers, eviction_policy="evict_first")
    else:
        tile = tl.load(pointers, mask=(n < N)[:, None] & (c < K)[None, :], other=0.0, eviction_policy="evict_first")
    return tile


@triton.jit
def times(x, matrix, m, n, first, M, N, K: tl.constexpr, SPAN: tl.constexpr, NORMED: tl.constexpr, EVEN: tl.constexpr,
          BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, STAGES: tl.constexpr):  # fmt: skip
    """Rows m of x [M, K] by rows n of a matrix [N, K], over the columns first..first + SPAN: [BM, BN] float32, and if
    NORMED the sums of squares [BM] of these columns of x, else zeros. One row is multiplied without the tensor cores.
    """
    if BM == 1:
        grown = tl.zeros((BN, BK), tl.float32)
        square = tl.zeros((BK,), tl.float32)
        for k in tl.range(0, SPAN, BK, num_stages=STAGES):
            c = first + k + tl.arange(0, BK)
            a = tl.load(x + c) if EVEN else tl.load(x + c, mask=c < K, other=0.0)
            a = a.to(tl.float32)
            grown += weight_tile(matrix, n, c, N, K, EVEN).to(tl.float32) * a[None, :]
            if NORMED:
                square += a * a
        total = tl.sum(grown, 1)[None, :]
        squares = tl.sum(square, 0)[None]
    else:
        columns = tl.zeros((BN, BM), tl.float32)
        square = tl.zeros((BM, BK), tl.float32)
        for k in tl.range(0, SPAN, BK, num_stages=STAGES):
            c = first + k + tl.arange(0, BK)
            places = x + m[:, None] * K + c[None, :]
            inside = (m < M)[:, None] & (c < K)[None, :]
            a = tl.load(places, mask=inside, other=0.0)
            w = weight_tile(matrix, n, c, N, K, EVEN).to(a.dtype)
            columns = tl.dot(w, tl.trans(a), columns, input_precision="ieee")
            if NORMED:
                # Loaded once more, and by another policy lest the two become one: with a second use of `a`, Triton 3.6
                # gives its ring a buffer too few, and overwrites what the tensor cores still read.
                wide = tl.load(places, mask=inside, other=0.0, eviction_policy="evict_last").to(tl.float32)
                square += wide * wide
        total = tl.trans(columns)
        squares = tl.sum(square, 1)
    return total, squares


@triton.jit
def gathered(total, squares, parts, counters, tile, split, SPLITS: tl.constexpr, NORMED: tl.constexpr,
             BM: tl.constexpr, BN: tl.constexpr):  # fmt: skip
    """Adds up what the SPLITS programs of one tile made. The last to arrive gets the sum, always taken in the same
    order, and True; the others False. `parts` [tiles, SPLITS, BM * (BN + 1)] float32, `counters` [tiles] int32 zeros.
    """
    last = True
    if SPLITS > 1:
        i = tl.arange(0, BM)
        place = i[:, None] * BN + tl.arange(0, BN)[None, :]
        size: tl.constexpr = BM * (BN + 1)
        own = parts + (tile * SPLITS + split) * size
        tl.store(own + place, total)
        if NORMED:
            tl.store(own + BM * BN + i, squares)
        tl.debug_barrier()  # all of this program's threads have stored before one of them says so
        last = tl.atomic_add(counters + tile, 1, sem="acq_rel", scope="gpu") == SPLITS - 1
        if last:
            total = tl.zeros((BM, BN), tl.float32)
            squares = tl.zeros((BM,), tl.float32)
            for other in range(SPLITS):
                part = parts + (tile * SPLITS + other) * size
                total += tl.load(part + place, cache_modifier=".cg")
                if NORMED:
                    squares += tl.load(part + BM * BN + i, cache_modifier=".cg")
            tl.store(counters + tile, 0)
    return total, squares, last


@triton.jit
def pairs(y, BM: tl.constexpr, BN: tl.constexpr):
    """Neighbouring columns of [BM, BN] apart: two of [BM, BN / 2]."""
    return tl.split(tl.reshape(y, (BM, BN // 2, 2)))


@triton.jit
def norm_factor(squares, epsilon, K: tl.constexpr):
    """What RMS norm multiplies a row of K numbers by, from their sum of squares."""
    return tl.rsqrt(squares / K + epsilon)


@triton.jit
def gated(gate, up):
    """SwiGLU: silu(gate) * up."""
    return gate * tl.sigmoid(gate) * up


@triton.jit
def mixed_bits(key, counter):
    """Output number `counter` of splitmix64 seeded with `key`, both int64: swara.keyed.mix."""
    z = key + counter * _GAMMA
    z = (z ^ ((z >> 30) & ((1 << 34) - 1))) * _MULTIPLY_1
    z = (z ^ ((z >> 27) & ((1 << 37) - 1))) * _MULTIPLY_2
    return z ^ ((z >> 31) & ((1 << 33) - 1))


@triton.jit
def gumbel(bits):
    """Hashed bits as standard Gumbel noise: swara.keyed.gumbel."""
    uniform = (((bits >> 41) & 0x7FFFFF).to(tl.float32) + 0.5) * 1.1920928955078125e-07
    return -tl.log(-tl.log(uniform))


@triton.jit
def ordered(x):
    """Float32 as int32 whose order is that of the numbers; +0 and -0 are the same."""
    bits = (x + 0.0).to(tl.int32, bitcast=True)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)
