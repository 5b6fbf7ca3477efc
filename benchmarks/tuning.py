"""Tries tiles for the kernels of the CUDA decoder and takes the fastest for each kind and width of layer."""

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor

from audio_service.fused.decoder import FusedDecoder
from audio_service.fused.launches import compile_all, compiled
from audio_service.fused.layers import Step
from audio_service.fused.tiles import LARGE, KindAndWidth, Product, Tile, standard, width
from benchmarks.kernel_times import graph_microseconds

CANDIDATES: dict[KindAndWidth, list[Tile]] = {
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
    """The standard tiles, some of the large ones replaced by those that proved faster."""

    def __init__(self) -> None:
        self.chosen: dict[KindAndWidth, Tile] = {}

    def __call__(self, product: Product) -> Tile:
        """As `standard`."""
        return standard(product, {**LARGE, **self.chosen})


@dataclass(frozen=True)
class Stage:
    """One layer in a step, ready to be launched."""

    kind: str
    channels: int
    layer: Any
    arguments: tuple[Tensor, ...]
    step: Step

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind} {self.channels}"

    @property
    def kind_and_width(self) -> KindAndWidth:
        """What its tile depends on."""
        return self.kind, width(self.channels)

    def launch(self) -> None:
        """Starts it."""
        self.layer(self.step, *self.arguments)

    def compile(self) -> None:
        """Compiles it."""
        self.layer(replace(self.step, start=compiled), *self.arguments)


def stages(decoder: FusedDecoder, step: Step, signals: tuple[Tensor, Tensor], audio: Tensor) -> list[Stage]:
    """The decoder's layers after the latents."""
    x, y = signals
    found = [Stage(type(layer).__name__.lower(), layer.channels, layer, (x, y), step) for layer in decoder.layers]
    return [*found, Stage("ending", 1, decoder.ending, (x, audio), step)]


def layer_times(found: list[Stage]) -> dict[str, float]:
    """Microseconds of each layer by itself, by its place and name."""
    return {f"{place:02d} {stage.name}": graph_microseconds(stage.launch) for place, stage in enumerate(found)}


def tune(found: list[Stage], tuned: Tuned, budget_seconds: float) -> list[dict[str, Any]]:
    """Fills `tuned`, which must be the decoder's tiling, until the time is over; gives every time that it took."""
    began, trials = time.perf_counter(), list[dict[str, Any]]()
    # The last of a block is as wide as the others and has the longest past.
    last = {stage.kind_and_width: stage for stage in found if stage.kind_and_width in CANDIDATES}
    pairs = [(stage, tile) for place, stage in last.items() for tile in CANDIDATES[place]]
    compile_all(partial(_compile, stage, tuned, tile) for stage, tile in pairs)
    for place, stage in reversed(last.items()):
        times = dict[Tile, float]()
        for tile in CANDIDATES[place]:
            if time.perf_counter() - began < budget_seconds:
                tuned.chosen[place] = tile
                trials.append({"layer": stage.name, "tile": str(tile)} | _trial(stage))
                times[tile] = trials[-1].get("us", float("inf"))
        tuned.chosen.pop(place, None)
        if times and min(times.values()) < float("inf"):
            tuned.chosen[place] = min(times, key=lambda tile: times[tile])
    return trials


def _compile(stage: Stage, tuned: Tuned, tile: Tile) -> None:
    tuned.chosen[stage.kind_and_width] = tile
    stage.compile()


def _trial(stage: Stage) -> dict[str, Any]:
    try:
        return {"us": graph_microseconds(stage.launch)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
