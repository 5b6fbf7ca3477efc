"""Which cut of each of the CUDA engine's kernels is fastest, and what a whole step takes with the cuts found."""

import itertools
import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from typing import Any

import torch
import triton

from benchmarks.engine_kernels import fill_states
from benchmarks.kernel_times import graph_microseconds
from benchmarks.offline import compile_for, empty_parts
from benchmarks.orpheus import SHAPE, Parts, fewer_layers, parts
from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.fused import FusedKernels, compiled
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.step import frame
from token_service.engines.native.cuda.tiles import Fast, Shares, Tile, Tiling, Tuned

# A multiprocessor's shared memory, and what a tile's sums may take of its registers: 64 floats a thread.
SHARED_BYTES = 200_000
FLOATS_PER_THREAD = 64
CONTEXT_TOKENS = 640
COMPILED_A_SECOND = 2.0  # by one processor


class Trial(Tiling):
    """One tile or one way to share, whatever is asked for."""

    def __init__(self, choice: Tile | Shares | None) -> None:
        self.choice = choice

    def product(self, kind: str, rows: int, n: int, k: int) -> Tile | None:
        """The tile under trial."""
        return self.choice if isinstance(self.choice, Tile) else None

    def attention(self, rows: int) -> Shares:
        """The shares under trial."""
        return self.choice if isinstance(self.choice, Shares) else Shares(1)


def candidates(kind: str, rows: int, n: int, k: int, quantised: bool) -> list[Tile | Shares | None]:
    """Cuts worth a try, with no more programs' sums than fit."""
    if kind == "attention":
        splits = [s for s in (1, 2, 4, 8, 16, 32) if s * rows <= 512]
        return [Shares(s, w, g) for s, w, g in itertools.product(splits, (2, 4, 8), (1, 2, 3))]
    tiles: Iterator[Tile]
    if rows == 1:
        cuts = itertools.product((4, 8, 16, 32), (256, 512, 1024), (1, 2, 4), (2, 4, 8), (1, 2, 4))
        tiles = (Tile(1, *cut) for cut in cuts)
    elif rows <= 16:
        cuts = itertools.product((16, 32, 64, 128), (64, 128, 256), (1, 2, 4, 8), (4, 8), (3, 4, 5))
        tiles = (Tile(max(8, rows), *cut) for cut in cuts)
    else:
        cuts = itertools.product((64, 128), (64, 128), (1, 2, 4), (4, 8), (3, 4))
        tiles = (Tile(m, *cut) for m in (32, 64, 128) if m <= max(rows, 32) for cut in cuts)
    found: list[Tile | Shares | None] = [tile for tile in tiles if _sensible(tile, kind, rows, n, k)]
    return found if quantised or kind == "logits" else [*found, None]


def _sensible(tile: Tile, kind: str, rows: int, n: int, k: int) -> bool:
    loads_of_x = 1 if kind in ("out", "down") else 2  # once more for the norm
    shared = tile.stages * tile.depth * (tile.columns + loads_of_x * tile.rows) * 2
    sums = tile.columns * (tile.depth if tile.rows == 1 else tile.rows) / (32 * tile.warps)
    programs = n // tile.columns * tile.splits * -(-rows // tile.rows)
    return (
        shared <= SHARED_BYTES
        and 4 <= sums + 4 * (tile.rows > 1) <= FLOATS_PER_THREAD
        and k % (tile.depth * tile.splits) == 0
        and n % tile.columns == 0
        and (tile.splits == 1 or programs <= 1500)
        and programs >= 96
        and (kind != "heads" or tile.columns <= 128)
    )


def tune(
    device: torch.device, early: bool, storage: Storage, rungs: tuple[int, ...], budget_seconds: float
) -> tuple[Tuned, list[dict[str, Any]]]:
    """The fastest cut for every kind and rung, each timed over all layers so that no weights stay in the cache.

    Other processes compile meanwhile; a cut is timed as soon as its kernel lies in Triton's cache.
    """
    began = time.perf_counter()
    made = parts(fewer_layers(12), device, max(rungs), CONTEXT_TOKENS, storage)
    kinds = [*made.sizes, ("attention", 0, 0)]
    jobs = [(kind, rows, n, k) for rows in rungs for kind, n, k in kinds]
    most = int(budget_seconds * COMPILED_A_SECOND * (os.cpu_count() or 1) / len(jobs))
    tuned, lines = Tuned(), list[dict[str, Any]]()
    choices = {job[:2]: _thinned(candidates(*job, storage is not Storage.WHOLE), most) for job in jobs}
    times: dict[tuple[str, int], dict[Tile | Shares | None, float]] = {job: {} for job in choices}
    target = triton.runtime.driver.active.get_current_target()
    with ProcessPoolExecutor(
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin_compiling,
        initargs=(target, early, storage, max(rungs)),
    ) as pool:
        # A cut for each in turn, so that all have had as many tries when the time is over.
        turns = itertools.zip_longest(*([(job, choice) for choice in choices[job]] for job in choices))
        waiting = {
            pool.submit(_compile, kind, rows, choice): (kind, rows, choice)
            for (kind, rows), choice in filter(None, itertools.chain(*turns))
        }
        left = budget_seconds - (time.perf_counter() - began)
        with suppress(TimeoutError):
            for compiling in as_completed(waiting, timeout=left):
                kind, rows, choice = waiting[compiling]
                if not compiling.exception():
                    with suppress(Exception):
                        times[kind, rows][choice] = _time(made, early, kind, rows, choice)
        pool.shutdown(wait=True, cancel_futures=True)
    for (kind, rows), found in times.items():
        if not found:
            print(f"{kind} at {rows} rows: nothing ran", flush=True)
            continue
        best = min(found, key=lambda choice: found[choice])
        tuned[kind, rows] = best
        lines.append(_line(made, kind, rows, best, found))
        print(_text(lines[-1]), flush=True)
    return tuned, lines


