"""The CUDA engine's kernels one by one: how exact each is, and whether it repeats itself."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.kernel_times import graph_microseconds
from benchmarks.orpheus import Parts, around, exact, fewer_layers, parts
from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.fused import FusedKernels
from token_service.engines.native.cuda.memory import Batch
from token_service.engines.native.cuda.step import Kernels, read
from token_service.engines.native.cuda.tiles import TUNED, Fast, Steady

ERROR_ROWS = (1, 5, 16, 64, 256)
ERROR_CONTEXT_TOKENS = 1024

Piece = Callable[[Kernels, Parts, Batch], Tensor]
"""Runs one kernel of layer 0 and gives what it wrote."""


def _heads(kernels: Kernels, made: Parts, batch: Batch) -> Tensor:
    kernels.heads(batch, made.model.layers[0].heads, made.memory.cache[0])
    slots, position = batch.slots.long(), batch.positions.long()
    page = made.memory.table[slots, position // layout.PAGE_TOKENS].long()
    kept = made.memory.cache[0][page, :, :, position % layout.PAGE_TOKENS]
    return torch.cat([batch.queries, kept.flatten(1)], 1)


def _attend(kernels: Kernels, made: Parts, batch: Batch) -> Tensor:
    kernels.attend(batch, made.memory.cache[0])
    return batch.mixed


def _out(kernels: Kernels, made: Parts, batch: Batch) -> Tensor:
    kernels.add("out", batch.mixed, made.model.layers[0].out, batch.x)
    return batch.x


def _gate_up(kernels: Kernels, made: Parts, batch: Batch) -> Tensor:
    kernels.gate_up(batch, made.model.layers[0].gate_up)
    return batch.gates


def _down(kernels: Kernels, made: Parts, batch: Batch) -> Tensor:
    kernels.add("down", batch.gates, made.model.layers[0].down, batch.x)
    return batch.x


def _logits(kernels: Kernels, made: Parts, batch: Batch) -> Tensor:
    kernels.logits(batch, made.model.slot_heads[2])
    return batch.logits


PIECES: dict[str, Piece] = {
    "heads": _heads, "attention": _attend, "out": _out, "gate_up": _gate_up, "down": _down, "logits": _logits,
}  # fmt: skip


def errors(device: torch.device, early: bool) -> list[dict[str, Any]]:
    """Each kernel beside plain torch in float32 and in bfloat16; and twice more, for the same bits."""
    made = parts(fewer_layers(2), device, max(ERROR_ROWS), ERROR_CONTEXT_TOKENS)
    wide = around(made.memory.shape, exact(made.model), made.rows, ERROR_CONTEXT_TOKENS, torch.float32)
    lines = []
    for (name, tiling), rows in itertools.product((("fast", Fast(TUNED)), ("steady", Steady())), ERROR_ROWS):
        kernels = made.fused(tiling, early)
        for piece in PIECES:
            line = {"kernel": piece, "tiling": name, "rows": rows} | _tried(piece, kernels, made, wide, rows)
            lines.append(line)
            print(_error_text(line), flush=True)
    for rows in (1, 64):
        lines.append({"kernel": "draw", "rows": rows} | _draw_agreement(made, early, rows))
        print(lines[-1], flush=True)
    return lines


def _tried(piece: str, kernels: FusedKernels, made: Parts, wide: Parts, rows: int) -> dict[str, Any]:
    try:
        return _errors_of(PIECES[piece], kernels, made, wide, rows)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def _errors_of(piece: Piece, kernels: FusedKernels, made: Parts, wide: Parts, rows: int) -> dict[str, Any]:
    made.place(rows)
    batch, exact_batch = made.memory.batch(rows), wide.memory.batch(rows)
    kept = {name: tensor.clone() for name, tensor in vars(batch).items()}
    for name, tensor in kept.items():
        getattr(exact_batch, name).copy_(tensor)
    wide.memory.table.copy_(made.memory.table)
    wide.memory.cache[0].copy_(made.memory.cache[0])

    def again(given: Kernels) -> Tensor:
        for name, tensor in kept.items():
            getattr(batch, name).copy_(tensor)
        return piece(given, made, batch).clone()

    reference = piece(wide.plain, wide, exact_batch).clone()
    plain, ours = again(made.plain), again(kernels)
    same = all(torch.equal(ours, again(kernels)) for _ in range(3))
    return {"ours": _relative(ours, reference), "torch": _relative(plain, reference), "repeats": same}


def _relative(value: Tensor, reference: Tensor) -> float:
    return float((value.double() - reference.double()).norm() / reference.double().norm())


def _draw_agreement(made: Parts, early: bool, rows: int) -> dict[str, Any]:
    """How many of some hundred draws are those of torch."""
    equal = total = 0
    kernels = made.fused(Fast(TUNED), early)
    for trial in range(8):
        made.place(rows, 100)
        batch, memory = made.memory.batch(rows), made.memory
        batch.plan[:, layout.FLAGS] = layout.RUNS | layout.MAY_END
        batch.logits.normal_(0.0, 3.0)
        fill_states(made, trial)
        memory.seen.random_(0, 2)
        kept = memory.state.clone(), memory.seen.clone(), batch.positions.clone()
        codes = []
        for given in (made.plain, kernels):
            for tensor, before in zip((memory.state, memory.seen, batch.positions), kept, strict=True):
                tensor.copy_(before)
            given.draw(batch, trial % 7)
            codes.append(batch.codes[:, trial % 7].clone())
        equal += int((codes[0] == codes[1]).sum())
        total += rows
    return {"equal": equal, "of": total}


def fill_states(made: Parts, trial: int) -> None:
    """States of streams in the middle of their speech; odd trials have a top-k."""
    state = made.memory.state
    state.random_(0, 2**31 - 1)
    state[:, layout.ALIVE], state[:, layout.LENGTH] = 1, 101
    state[:, layout.TOP_K] = 50 * (trial % 2)
    floats = state.view(torch.float32)
    floats[:, layout.TEMPERATURE], floats[:, layout.TOP_P], floats[:, layout.PENALTY] = 0.6, 0.9, 1.1


def _error_text(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['kernel']:<10} {line['tiling']:<7} rows {line['rows']:>4}  FAILED {line['error']}"
    return (
        f"{line['kernel']:<10} {line['tiling']:<7} rows {line['rows']:>4}  ours {line['ours']:.2e}  torch bf16 "
        f"{line['torch']:.2e}  {'same bits' if line['repeats'] else 'BITS DIFFER FROM RUN TO RUN'}"
    )


def step_repeats(device: torch.device) -> dict[str, Any]:
    """Whether a captured step of two layers gives the same bits every time, with early starts and without."""
    made = parts(fewer_layers(2), device, 64, ERROR_CONTEXT_TOKENS)
    found = {}
    for rows in (1, 4, 64):
        results = []
        for early in (False, True):
            kernels = made.fused(Fast(TUNED), early)
            results += [_stepped(made, kernels, rows) for _ in range(10)]
        found[str(rows)] = sum(torch.equal(results[0], other) for other in results)
        print(f"rows {rows}: {found[str(rows)]} of 20 steps gave the same bits, half with early starts", flush=True)
    return found


def _stepped(made: Parts, kernels: Kernels, rows: int) -> Tensor:
    torch.manual_seed(1)
    made.place(rows)
    batch = made.memory.batch(rows)
    batch.plan[:, layout.PLAN_TOKEN] = torch.arange(rows) + 7
    batch.plan[:, layout.PLAN_POSITION] = 300
    graph_microseconds(lambda: read(kernels, made.model, made.memory.cache, batch), 1)
    return batch.x.clone()
