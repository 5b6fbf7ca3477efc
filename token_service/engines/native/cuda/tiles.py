"""How each product and attention is cut into programs, by its kind and number of rows."""

from dataclasses import asdict, dataclass
from typing import Any

from triton import cdiv, next_power_of_2

KINDS = ("heads", "out", "gate_up", "down", "logits")


@dataclass(frozen=True)
class Tile:
    """A program's part of a product: `rows` of x (1: without tensor cores), `columns` of the result, `depth` at a time
    in `stages` stages; `splits` programs share a tile's sum. `ahead` columns are asked for before the wait.
    """

    rows: int
    columns: int
    depth: int
    splits: int = 1
    warps: int = 4
    stages: int = 3
    ahead: int = 0

    def span(self, k: int) -> int:
        """The columns of x that one program reads."""
        return int(cdiv(cdiv(k, self.depth), self.splits) * self.depth)

    def even(self, n: int, k: int) -> bool:
        """Whether all tiles lie within the matrix."""
        return n % self.columns == 0 and k == self.span(k) * self.splits


@dataclass(frozen=True)
class Shares:
    """How attention is cut: `splits` programs a row and key head."""

    splits: int
    warps: int = 4
    stages: int = 2


class Tiling:
    """Which tile, and which shares. A product with no tile is left to cuBLAS."""

    def product(self, kind: str, rows: int, n: int, k: int) -> Tile | None:
        """The tile for `rows` rows by a matrix [n, k]."""
        raise NotImplementedError

    def attention(self, rows: int) -> Shares:
        """The shares for so many rows."""
        raise NotImplementedError


# A line of the L2 cache holds 64 or 128 weights.
_LEAST_AHEAD = 128
# Above so many rows a product is bound by arithmetic, and cuBLAS is the better hand at that.
_FEW_ROWS = 16
# Guesses for an H100's 132 multiprocessors, to be replaced by what benchmarks/engine_cuda.py finds fastest.
_ONE_ROW = {
    "heads": Tile(1, 16, 256, 1, 4, 4, 1024),
    "out": Tile(1, 8, 256, 1, 4, 4, 1024),
    "gate_up": Tile(1, 16, 512, 1, 8, 3, 1024),
    "down": Tile(1, 8, 512, 1, 4, 4, 1024),
    "logits": Tile(1, 16, 256, 1, 4, 4, 1024),
}
_SOME_ROWS = {
    "heads": Tile(16, 64, 128, 4, 4, 4, 512),
    "out": Tile(16, 64, 128, 6, 4, 4, 512),
    "gate_up": Tile(16, 64, 128, 1, 4, 4, 512),
    "down": Tile(16, 64, 128, 8, 4, 4, 512),
    "logits": Tile(16, 64, 128, 4, 4, 4, 512),
}


Tuned = dict[tuple[str, int], Tile | Shares | None]
"""What was found fastest, by kind ("attention" too) and power of two of rows; None is cuBLAS."""

# Of an H100, by `python -m benchmarks.engine_cuda`.
TUNED: Tuned = {
    ("attention", 1): Shares(8, 4, 2),
    ("attention", 4): Shares(32, 4, 1),
    ("attention", 16): Shares(4, 4, 1),
    ("attention", 64): Shares(1, 2, 1),
    ("attention", 256): Shares(1, 2, 2),
    ("down", 1): Tile(1, 8, 1024, 1, 8, 2),
    ("down", 4): Tile(8, 64, 128, 4, 4, 3),
    ("down", 16): Tile(16, 64, 256, 2, 4, 4),
    ("down", 64): Tile(32, 128, 128, 2, 8, 4),
    ("down", 256): None,
    ("gate_up", 1): Tile(1, 8, 1024, 1, 4, 2),
    ("gate_up", 4): Tile(8, 128, 128, 1, 4, 5),
    ("gate_up", 16): Tile(16, 64, 128, 1, 4, 4),
    ("gate_up", 64): Tile(32, 128, 64, 1, 8, 4),
    ("gate_up", 256): None,
    ("heads", 1): Tile(1, 4, 512, 1, 2, 1),
    ("heads", 4): Tile(8, 32, 128, 1, 4, 4),
    ("heads", 16): Tile(16, 32, 256, 1, 4, 4),
    ("heads", 64): None,
    ("heads", 256): None,
    ("logits", 1): Tile(1, 4, 1024, 1, 2, 1),
    ("logits", 4): Tile(8, 64, 256, 4, 4, 3),
    ("logits", 16): Tile(16, 64, 128, 2, 4, 5),
    ("logits", 64): Tile(32, 64, 128, 1, 4, 4),
    ("logits", 256): Tile(32, 64, 128, 1, 4, 4),
    ("out", 1): Tile(1, 4, 1024, 1, 2, 1),
    ("out", 4): Tile(8, 64, 128, 2, 4, 5),
    ("out", 16): Tile(16, 64, 256, 2, 8, 3),
    ("out", 64): None,
    ("out", 256): None,
}
TUNED_EIGHT_BIT: Tuned = {
    ("attention", 1): Shares(8, 4, 2),
    ("attention", 64): Shares(1, 2, 1),
    ("attention", 256): Shares(1, 2, 3),
    ("down", 1): Tile(1, 4, 1024, 1, 4, 4),
    ("down", 64): Tile(32, 64, 128, 4, 4, 4),
    ("down", 256): Tile(32, 64, 128, 2, 4, 3),
    ("gate_up", 1): Tile(1, 16, 256, 1, 2, 4),
    ("gate_up", 64): Tile(32, 128, 64, 2, 4, 3),
    ("gate_up", 256): Tile(32, 128, 64, 1, 4, 3),
    ("heads", 1): Tile(1, 16, 512, 1, 4, 4),
    ("heads", 64): Tile(32, 64, 128, 4, 4, 3),
    ("heads", 256): Tile(32, 64, 64, 1, 4, 4),
    ("logits", 1): Tile(1, 4, 1024, 1, 2, 2),
    ("logits", 64): Tile(32, 64, 128, 2, 4, 4),
    ("logits", 256): Tile(32, 64, 64, 2, 4, 3),
    ("out", 1): Tile(1, 8, 1024, 1, 4, 2),
    ("out", 64): Tile(32, 128, 128, 4, 8, 3),
    ("out", 256): Tile(32, 64, 128, 2, 4, 3),
}


