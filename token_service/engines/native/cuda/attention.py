"""Attention of single tokens over their streams' pages, split along the sequence, shared key heads read once."""

# mypy: allow-untyped-defs, allow-incomplete-defs

import triton
import triton.language as tl

from token_service.engines.native.cuda.pieces import PAGE, VARYING, follow

LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def store_heads_mixed(mixed, total, out, row, head, g, d, G: tl.constexpr, KV: tl.constexpr, D: tl.constexpr):
    """A key head's part of out [M, H * D]; a row without keys gets zeros."""
    y = mixed / tl.maximum(total, 1e-30)[:, None]
    places = out + row * (KV * G * D) + ((head * G + g) * D)[:, None] + d[None, :]
    tl.store(places, y.to(out.dtype.element_ty), mask=(g < G)[:, None])


@triton.jit(do_not_specialize=VARYING)
def attention(queries, cache, table, slots, positions, out, parts, counters, M, pages_pitch, KV: tl.constexpr,
              G: tl.constexpr, GROUP: tl.constexpr, D: tl.constexpr, SPLITS: tl.constexpr, STAGES: tl.constexpr,
              EARLY: tl.constexpr):  # fmt: skip
    """Program (row, key head, split) reads its share of the row's pages; the last of a row and head to arrive adds the
    shares up. `parts` [M, KV, SPLITS, G * D + 2 * GROUP] float32, `counters` [M * KV] int32 zeros. GROUP >= G.
    """
    row, head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    follow(EARLY)
    slot = tl.load(slots + row)
    length = tl.load(positions + row) + 1
    pages = tl.cdiv(length, PAGE)
    share = tl.maximum(tl.cdiv(pages, SPLITS), 1)
    used = tl.maximum(tl.cdiv(pages, share), 1)
    if split < used:
        g, d, t = tl.arange(0, GROUP), tl.arange(0, D), tl.arange(0, PAGE)
        q = tl.load(queries + row * (KV * G * D) + ((head * G + g) * D)[:, None] + d[None, :], mask=(g < G)[:, None],
                    other=0.0)  # fmt: skip
        top = tl.full((GROUP,), -1e30, tl.float32)
        total = tl.zeros((GROUP,), tl.float32)
        mixed = tl.zeros((GROUP, D), tl.float32)
        for index in tl.range(split * share, tl.minimum(split * share + share, pages), num_stages=STAGES):
            page = tl.load(table + slot * pages_pitch + index).to(tl.int64)
            places = cache + (page * (2 * KV) + head) * (PAGE * D) + t[:, None] * D + d[None, :]
            here = index * PAGE + t < length
            keys = tl.load(places, mask=here[:, None], other=0.0).to(q.dtype)
            values = tl.load(places + KV * PAGE * D, mask=here[:, None], other=0.0).to(q.dtype)
            scores = tl.dot(q, tl.trans(keys), input_precision="ieee") * (LOG2_E / tl.sqrt(D + 0.0))
            scores = tl.where(here[None, :], scores, float("-inf"))
            higher = tl.maximum(top, tl.max(scores, 1))
            weight = tl.exp2(scores - higher[:, None])
            fade = tl.exp2(top - higher)
            total = total * fade + tl.sum(weight, 1)
            mixed = tl.dot(weight.to(q.dtype), values, mixed * fade[:, None], input_precision="ieee")
            top = higher
        if SPLITS == 1:
            store_heads_mixed(mixed, total, out, row, head, g, d, G, KV, D)
        else:
            size: tl.constexpr = G * D + 2 * GROUP
            first = parts + (row * KV + head) * (SPLITS * size)
            place = g[:, None] * D + d[None, :]
            tl.store(first + split * size + place, mixed, mask=(g < G)[:, None])
            tl.store(first + split * size + G * D + g, top)
            tl.store(first + split * size + G * D + GROUP + g, total)
            tl.debug_barrier()  # all of this program's threads have stored before one of them says so
            counter = counters + row * KV + head
            if tl.atomic_add(counter, 1, sem="acq_rel", scope="gpu") == used - 1:
                top = tl.full((GROUP,), -1e30, tl.float32)
                total = tl.zeros((GROUP,), tl.float32)
                mixed = tl.zeros((GROUP, D), tl.float32)
                for other in range(used):
                    part = first + other * size
                    their_top = tl.load(part + G * D + g, cache_modifier=".cg")
                    higher = tl.maximum(top, their_top)
                    fade, raise_ = tl.exp2(top - higher), tl.exp2(their_top - higher)
                    theirs = tl.load(part + place, mask=(g < G)[:, None], other=0.0, cache_modifier=".cg")
                    total = total * fade + tl.load(part + G * D + GROUP + g, cache_modifier=".cg") * raise_
                    mixed = mixed * fade[:, None] + theirs * raise_[:, None]
                    top = higher
                tl.store(counter, 0)
                store_heads_mixed(mixed, total, out, row, head, g, d, G, KV, D)
