"""How a layer's work is cut into programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from triton import cdiv, next_power_of_2

KEPT = 2048  # numbers of the past that one program stores

# Large tiles are taken from so many programs on. On an H100, with 132 processors, 128 of them were measured to be much
# faster than small ones; at 64 both should take as long, by the time that large tiles need all at once.
PROGRAMS = 80
# Small tiles prepare a layer's input anew for every few channels, wide ones once for all: a program counts as one for
# each of so many columns.
COUNTED_COLUMNS = 128


@dataclass(frozen=True)
class Tile:
    """A program makes `rows` samples of `columns` channels, taking `depth` channels of its input at a time."""

    rows: int
    columns: int
    depth: int
    warps: int = 4
    stages: int = 3


KindAndWidth = tuple[str, int]


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

    @property
    def kind_and_width(self) -> KindAndWidth:
        """What its large tile depends on."""
        return self.kind, width(self.n)


Tiling = Callable[[Product], Tile]

# For steps that fill the device: what `python -m benchmarks.decode_cuda` chose on an H100.
LARGE: Mapping[KindAndWidth, Tile] = {
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
OTHERS = Tile(64, 64, 64, 4, 1)
SMALL = Tile(16, 32, 64, 4)


def standard(product: Product, large: Mapping[KindAndWidth, Tile] = LARGE) -> Tile:
    """A large tile where enough of them are at work, a small one elsewhere; never larger than the channels."""
    tile = large.get(product.kind_and_width, OTHERS)
    if _programs(product, tile) < PROGRAMS:
        tile = replace(SMALL, stages=tile.stages)
    columns = width(product.n) if product.whole else min(tile.columns, width(product.n))
    return replace(tile, columns=columns, depth=min(tile.depth, width(product.k)))


def width(channels: int) -> int:
    """The side of the smallest block of so many channels that a tensor core takes; it never takes one alone."""
    return 1 if channels == 1 else max(16, int(next_power_of_2(channels)))


def _programs(product: Product, tile: Tile) -> int:
    """How many programs such tiles make, wide ones counted more than once."""
    programs: int = cdiv(product.m, tile.rows) * cdiv(product.n, tile.columns) * product.phases
    return programs * max(1, tile.columns // COUNTED_COLUMNS)