class Fast(Tiling):
    """The fastest known: tiles for few rows, cuBLAS for many; what was tuned for a number of rows, or the next larger
    one, comes first.
    """

    def __init__(self, tuned: Tuned, quantised: bool = False) -> None:
        self.tuned = dict(tuned)
        self._quantised = quantised

    def product(self, kind: str, rows: int, n: int, k: int) -> Tile | None:
        """A tuned tile, else a guess; quantised matrices and logits have no other way than tiles."""
        known = [(kind, least) for least in _powers(rows) if (kind, least) in self.tuned]
        if known:
            tuned = self.tuned[known[0]]
            return fitted(tuned, k) if isinstance(tuned, Tile) else None
        if rows == 1:
            return fitted(_ONE_ROW[kind], k)
        if rows <= _FEW_ROWS:
            return fitted(_SOME_ROWS[kind], k)
        if self._quantised or kind == "logits":
            return fitted(Tile(64 if rows <= 64 else 128, 64, 64, 1, 4, 4), k)
        return None

    def attention(self, rows: int) -> Shares:
        """Enough programs for every multiprocessor, with eight key heads."""
        for least in _powers(rows):
            tuned = self.tuned.get(("attention", least))
            if isinstance(tuned, Shares):
                return tuned
        return Shares(max(1, min(16, 64 // rows)))


class Steady(Tiling):
    """The same cut for any number of rows: a row's bits do not depend on its company (law 4)."""

    def product(self, kind: str, rows: int, n: int, k: int) -> Tile | None:
        """Tiles as wide as many rows need."""
        splits = {"heads": 4, "out": 6, "down": 8}.get(kind, 1)
        return fitted(Tile(64, 64, 64, splits, 4, 4), k)

    def attention(self, rows: int) -> Shares:
        """The same number of shares always; their borders follow from the row's own length."""
        return Shares(8)


def fitted(tile: Tile, k: int) -> Tile:
    """A tile no deeper and no more split than a matrix of k columns has a use for."""
    depth = min(tile.depth, max(16, next_power_of_2(k)))
    splits = max(1, min(tile.splits, cdiv(k, depth)))
    # No share may be empty: its program would be waited for in vain by nobody, but read past the matrix.
    while splits > 1 and (splits - 1) * cdiv(cdiv(k, depth), splits) >= cdiv(k, depth):
        splits -= 1
    ahead = min(tile.ahead, cdiv(cdiv(k, depth), splits) * depth)
    ahead = 1 << ahead.bit_length() >> 1 if ahead >= _LEAST_AHEAD else 0
    return Tile(tile.rows, tile.columns, depth, splits, tile.warps, tile.stages, ahead)


def _powers(rows: int) -> list[int]:
    """The powers of two that stand for so many rows, the nearest first; one row is like no other."""
    least = int(next_power_of_2(rows))
    return [1] if rows == 1 else [least << k for k in range(10)]


def as_text(tuned: Tuned) -> str:
    """The table as Python, to be pasted."""
    return "\n".join(f"    ({kind!r}, {rows}): {choice!r}," for (kind, rows), choice in sorted(tuned.items()))


def as_json(tuned: Tuned) -> list[dict[str, Any]]:
    """The table as JSON."""
    return [
        {"kind": kind, "rows": rows, "tile": asdict(choice) if choice else None}
        for (kind, rows), choice in sorted(tuned.items())
    ]
