"""Tries tiles for the kernels of the CUDA decoder and takes the fastest for each layer's shape."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from triton import AsyncCompileMode, next_power_of_2

from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.layers import Step, compiled
from audio_service.fused.tiles import Product, Tile, standard

Shape = tuple[str, int]
"""A layer's kind and output channels."""

CANDIDATES: dict[Shape, list[Tile]] = {
    ("convolution", 64): [
        Tile(128, 64, 64, 8, 1), Tile(64, 64, 64, 4, 1), Tile(128, 64, 64, 4, 1), Tile(128, 64, 32, 4, 1),
        Tile(64, 64, 32, 4, 1), Tile(256, 64, 32, 8, 1), Tile(64, 64, 64, 8, 1),
    ],
    ("convolution", 128): [
        Tile(64, 128, 64, 8, 1), Tile(64, 128, 32, 4, 1), Tile(128, 128, 32, 8, 1), Tile(64, 128, 32, 8, 1),
        Tile(64, 128, 64, 4, 1), Tile(128, 128, 64, 8, 1),
    ],
    ("convolution", 256): [
        Tile(64, 256, 32, 8, 1), Tile(64, 256, 64, 8, 1), Tile(64, 128, 64, 4, 1), Tile(64, 128, 32, 4, 1),
        Tile(64, 128, 64, 8, 1), Tile(128, 256, 32, 8, 1),
    ],
    ("convolution", 512): [
        Tile(64, 256, 32, 8, 1), Tile(64, 128, 64, 4, 1), Tile(64, 128, 32, 4, 1), Tile(64, 128, 64, 8, 1),
        Tile(32, 128, 64, 4, 1),
    ],
    ("convolution", 1024): [Tile(64, 128, 64, 4, 1), Tile(64, 64, 64, 4, 1), Tile(64, 128, 64, 8, 1)],
    ("upsampling", 64): [
        Tile(128, 64, 64, 4, 2), Tile(128, 64, 64, 8, 2), Tile(64, 64, 64, 4, 2), Tile(128, 64, 32, 4, 3),
        Tile(256, 64, 32, 8, 3),
    ],
    ("upsampling", 128): [
        Tile(64, 128, 64, 4, 2), Tile(128, 128, 32, 8, 3), Tile(128, 128, 64, 8, 2), Tile(64, 128, 32, 4, 3),
    ],
    ("upsampling", 256): [
        Tile(128, 128, 32, 8, 3), Tile(128, 128, 64, 8, 2), Tile(64, 256, 32, 8, 3), Tile(64, 128, 64, 4, 3),
        Tile(128, 256, 32, 8, 3), Tile(128, 128, 32, 4, 3),
    ],
    ("upsampling", 512): [
        Tile(128, 128, 32, 8, 3), Tile(128, 128, 64, 8, 2), Tile(64, 256, 32, 8, 3), Tile(64, 128, 64, 4, 3),
        Tile(128, 256, 32, 8, 3), Tile(128, 128, 64, 8, 3),
    ],
    ("noise", 256): [
        Tile(128, 128, 64, 8, 2), Tile(64, 128, 64, 4, 2), Tile(64, 256, 32, 8, 2), Tile(128, 128, 32, 8, 3),
    ],
    ("noise", 512): [
        Tile(128, 128, 64, 8, 2), Tile(64, 128, 64, 4, 2), Tile(64, 256, 32, 8, 2), Tile(128, 128, 32, 8, 3),
    ],
    ("ending", 1): [Tile(64, 1, 64, 4, 1), Tile(128, 1, 64, 8, 1), Tile(32, 1, 64, 4, 1), Tile(128, 1, 64, 4, 1)],
}  # fmt: skip


class Tuned:
    """The standard tiles, with others for the steps of `full_rows` rows or more where they proved faster."""

    def __init__(self, chosen: dict[Shape, Tile]) -> None:
        self.chosen = chosen

    def __call__(self, product: Product) -> Tile:
        """As `standard`; small steps keep their own tiles."""
        usual = standard(product)
        tile = self.chosen.get(shape_of(product))
        return usual if tile is None or usual.rows < 32 else tile


def shape_of(product: Product) -> Shape:
    """What a product's tile depends on."""
    return product.kind, max(16, next_power_of_2(product.n)) if product.n > 1 else 1


def microseconds(launch: Callable[[], None], repeats: int = 8) -> float:
    """The median time of a launch on the device, between two events, after two to warm up."""
    launch()
    launch()
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(repeats)]
    for begin, end in events:
        begin.record()
        launch()
        end.record()
    torch.cuda.synchronize()
    times: list[float] = [begin.elapsed_time(end) for begin, end in events]
    return 1000 * statistics.median(times)


def precompile(launches: list[Callable[[], None]]) -> None:
    """Runs launches that compile only, all processors at work; what cannot be compiled will fail when it is used."""
    with ThreadPoolExecutor() as threads, AsyncCompileMode(threads, ignore_errors=True):
        for launch in launches:
            launch()


@dataclass(frozen=True)
class Stage:
    """One layer in a step, ready to be launched."""

    name: str
    layer: Any
    arguments: tuple[Any, ...]
    step: Step

    def launch(self) -> None:
        """Starts it."""
        self.layer(self.step, *self.arguments)

    def compile(self) -> None:
        """Compiles it."""
        self.layer(replace(self.step, start=compiled), *self.arguments)

    @property
    def shape(self) -> Shape:
        """What its tile depends on."""
        kind, width = self.name.split()
        return kind, int(width)


def stages(decoder: FusedDecoder, step: Step, signals: tuple[Any, Any], audio: Any) -> list[Stage]:
    """The decoder's layers after the latents."""
    x, y = signals
    found = [Stage(f"{type(layer).__name__.lower()} {layer.channels}", layer, (x, y), step) for layer in decoder.layers]
    return [*found, Stage("ending 1", decoder.ending, (x, audio), step)]


def layer_times(found: list[Stage]) -> dict[str, float]:
    """Microseconds of each layer by itself, by its place and name."""
    return {f"{place:02d} {stage.name}": microseconds(stage.launch) for place, stage in enumerate(found)}


def tune(found: list[Stage], tuned: Tuned, budget_seconds: float) -> list[dict[str, Any]]:
    """Fills `tuned`, which must be the decoder's tiling, until the time is over; gives every time that it took."""
    began, trials = time.perf_counter(), list[dict[str, Any]]()
    # The last of a block is as wide as the others and has the longest past.
    by_shape = {stage.shape: stage for stage in found if stage.shape in CANDIDATES}
    pairs = [(stage, tile) for shape, stage in by_shape.items() for tile in CANDIDATES[shape]]
    precompile([partial(_compile, stage, tuned, tile) for stage, tile in pairs])
    for shape, stage in reversed(by_shape.items()):
        times = {}
        for tile in CANDIDATES[shape]:
            if time.perf_counter() - began < budget_seconds:
                tuned.chosen[shape] = tile
                trials.append({"layer": stage.name, "tile": str(tile)} | _trial(stage))
                times[tile] = trials[-1].get("us", float("inf"))
        tuned.chosen.pop(shape, None)
        if times and min(times.values()) < float("inf"):
            tuned.chosen[shape] = min(times, key=lambda tile: times[tile])
    return trials


def _compile(stage: Stage, tuned: Tuned, tile: Tile) -> None:
    tuned.chosen[stage.shape] = tile
    stage.compile()


def _trial(stage: Stage) -> dict[str, Any]:
    try:
        return {"us": microseconds(stage.launch)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
