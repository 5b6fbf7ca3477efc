"""One step of the model on the device: `frame` is the whole work of seven tokens on one screen."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from swara.frames import SLOTS
from token_service.engines.native.cuda.matrix import Matrix
from token_service.engines.native.cuda.memory import Batch


@dataclass(frozen=True)
class LayerMatrices:
    """One layer: heads [(H + 2 KV) D, hidden], out [hidden, H D], gate_up [2 mlp, hidden], down [hidden, mlp].

    Norms are folded in; rotary pairs, and a gate and what it gates, are neighbouring rows.
    """

    heads: Matrix
    out: Matrix
    gate_up: Matrix
    down: Matrix


@dataclass(frozen=True)
class Model:
    """All weights: embedding [vocabulary, hidden], the layers, and for each of the seven slots its rows of the output
    matrix: codes, END_OF_SPEECH, zeros up to a round number.
    """

    embedding: Tensor
    layers: tuple[LayerMatrices, ...]
    slot_heads: tuple[Matrix, ...]

    @property
    def step_bytes(self) -> int:
        """What one step must read of the weights."""
        layers: int = sum(matrix.nbytes for layer in self.layers for matrix in vars(layer).values())
        return layers + self.slot_heads[0].nbytes

    @property
    def nbytes(self) -> int:
        """What the weights take."""
        return self.step_bytes + self.embedding.nbytes + sum(head.nbytes for head in self.slot_heads[1:])


class Kernels(Protocol):
    """The work of a step, piece by piece; each piece works on all rows of a batch."""

    def enter(self, batch: Batch) -> None:
        """Fills x, slots and positions from the plan and the slots' states."""

    def heads(self, batch: Batch, matrix: Matrix, cache: Tensor) -> None:
        """Norm of x, queries turned by position; keys and values go into the rows' pages of this layer's cache."""

    def attend(self, batch: Batch, cache: Tensor) -> None:
        """From queries to mixed values, over all tokens up to the row's own."""

    def add(self, kind: str, inputs: Tensor, matrix: Matrix, x: Tensor) -> None:
        """x += inputs by the matrix; `kind` is the matrix's name."""

    def gate_up(self, batch: Batch, matrix: Matrix) -> None:
        """Norm of x and SwiGLU."""

    def logits(self, batch: Batch, matrix: Matrix) -> None:
        """Norm of x and one slot's logits."""

    def draw(self, batch: Batch, slot_index: int) -> None:
        """A code for each row, noted in its slot's state; its embedding becomes x, and the position the next."""


def forward(kernels: Kernels, model: Model, cache: list[Tensor], batch: Batch) -> None:
    """Takes the rows' tokens through all layers."""
    for layer, pages in zip(model.layers, cache, strict=True):
        kernels.heads(batch, layer.heads, pages)
        kernels.attend(batch, pages)
        kernels.add("out", batch.mixed, layer.out, batch.x)
        kernels.gate_up(batch, layer.gate_up)
        kernels.add("down", batch.gates, layer.down, batch.x)


def frame(kernels: Kernels, model: Model, cache: list[Tensor], batch: Batch) -> None:
    """A frame for every row of the plan: codes [M, 7]."""
    kernels.enter(batch)
    for slot_index in range(SLOTS):
        forward(kernels, model, cache, batch)
        kernels.logits(batch, model.slot_heads[slot_index])
        kernels.draw(batch, slot_index)


def read(kernels: Kernels, model: Model, cache: list[Tensor], batch: Batch) -> None:
    """Reads the plan's tokens, in order of position where they are of one stream: only the cache remembers."""
    kernels.enter(batch)
    forward(kernels, model, cache, batch)
