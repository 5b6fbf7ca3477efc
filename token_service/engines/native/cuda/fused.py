"""The Triton kernels of a step, and cuBLAS where the tiling leaves a product to it."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import gcd
from typing import Any

import torch
from torch import Tensor
from triton import AsyncCompileMode, cdiv, next_power_of_2

from token_service.engines.native.cuda import attention, drawing, products
from token_service.engines.native.cuda.matrix import Matrix
from token_service.engines.native.cuda.memory import Batch, Memory
from token_service.engines.native.cuda.step import Model, frame
from token_service.engines.native.cuda.tiles import Tile, Tiling

# Columns of a product that one program of the gate kernel takes, and heads that one of split_heads takes: each program
# reads its row of x once more for the norm.
_GATE_COLUMNS = 4096
_HEADS_EACH = 8
# Rows that the tensor cores take anyway.
_LEAST_GROUP = 16


def launched(kernel: Any, grid: tuple[int, ...], *arguments: Any, **named: Any) -> None:
    """Starts a kernel."""
    kernel[grid](*arguments, **named)


def compiled(kernel: Any, grid: tuple[int, ...], *arguments: Any, **named: Any) -> None:
    """Compiles a kernel for these arguments and does not start it."""
    kernel.warmup(*arguments, grid=grid, **named)


class FusedKernels:
    """See Kernels in step.py. `early` lets each kernel start while the one before it ends (Hopper and later)."""

    def __init__(
        self, memory: Memory, embedding: Tensor, first_code_id: int, tiling: Tiling, early: bool, most_rows: int
    ) -> None:
        self._memory, self._embedding, self._first_id = memory, embedding, first_code_id
        self._shape = memory.shape
        self._early = {"EARLY": True, "launch_pdl": True} if early else {"EARLY": False}
        self._row_block = next_power_of_2(self._shape.hidden)
        heads = (self._shape.heads + 2 * self._shape.kv_heads) * self._shape.head_dim
        device, dtype = embedding.device, embedding.dtype
        wide = max(heads, 2 * memory.batch(1).gates.shape[1])
        self._wide = torch.zeros(most_rows * wide, dtype=dtype, device=device)
        self._parts = torch.zeros(0, device=device)
        self._counters = torch.zeros(0, dtype=torch.int32, device=device)
        self.tiling = tiling
        self.start: Callable[..., None] = launched

    def reserve(self, model_sizes: Iterable[tuple[str, int, int]], ladder: Iterable[int]) -> None:
        """Room for the sums of split products [(kind, n, k)] and attention at all these numbers of rows."""
        floats, counters = 1, 1
        sizes = list(model_sizes)
        for rows in ladder:
            shares = self.tiling.attention(rows)
            pairs = rows * self._shape.kv_heads
            needs = [(pairs * shares.splits * self._attention_floats, pairs)]
            for kind, n, k in sizes:
                tile = self._tile(kind, rows, n, k)
                if tile:
                    tiles = cdiv(rows, tile.rows) * cdiv(n, tile.columns)
                    needs.append((tiles * tile.splits * tile.rows * (tile.columns + 1), tiles))
            floats, counters = max(floats, *(need[0] for need in needs)), max(counters, *(need[1] for need in needs))
        if floats > self._parts.numel():
            self._parts = torch.zeros(floats, device=self._parts.device)
        if counters > self._counters.numel():
            self._counters = torch.zeros(counters, dtype=torch.int32, device=self._parts.device)

    def prepare(self, model: Model, memory: Memory, rungs: Iterable[int]) -> None:
        """Reserves room and compiles, all processors at work, what steps of these numbers of rows will start."""
        rungs = list(rungs)
        sizes = [(kind, matrix.rows, matrix.columns) for kind, matrix in vars(model.layers[0]).items()]
        self.reserve([*sizes, ("logits", model.slot_heads[0].rows, model.slot_heads[0].columns)], rungs)
        if self._embedding.device.type != "cuda":
            return
        one_layer = replace(model, layers=model.layers[:1])
        self.start = compiled
        with ThreadPoolExecutor() as threads, AsyncCompileMode(threads):
            for rows in rungs:
                frame(self, one_layer, memory.cache[:1], memory.batch(rows))
        self.start = launched

    def enter(self, batch: Batch) -> None:
        """One program a row. Begins a step, so it waits for the end of whatever came before."""
        self.start(
            drawing.enter, (batch.rows,), batch.plan, self._memory.state, self._embedding, batch.x, batch.slots,
            batch.positions, batch.rows, self._shape.hidden, self._row_block, self._early["EARLY"],
        )  # fmt: skip

    def heads(self, batch: Batch, matrix: Matrix, cache: Tensor) -> None:
        """One kernel, or a product of cuBLAS and one kernel."""
        shape, table = self._shape, self._memory.table
        places = (batch.slots, batch.positions, self._memory.turns, batch.queries, cache, table)
        sizes = (shape.heads, shape.kv_heads, shape.head_dim, shape.hidden)
        tile = self._tile("heads", batch.rows, matrix.rows, matrix.columns)
        if tile:
            self.start(
                products.heads_product, self._grid(tile, batch.rows, matrix.rows), batch.x, matrix.values,
                self._scales(matrix), *places, self._parts, self._counters, batch.rows, table.shape[1],
                shape.norm_epsilon, *sizes, tile.span(matrix.columns), **self._cut(tile, matrix), **self._early,
            )  # fmt: skip
        else:
            product = self._cublas(batch.x, matrix)
            heads = shape.heads + 2 * shape.kv_heads
            each = gcd(_HEADS_EACH, heads)
            self.start(
                products.split_heads, (batch.rows, heads // each), batch.x, product, *places, batch.rows,
                table.shape[1], shape.norm_epsilon, *sizes, self._row_block, each, **self._early,
            )  # fmt: skip

    def attend(self, batch: Batch, cache: Tensor) -> None:
        """One kernel."""
        shape, table = self._shape, self._memory.table
        shares = self.tiling.attention(batch.rows)
        self._check(batch.rows * shape.kv_heads * shares.splits * self._attention_floats, batch.rows * shape.kv_heads)
        self.start(
            attention.attention, (batch.rows, shape.kv_heads, shares.splits), batch.queries, cache, table, batch.slots,
            batch.positions, batch.mixed, self._parts, self._counters, batch.rows, table.shape[1], shape.kv_heads,
            self._group, self._padded_group, shape.head_dim, shares.splits, shares.stages, num_warps=shares.warps,
            **self._early,
        )  # fmt: skip

    def add(self, kind: str, inputs: Tensor, matrix: Matrix, x: Tensor) -> None:
        """One kernel of ours or of cuBLAS."""
        if not self._product(products.ADD, kind, inputs, matrix, x):
            torch.addmm(x, inputs, matrix.values.t(), out=x)

    def gate_up(self, batch: Batch, matrix: Matrix) -> None:
        """One kernel, or a product of cuBLAS and one kernel."""
        if not self._product(products.GATE, "gate_up", batch.x, matrix, batch.gates):
            product = self._cublas(batch.x, matrix)
            self.start(
                products.gate, (batch.rows, cdiv(matrix.rows, _GATE_COLUMNS)), batch.x, product, batch.gates,
                batch.rows, self._shape.norm_epsilon, matrix.columns, matrix.rows, self._row_block, _GATE_COLUMNS,
                **self._early,
            )  # fmt: skip

    def logits(self, batch: Batch, matrix: Matrix) -> None:
        """One kernel."""
        if not self._product(products.LOGITS, "logits", batch.x, matrix, batch.logits):
            raise AssertionError("cuBLAS gives no float32 logits of bfloat16: the tiling must have a tile for them")

    def draw(self, batch: Batch, slot_index: int) -> None:
        """One program a row."""
        memory = self._memory
        self.start(
            drawing.draw, (batch.rows,), batch.logits, batch.plan, memory.state, memory.seen, batch.codes,
            self._embedding, batch.x, batch.positions, batch.rows, slot_index,
            self._first_id + slot_index * memory.codebook_size, memory.codebook_size, batch.logits.shape[1],
            self._shape.hidden, self._row_block, num_warps=8, **self._early,
        )  # fmt: skip

    def _product(self, operation: int, kind: str, x: Tensor, matrix: Matrix, out: Tensor) -> bool:
        rows = x.shape[0]
        tile = self._tile(kind, rows, matrix.rows, matrix.columns)
        if not tile:
            return False
        self.start(
            products.product, self._grid(tile, rows, matrix.rows), x, matrix.values, self._scales(matrix), out,
            self._parts, self._counters, rows, self._shape.norm_epsilon, matrix.rows, matrix.columns,
            tile.span(matrix.columns), operation, **self._cut(tile, matrix), **self._early,
        )  # fmt: skip
        return True

    def _tile(self, kind: str, rows: int, n: int, k: int) -> Tile | None:
        tile = self.tiling.product(kind, rows, n, k)
        if kind == "heads" and tile:  # whose programs each have one head
            return replace(tile, columns=min(tile.columns, self._shape.head_dim))
        return tile

    def _grid(self, tile: Tile, rows: int, n: int) -> tuple[int, int]:
        tiles = cdiv(rows, tile.rows) * cdiv(n, tile.columns)
        if tile.splits > 1:
            self._check(tiles * tile.splits * tile.rows * (tile.columns + 1), tiles)
        return tiles, tile.splits

    def _check(self, floats: int, counters: int) -> None:
        if floats > self._parts.numel() or counters > self._counters.numel():
            raise AssertionError(f"room for {self._parts.numel()} floats was reserved, {floats} are needed")

    def _cut(self, tile: Tile, matrix: Matrix) -> dict[str, Any]:
        return {
            "SCALED": matrix.scales is not None,
            "EVEN": tile.even(matrix.rows, matrix.columns),
            "BM": tile.rows,
            "BN": tile.columns,
            "BK": tile.depth,
            "SPLITS": tile.splits,
            "STAGES": tile.stages,
            "AHEAD": tile.ahead if self._early["EARLY"] else 0,
            "num_warps": tile.warps,
        }

    def _scales(self, matrix: Matrix) -> Tensor:
        return self._parts if matrix.scales is None else matrix.scales

    def _cublas(self, x: Tensor, matrix: Matrix) -> Tensor:
        product = self._wide[: x.shape[0] * matrix.rows].view(x.shape[0], matrix.rows)
        return torch.mm(x, matrix.values.t(), out=product)

    @property
    def _group(self) -> int:
        return self._shape.heads // self._shape.kv_heads

    @property
    def _padded_group(self) -> int:
        return max(_LEAST_GROUP, int(next_power_of_2(self._group)))

    @property
    def _attention_floats(self) -> int:
        return self._group * self._shape.head_dim + 2 * self._padded_group