def _line(
    made: Parts, kind: str, rows: int, best: Tile | Shares | None, times: dict[Tile | Shares | None, float]
) -> dict[str, Any]:
    return {
        "kind": kind, "rows": rows, "best": str(best), "us": times[best], "tried": len(times),
        "terabytes_per_second": _bytes(made, kind, rows) / times[best] / 1e6, "cublas_us": times.get(None),
    }  # fmt: skip


def _text(line: dict[str, Any]) -> str:
    cublas = f"   cuBLAS {line['cublas_us']:7.1f} us" if line["cublas_us"] else ""
    speed = f"{line['us']:8.1f} us {line['terabytes_per_second']:5.2f} TB/s, {line['tried']:>3} tried"
    return f"{line['kind']:<9} rows {line['rows']:>3} {speed}: {line['best']}{cublas}"


def _time(made: Parts, early: bool, kind: str, rows: int, choice: Tile | Shares | None) -> float:
    """Microseconds a layer."""
    made.place(rows, 500)
    kernels = FusedKernels(made.memory, made.model.embedding, 0, Trial(choice), early, made.rows)
    kernels.reserve([size for size in made.sizes if size[0] == kind], [rows])
    layers = len(made.model.layers)
    return graph_microseconds(lambda: _launch(made, kernels, kind, rows, layers), 5) / layers


_offline: dict[str, Any] = {}


def _begin_compiling(target: Any, early: bool, storage: Storage, most_rows: int) -> None:
    """In a process that only compiles."""
    compile_for(target)
    made = empty_parts(most_rows, CONTEXT_TOKENS, storage)
    trial = Trial(None)
    kernels = FusedKernels(made.memory, made.model.embedding, 0, trial, early, most_rows)
    kernels.start = compiled
    _offline.update(made=made, trial=trial, kernels=kernels)


def _compile(kind: str, rows: int, choice: Tile | Shares | None) -> None:
    made: Parts = _offline["made"]
    _offline["trial"].choice = choice
    _offline["kernels"].reserve([size for size in made.sizes if size[0] == kind], [rows])
    _launch(made, _offline["kernels"], kind, rows, 1)


def _thinned(choices: list[Any], most: int) -> list[Any]:
    """At most so many, cuBLAS the first of them, the others drawn."""
    tiles = [choice for choice in choices if choice is not None]
    drawn = random.Random(0).sample(tiles, min(most, len(tiles)))
    return [*([None] if None in choices else []), *drawn]


def _launch(made: Parts, kernels: FusedKernels, kind: str, rows: int, layers: int) -> None:
    batch, slots = made.memory.batch(rows), made.model.slot_heads
    for index in range(layers):
        layer, cache = made.model.layers[index], made.memory.cache[index]
        match kind:
            case "heads":
                kernels.heads(batch, layer.heads, cache)
            case "attention":
                kernels.attend(batch, cache)
            case "out":
                kernels.add(kind, batch.mixed, layer.out, batch.x)
            case "gate_up":
                kernels.gate_up(batch, layer.gate_up)
            case "down":
                kernels.add(kind, batch.gates, layer.down, batch.x)
            case _:
                kernels.logits(batch, slots[index % len(slots)])


def _bytes(made: Parts, kind: str, rows: int) -> int:
    if kind == "attention":
        shape = made.memory.shape
        return rows * 501 * 2 * shape.kv_heads * shape.head_dim * made.memory.cache[0].element_size()
    matrix = made.model.slot_heads[0] if kind == "logits" else getattr(made.model.layers[0], kind)
    return int(matrix.nbytes)


def step_times(device: torch.device, early: bool, tuned: Tuned, rungs: tuple[int, ...]) -> list[dict[str, Any]]:
    """A whole step of the whole model, with and without early starts and weights asked for ahead."""
    made, lines = parts(SHAPE, device, max(rungs), 640), []
    for rows, (name, ahead, starts) in itertools.product(
        rungs, (("plain launches", 0, False), ("early", 0, early), ("early, ahead 512", 512, early),
                ("early, ahead 1024", 1024, early), ("early, ahead 3072", 3072, early)),
    ):  # fmt: skip
        cut = {key: _with_ahead(choice, ahead) for key, choice in tuned.items()}
        made.place(rows, 500)
        fill_states(made, 0)
        made.memory.state[:, layout.LENGTH], made.memory.state[:, layout.TOKEN] = 501, 5
        kernels, batch = made.fused(Fast(cut), starts), made.memory.batch(rows)
        us = graph_microseconds(lambda: frame(kernels, made.model, made.memory.cache, batch), 5) / 7  # noqa: B023
        lines.append({"rows": rows, "how": name, "step_us": us, "tokens_per_second_per_stream": 1e6 / us})
        print(f"rows {rows:>3} {name:<18} step {us / 1000:7.3f} ms  {1e6 / us:6.1f} tok/s a stream", flush=True)
    return lines


def _with_ahead(choice: Tile | Shares | None, ahead: int) -> Tile | Shares | None:
    if not isinstance(choice, Tile):
        return choice
    return Tile(choice.rows, choice.columns, choice.depth, choice.splits, choice.warps, choice.stages, ahead)
