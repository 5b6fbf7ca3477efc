"""How a layer's work is cut into programs."""

from collections.abc import Callable
from dataclasses import dataclass

from triton import cdiv, next_power_of_2

PROGRAMS = 100  # a layer with fewer leaves many of an H100's 132 processors idle
KEPT = 2048  # numbers of the past that one program stores


@dataclass(frozen=True)
class Tile:
    """A program makes `rows` samples of `columns` channels, taking `depth` channels of its input at a time."""

    rows: int
    columns: int
    depth: int
    warps: int = 4
    stages: int = 3


@dataclass(frozen=True)
class Product:
    """The matrix product inside a layer: M samples, from K channels to N, for each of `phases`. A `whole` one must not
    be cut along N.
    """

    kind: str
    m: int
    k: int
    n: int
    phases: int = 1
    whole: bool = False


Tiling = Callable[[Product], Tile]

# For steps that fill the device, by kind and output channels: what `python -m benchmarks.decode_cuda` chose on an H100.
LARGE = {
    ("convolution", 64): Tile(64, 64, 64, 4, 1),
    ("convolution", 128): Tile(64, 128, 64, 4, 1),
    ("convolution", 256): Tile(128, 256, 32, 8, 1),
    ("convolution", 512): Tile(64, 128, 64, 4, 1),
    ("convolution", 1024): Tile(64, 128, 64, 4, 1),
    ("upsampling", 64): Tile(128, 64, 32, 4, 3),
    ("upsampling", 128): Tile(64, 128, 32, 4, 3),
    ("upsampling", 256): Tile(128, 256, 32, 8, 3),
    ("upsampling", 512): Tile(128, 128, 32, 8, 3),
    ("noise", 256): Tile(64, 128, 64, 4, 2),
    ("noise", 512): Tile(128, 128, 32, 8, 3),
    ("ending", 1): Tile(64, 1, 64, 4, 1),
}


def standard(product: Product) -> Tile:
    """Large tiles where they occupy the whole device, small ones elsewhere; never larger than the channels."""
    width = max(16, next_power_of_2(product.n))
    depth = max(16, next_power_of_2(product.k))
    tile = LARGE.get((product.kind, width if product.n > 1 else 1), Tile(64, 64, 64, 4, 1))
    programs = cdiv(product.m, tile.rows) * cdiv(product.n, tile.columns) * product.phases
    if programs < PROGRAMS:
        tile = Tile(16, width if product.whole else 32, 64, 4, tile.stages)
    columns = max(tile.columns, width) if product.whole else min(tile.columns, width)
    whole_depth = depth if product.kind == "ending" else min(tile.depth, depth)
    return Tile(tile.rows, columns, whole_depth, tile.warps, tile.stages)
