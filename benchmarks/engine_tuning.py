"""Which cut of each of the CUDA engine's kernels is fastest, and what a whole step takes with the cuts found."""

import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch

from benchmarks.engine_kernels import fill_states
from benchmarks.kernel_times import compile_all, graph_microseconds
from benchmarks.orpheus import SHAPE, Parts, fewer_layers, parts
from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.fused import FusedKernels, compiled, launched
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.step import frame
from token_service.engines.native.cuda.tiles import Fast, Shares, Tile, Tiling, Tuned

# A multiprocessor's shared memory, and what a tile's sums may take of its registers: 64 floats a thread.
SHARED_BYTES = 200_000
FLOATS_PER_THREAD = 64


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
        cuts = itertools.product((4, 8, 16, 32), (256, 512, 1024), (1, 2, 4), (2, 4, 8), (2, 4))
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
    shared = tile.stages * tile.depth * (tile.columns + tile.rows) * 2
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
    """The fastest cut for every kind and rung, each timed over all layers so that no weights stay in the cache."""
    began = time.perf_counter()
    made = parts(fewer_layers(12), device, max(rungs), 640, storage)
    kinds = [*made.sizes, ("attention", 0, 0)]
    jobs = [(kind, rows, n, k) for rows in rungs for kind, n, k in kinds]
    tuned, lines = Tuned(), list[dict[str, Any]]()
    for done, (kind, rows, n, k) in enumerate(jobs):
        left = budget_seconds - (time.perf_counter() - began)
        share = left / (len(jobs) - done)
        times = _times(made, early, kind, rows, candidates(kind, rows, n, k, storage is not Storage.WHOLE), share)
        if not times:
            print(f"{kind} at {rows} rows: nothing ran", flush=True)
            continue
        best = min(times, key=lambda choice: times[choice])
        tuned[kind, rows] = best
        moved = _bytes(made, kind, rows)
        line = {
            "kind": kind, "rows": rows, "best": str(best), "us": times[best], "tried": len(times),
            "terabytes_per_second": moved / times[best] / 1e6, "cublas_us": times.get(None),
        }  # fmt: skip
        lines.append(line)
        cublas = f"   cuBLAS {times[None]:7.1f} us" if None in times else ""
        speed = f"{times[best]:8.1f} us {line['terabytes_per_second']:5.2f} TB/s, {len(times):>3} tried"
        print(f"{kind:<9} rows {rows:>3} {speed}: {best}{cublas}", flush=True)
    return tuned, lines


def _times(
    made: Parts, early: bool, kind: str, rows: int, choices: list[Tile | Shares | None], seconds: float
) -> dict[Tile | Shares | None, float]:
    made.place(rows, 500)
    trial = Trial(None)
    kernels = FusedKernels(made.memory, made.model.embedding, 0, trial, early, made.rows)
    usable = []
    for choice in choices:
        trial.choice = choice
        with suppress(AssertionError):
            kernels.reserve([size for size in made.sizes if size[0] == kind], [rows])
            usable.append(choice)

    def compile_only(choice: Tile | Shares | None) -> None:
        trial.choice = choice
        _launch(made, kernels, kind, rows, 1)

    began = time.perf_counter()
    kernels.start = compiled
    # About forty kernels a second are compiled by sixteen processors; what is slow to try is tried less.
    usable = _thinned(usable, max(8, int(seconds * 20)))
    compile_all([lambda choice=choice: compile_only(choice) for choice in usable])  # type: ignore[misc]
    kernels.start = launched
    times: dict[Tile | Shares | None, float] = {}
    layers = len(made.model.layers)
    for choice in usable:
        trial.choice = choice
        if times and time.perf_counter() - began > seconds:
            break
        with suppress(Exception):
            times[choice] = graph_microseconds(lambda: _launch(made, kernels, kind, rows, layers), 5) / layers
    return times


def _thinned(choices: list[Any], most: int) -> list[Any]:
    """At most so many, cuBLAS among them, taken evenly."""
    last = choices[-1:] if choices and choices[-1] is None else []
    rest = choices[: len(choices) - len(last)]
    return [*last, *rest[:: -(-len(rest) // most) or 1]]


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
