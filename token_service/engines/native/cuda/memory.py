"""The memory of all streams and of one step, allocated once: cache, states, and what the layers hand on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from swara.frames import SLOTS
from token_service.engines.native.cuda.layout import PAGE_TOKENS, PLAN_COLUMNS, STATE_COLUMNS
from token_service.engines.native.weights import LlamaShape, rope_frequencies


@dataclass(frozen=True)
class Batch:
    """One step's rows, M: views of the scratch memory (see Memory)."""

    plan: Tensor
    slots: Tensor
    positions: Tensor
    x: Tensor
    queries: Tensor
    mixed: Tensor
    gates: Tensor
    logits: Tensor
    codes: Tensor

    @property
    def rows(self) -> int:
        """M."""
        return self.plan.shape[0]


class Memory:
    """Everything but the weights. Slot and page 0 belong to nobody: rows that only fill up a batch point there.

    cache, per layer [pages, 2, kv_heads, PAGE_TOKENS, head_dim]; state [slots, STATE_COLUMNS] int32; table [slots,
    pages of a context] int32; seen [slots, 7, codebook + 1] uint8; turns [context, head_dim / 2, 2] float32.
    """

    def __init__(
        self,
        shape: LlamaShape,
        codebook_size: int,
        logits: int,
        slots: int,
        pages: int,
        context_tokens: int,
        most_rows: int,
        device: torch.device,
        dtype: torch.dtype,
        cache_dtype: torch.dtype,
    ) -> None:
        def empty(*size: int, kind: torch.dtype = dtype) -> Tensor:
            return torch.zeros(size, dtype=kind, device=device)

        heads = shape.heads * shape.head_dim
        ints = torch.int32
        self.shape, self.codebook_size = shape, codebook_size
        page = (2, shape.kv_heads, PAGE_TOKENS, shape.head_dim)
        self.cache = [empty(pages, *page, kind=cache_dtype) for _ in range(shape.layers)]
        self.state = empty(slots, STATE_COLUMNS, kind=ints)
        self.table = empty(slots, -(-context_tokens // PAGE_TOKENS), kind=ints)
        self.seen = empty(slots, SLOTS, codebook_size + 1, kind=torch.uint8)
        self.turns = _turns(shape, context_tokens).to(device)
        self._whole = Batch(
            plan=empty(most_rows, PLAN_COLUMNS, kind=ints),
            slots=empty(most_rows, kind=ints),
            positions=empty(most_rows, kind=ints),
            x=empty(most_rows, shape.hidden),
            queries=empty(most_rows, heads),
            mixed=empty(most_rows, heads),
            gates=empty(most_rows, shape.mlp),
            logits=empty(most_rows, logits, kind=torch.float32),
            codes=empty(most_rows, SLOTS, kind=ints),
        )

    def batch(self, rows: int) -> Batch:
        """The first so many rows of the scratch memory; steps follow each other on one stream and share it."""
        return Batch(**{name: tensor[:rows] for name, tensor in vars(self._whole).items()})


def _turns(shape: LlamaShape, context_tokens: int) -> Tensor:
    angles = torch.arange(context_tokens, dtype=torch.float32)[:, None] * rope_frequencies(shape).cpu()
    return torch.stack([angles.cos(), angles.sin()], -1).contiguous()
