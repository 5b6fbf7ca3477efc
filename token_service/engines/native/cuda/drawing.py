"""Entering a frame and drawing a code, one program a row: the same arithmetic as token_service.sampling, on the device.

A slot's state (see layout.py) lives on the device, so that the next frame needs nothing from the host.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs

import triton
import triton.language as tl

from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.pieces import VARYING, follow, gumbel, mixed_bits, ordered

_S = tl.constexpr(layout.STATE_COLUMNS)
_TOKEN, _LENGTH = tl.constexpr(layout.TOKEN), tl.constexpr(layout.LENGTH)
_SPOKEN, _ALIVE = tl.constexpr(layout.SPOKEN), tl.constexpr(layout.ALIVE)
_TEMPERATURE, _PENALTY = tl.constexpr(layout.TEMPERATURE), tl.constexpr(layout.PENALTY)
_TOP_K, _TOP_P, _SEED = tl.constexpr(layout.TOP_K), tl.constexpr(layout.TOP_P), tl.constexpr(layout.SEED)
_P = tl.constexpr(layout.PLAN_COLUMNS)
_SLOT, _FLAGS = tl.constexpr(layout.SLOT), tl.constexpr(layout.FLAGS)
_PLAN_TOKEN, _PLAN_POSITION = tl.constexpr(layout.PLAN_TOKEN), tl.constexpr(layout.PLAN_POSITION)
_RUNS, _MAY_END = tl.constexpr(layout.RUNS), tl.constexpr(layout.MAY_END)
_BROKEN, _NOT_RUN = tl.constexpr(layout.BROKEN), tl.constexpr(layout.NOT_RUN)
_GREEDY_BELOW = tl.constexpr(1e-5)  # token_service.sampling.GREEDY_BELOW
_LOWEST = tl.constexpr(-(2**31))


@triton.jit
def embed(x, embedding, row, token, K: tl.constexpr, BLOCK: tl.constexpr):
    """Row `row` of x [M, K] becomes the token's embedding."""
    c = tl.arange(0, BLOCK)
    value = tl.load(embedding + token.to(tl.int64) * K + c, mask=c < K)
    tl.store(x + row * K + c, value, mask=c < K)


@triton.jit(do_not_specialize=VARYING)
def enter(plan, state, embedding, x, slots, positions, M, K: tl.constexpr, BLOCK: tl.constexpr, EARLY: tl.constexpr):
    """A plan's rows as the layers want them: x [M, K], slots [M], positions [M]."""
    follow(EARLY)
    row = tl.program_id(0)
    own = plan + row * _P
    slot = tl.load(own + _SLOT)
    kept = state + slot * _S
    given = tl.load(own + _PLAN_TOKEN)
    newest = given < 0
    token = tl.where(newest, tl.load(kept + _TOKEN), given)
    position = tl.where(newest, tl.load(kept + _LENGTH) - 1, tl.load(own + _PLAN_POSITION))
    runs = ((tl.load(own + _FLAGS) & _RUNS) != 0) & ((tl.load(kept + _ALIVE) != 0) | (given >= 0))
    tl.store(slots + row, slot)
    tl.store(positions + row, tl.where(runs, position, -1))
    embed(x, embedding, row, token, K, BLOCK)


@triton.jit
def bits_float(pointer):
    """A float32 that is stored as its bits."""
    return tl.load(pointer).to(tl.float32, bitcast=True)


@triton.jit
def least_key(weight, end_weight, key, end_key, limit):
    """The least t, as int32, for which the weights of keys above t sum up to less than `limit`."""
    low = tl.full((), _LOWEST, tl.int64)
    high = tl.maximum(tl.max(key, 0), end_key).to(tl.int64)
    while low < high:
        middle = (low + high) >> 1
        above = tl.sum(tl.where(key > middle, weight, 0.0), 0) + tl.where(end_key > middle, end_weight, 0.0)
        enough = above < limit
        high = tl.where(enough, middle, high)
        low = tl.where(enough, low, middle + 1)
    return high.to(tl.int32)


@triton.jit
def kept_keys(weight, end_weight, key, end_key, limit):
    """Which of the descending sequence of keys come before the weights of their forerunners reach `limit`: [C] and
    whether END_OF_SPEECH does. Of equal keys the first come first, END_OF_SPEECH last.
    """
    edge = least_key(weight, end_weight, key, end_key, limit)
    above = tl.sum(tl.where(key > edge, weight, 0.0), 0) + tl.where(end_key > edge, end_weight, 0.0)
    equal = key == edge
    each = tl.maximum(tl.max(tl.where(equal, weight, 0.0), 0), tl.where(end_key == edge, end_weight, 0.0))
    ahead = tl.cumsum(equal.to(tl.int32), 0) - 1
    keep = (key > edge) | (equal & (above + ahead * each < limit))
    end_ahead = tl.sum(equal.to(tl.int32), 0)
    keep_end = (end_key > edge) | ((end_key == edge) & (above + end_ahead * each < limit))
    return keep, keep_end


