"""The kernels' work in plain torch operations: what they are checked against, and the way round one that fails.

Nothing here waits for the device, so it can be captured; attention gathers the whole context and is slow.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from token_service import sampling
from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.layout import PAGE_TOKENS
from token_service.engines.native.cuda.matrix import Matrix
from token_service.engines.native.cuda.memory import Batch, Memory


class PlainKernels:
    """One method for each kernel of a step; see Kernels in step.py for what they do."""

    def __init__(self, memory: Memory, embedding: Tensor, first_code_id: int) -> None:
        self._memory, self._embedding, self._first_id = memory, embedding, first_code_id

    def enter(self, batch: Batch) -> None:
        """Tokens and positions of the plan's rows."""
        slot, flags, token, position = batch.plan.unbind(1)
        state = self._memory.state[slot]
        newest = token < 0
        token = torch.where(newest, state[:, layout.TOKEN], token)
        position = torch.where(newest, state[:, layout.LENGTH] - 1, position)
        runs = ((flags & layout.RUNS) != 0) & ((state[:, layout.ALIVE] != 0) | ~newest)
        batch.slots.copy_(slot)
        batch.positions.copy_(torch.where(runs, position, -1))
        batch.x.copy_(self._embedding[token])

    def heads(self, batch: Batch, matrix: Matrix, cache: Tensor) -> None:
        """Norm, queries, keys and values; turned and stored."""
        shape = self._memory.shape
        y = self._normed(batch.x, matrix).unflatten(1, (-1, shape.head_dim))
        runs, position = batch.positions >= 0, batch.positions.clamp_min(0)
        turns = torch.view_as_complex(self._memory.turns)[position][:, None]
        turned = shape.heads + shape.kv_heads
        pairs = torch.view_as_complex(y[:, :turned].unflatten(-1, (-1, 2)).contiguous())
        y = torch.cat([torch.view_as_real(pairs * turns).flatten(-2), y[:, turned:]], 1)
        batch.queries.copy_(y[:, : shape.heads].flatten(1))
        # Rows that do not run write zeros to page 0, which belongs to nobody.
        page = torch.where(runs, self._memory.table[batch.slots, position // PAGE_TOKENS], 0)
        kept = y[:, shape.heads :].unflatten(1, (2, shape.kv_heads)).to(cache.dtype)
        kept = torch.where(runs[:, None, None, None], kept, torch.zeros((), dtype=cache.dtype, device=kept.device))
        cache.transpose(1, 3).index_put_((page, position % PAGE_TOKENS), kept.transpose(1, 2))

    def attend(self, batch: Batch, cache: Tensor) -> None:
        """Attention of each row over its pages."""
        shape = self._memory.shape
        pages = cache[self._memory.table[batch.slots]]
        keys, values = pages.permute(2, 0, 3, 1, 4, 5).flatten(3, 4).to(batch.queries.dtype)
        place = torch.arange(keys.shape[2], device=keys.device)
        here = (place <= batch.positions.clamp_min(0)[:, None])[:, None, None]
        # What a stream before left there may be no numbers, and 0 times such is none either.
        values = torch.where(here.transpose(-1, -2), values, 0)
        queries = batch.queries.view(batch.rows, shape.kv_heads, -1, shape.head_dim)
        mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=here)
        batch.mixed.copy_(mixed.reshape(batch.rows, -1))

    def add(self, kind: str, inputs: Tensor, matrix: Matrix, x: Tensor) -> None:
        """x += inputs by the matrix."""
        x.copy_((x.float() + _product(inputs, matrix)).to(x.dtype))

    def gate_up(self, batch: Batch, matrix: Matrix) -> None:
        """Norm and SwiGLU; gates and what they gate are neighbours."""
        gate, up = self._normed(batch.x, matrix).unflatten(1, (-1, 2)).unbind(2)
        batch.gates.copy_(F.silu(gate) * up)

    def logits(self, batch: Batch, matrix: Matrix) -> None:
        """Norm and the logits of one slot."""
        batch.logits.copy_(self._normed(batch.x, matrix))

    def draw(self, batch: Batch, slot_index: int) -> None:
        """A code for each row that runs, and its embedding."""
        memory, size, slot = self._memory, self._memory.codebook_size, batch.slots
        state = memory.state[slot]
        floats = state.view(torch.float32)
        seed = state[:, layout.SEED :].contiguous().view(torch.int64)[:, 0]
        rows = sampling.SamplingRows(
            floats[:, layout.TEMPERATURE],
            state[:, layout.TOP_K],
            floats[:, layout.TOP_P],
            floats[:, layout.PENALTY],
            seed,
        )
        logits = batch.logits[:, : size + 1].clone()
        sound = logits.sum(1).isfinite()
        may_end = (batch.plan[:, layout.FLAGS] & layout.MAY_END) != 0
        logits[:, size].masked_fill_(~may_end if slot_index == 0 else torch.ones_like(may_end), sampling.NEVER)
        seen, spoken = memory.seen[slot, slot_index] != 0, state[:, layout.SPOKEN].long()
        code = sampling.draw(logits, seen, rows, spoken, sampling.always_cut).int()
        runs = batch.positions >= 0
        goes_on = runs & sound & (code < size)
        told = torch.where(sound, code, layout.BROKEN)
        batch.codes[:, slot_index].copy_(torch.where(runs, told, layout.NOT_RUN))
        token = self._first_id + slot_index * size + code.clamp_max(size - 1)
        new = state.clone()
        new[:, layout.TOKEN] = token
        new[:, layout.LENGTH] = batch.positions + 2
        new[:, layout.SPOKEN] += 1
        new = torch.where(goes_on[:, None], new, state)
        new[:, layout.ALIVE] = torch.where(runs & ~goes_on, 0, new[:, layout.ALIVE])
        memory.state.index_copy_(0, slot.long(), new)
        # Rows that do not go on mark the end of slot 0, which nobody reads.
        memory.seen.index_put_(
            (torch.where(goes_on, slot, 0), torch.full_like(slot, slot_index), torch.where(goes_on, code, size)),
            torch.ones_like(slot, dtype=torch.uint8),
        )
        batch.x.copy_(self._embedding[token])
        batch.positions.copy_(torch.where(goes_on, batch.positions + 1, -1))

    def _normed(self, x: Tensor, matrix: Matrix) -> Tensor:
        wide = x.float()
        factor = (wide.square().mean(1, keepdim=True) + self._memory.shape.norm_epsilon).rsqrt()
        return _product(x, matrix) * factor


def _product(x: Tensor, matrix: Matrix) -> Tensor:
    """x [M, K] by a matrix, float32; the numbers are multiplied as x's type."""
    if matrix.scales is None:
        return (x @ matrix.values.t()).float()
    return (x @ matrix.values.to(x.dtype).t()).float() * matrix.scales