@triton.jit
def chosen(logits, end, position, kept, seen, C: tl.constexpr):
    """The index 0..C that a row draws from its logits [C] and END_OF_SPEECH's `end`."""
    penalty = bits_float(kept + _PENALTY)
    c = tl.arange(0, C)
    logits = tl.where(tl.load(seen + c) != 0, tl.where(logits > 0, logits / penalty, logits * penalty), logits)
    end = tl.where(tl.load(seen + C) != 0, tl.where(end > 0, end / penalty, end * penalty), end)
    temperature = bits_float(kept + _TEMPERATURE)
    score, end_score = logits, end
    if temperature >= _GREEDY_BELOW:
        score, end_score = logits / temperature, end / temperature
        key, end_key = ordered(score), ordered(end_score)
        keep = key > _LOWEST
        keep_end = end_key > _LOWEST
        top_k, top_p = tl.load(kept + _TOP_K), bits_float(kept + _TOP_P)
        if top_k > 0:
            ones = keep.to(tl.float32)
            keep, keep_end = kept_keys(ones, 1.0, key, end_key, top_k.to(tl.float32))
        if top_p < 1.0:
            top = tl.maximum(tl.max(score, 0), end_score)
            weight = tl.where(keep, tl.exp(score - top), 0.0)
            end_weight = tl.where(keep_end, tl.exp(end_score - top), 0.0)
            total = tl.sum(weight, 0) + end_weight
            likely, likely_end = kept_keys(weight / total, end_weight / total, key, end_key, top_p)
            keep, keep_end = keep & likely, keep_end & likely_end
        low = tl.load(kept + _SEED).to(tl.int64) & 0xFFFFFFFF
        seed = low | (tl.load(kept + _SEED + 1).to(tl.int64) << 32)
        row_key = mixed_bits(seed, position.to(tl.int64))
        score = tl.where(keep, score + gumbel(mixed_bits(row_key, c.to(tl.int64))), float("-inf"))
        end_noise = gumbel(mixed_bits(row_key, tl.full((), C, tl.int64)))
        end_score = tl.where(keep_end, end_score + end_noise, float("-inf"))
    best = tl.argmax(score, 0)
    return tl.where(end_score > tl.max(score, 0), C, best)


@triton.jit(do_not_specialize=VARYING)
def draw(logits, plan, state, seen, codes, embedding, x, positions, M, slot_index, first_id, C: tl.constexpr,
         PITCH: tl.constexpr, K: tl.constexpr, BLOCK: tl.constexpr, EARLY: tl.constexpr):  # fmt: skip
    """Draws one code a row from logits [M, PITCH], C codes and END_OF_SPEECH, and makes it the row's next token.

    `seen` [slots, 7, C + 1] uint8; codes [M, 7] int32 gets the code, C for the end, BROKEN or NOT_RUN.
    """
    follow(EARLY)
    row = tl.program_id(0)
    own = plan + row * _P
    slot = tl.load(own + _SLOT)
    kept = state + slot * _S
    position = tl.load(positions + row)
    if position < 0:
        tl.store(codes + row * 7 + slot_index, _NOT_RUN)
    else:
        spoken = tl.load(kept + _SPOKEN)
        marks = seen + (slot * 7 + slot_index).to(tl.int64) * (C + 1)
        value = tl.load(logits + row * PITCH + tl.arange(0, C))
        end = tl.load(logits + row * PITCH + C)
        # 0 times a number is 0; times infinity, or what is no number, it is neither.
        sound = (tl.sum(value * 0.0, 0) + end * 0.0) == 0.0
        legal = (slot_index == 0) & ((tl.load(own + _FLAGS) & _MAY_END) != 0)
        end = tl.where(legal, end, float("-inf"))
        code = chosen(value, end, spoken, kept, marks, C)
        goes_on = sound & (code < C)
        tl.store(codes + row * 7 + slot_index, tl.where(sound, code, _BROKEN))
        tl.store(positions + row, tl.where(goes_on, position + 1, -1))
        if goes_on:
            token = first_id + code
            tl.store(marks + code, 1)
            tl.store(kept + _TOKEN, token)
            tl.store(kept + _LENGTH, position + 2)
            tl.store(kept + _SPOKEN, spoken + 1)
            embed(x, embedding, row, token, K, BLOCK)
        else:
            tl.store(kept + _ALIVE, 0)
