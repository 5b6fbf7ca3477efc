"""Orpheus' shape with random weights, on whatever device: what the CUDA engine is measured with."""

from dataclasses import dataclass, replace

import torch

from benchmarks.orpheus_shape import CONFIG
from swara.profile import load_profile
from token_service.engines.base import GenerationRequest
from token_service.engines.native.cuda.fused import FusedKernels
from token_service.engines.native.cuda.layout import PAGE_TOKENS
from token_service.engines.native.cuda.load import DummyTensors, load_model
from token_service.engines.native.cuda.matrix import Matrix, Storage
from token_service.engines.native.cuda.memory import Memory
from token_service.engines.native.cuda.plain import PlainKernels
from token_service.engines.native.cuda.step import LayerMatrices, Model
from token_service.engines.native.cuda.tiles import Tiling
from token_service.engines.native.weights import LlamaShape

PROFILE = load_profile(None)
SHAPE = LlamaShape.of(CONFIG)
PROMPT_TOKENS = 48


@dataclass(frozen=True)
class Parts:
    """A model, memory for streams 1..rows of `context_tokens` each, and the plain kernels over both."""

    model: Model
    memory: Memory
    plain: PlainKernels
    rows: int

    def fused(self, tiling: Tiling, early: bool) -> FusedKernels:
        """The fused kernels over the same memory, with room for every number of rows."""
        first = PROFILE.code_base_id
        kernels = FusedKernels(self.memory, self.model.embedding, first, tiling, early, self.rows)
        kernels.reserve(
            self.sizes, [*(rows for rows in (1, 2, 4, 8, 16, 32, 64, 128, 256) if rows <= self.rows), self.rows]
        )
        return kernels

    @property
    def sizes(self) -> list[tuple[str, int, int]]:
        """The products of a step: kind, rows and columns of the matrix."""
        head = self.model.slot_heads[0]
        layer = [(kind, matrix.rows, matrix.columns) for kind, matrix in vars(self.model.layers[0]).items()]
        return [*layer, ("logits", head.rows, head.columns)]

    def place(self, rows: int, position: int | None = None) -> None:
        """Puts a stream in each of the first rows, at this position or anywhere, with anything in its past."""
        batch, context = self.memory.batch(rows), self.memory.table.shape[1] * PAGE_TOKENS
        device = batch.x.device
        batch.plan.zero_()
        batch.plan[:, 0] = batch.slots[:] = torch.arange(1, rows + 1, device=device)
        batch.plan[:, 1] = 1
        batch.plan[:, 2] = -1
        anywhere = torch.randint(0, context - 8, (rows,), device=device)
        batch.positions[:] = anywhere if position is None else position
        batch.x.normal_(0.0, 1.0)
        for scratch in (batch.queries, batch.mixed, batch.gates):
            scratch.normal_(0.0, 1.0)


def parts(
    shape: LlamaShape, device: torch.device, rows: int, context_tokens: int, storage: Storage = Storage.WHOLE
) -> Parts:
    """Random weights and a random past."""
    model = load_model(shape, DummyTensors(shape, device), PROFILE, storage, torch.bfloat16)
    return around(shape, model, rows, context_tokens, torch.bfloat16)


def around(shape: LlamaShape, model: Model, rows: int, context_tokens: int, dtype: torch.dtype) -> Parts:
    """Memory and kernels for a model."""
    each = -(-context_tokens // PAGE_TOKENS)
    device = model.embedding.device
    memory = Memory(
        shape, PROFILE.codebook_size, model.slot_heads[0].rows, rows + 1, 1 + rows * each, context_tokens, rows, device,
        dtype, dtype,
    )  # fmt: skip
    for pages in memory.cache:
        pages.normal_(0.0, 1.0)
    memory.table[1:] = (torch.randperm(rows * each, device=device) + 1).view(rows, each).int()
    return Parts(model, memory, PlainKernels(memory, model.embedding, PROFILE.code_base_id), rows)


def exact(model: Model) -> Model:
    """The same weights in float32."""

    def wide(matrix: Matrix) -> Matrix:
        return Matrix(matrix.whole())

    layers = tuple(LayerMatrices(*(wide(matrix) for matrix in vars(layer).values())) for layer in model.layers)
    return Model(model.embedding.float(), layers, tuple(wide(head) for head in model.slot_heads))


def fewer_layers(layers: int) -> LlamaShape:
    """The shape with fewer layers: each is as wide as ever."""
    return replace(SHAPE, layers=layers)


def request(index: int, frames: int) -> GenerationRequest:
    """A request with a random prompt of the benchmark's length and the benchmark's sampling."""
    random = torch.Generator().manual_seed(index)
    middle = PROMPT_TOKENS - len(PROFILE.prompt_prefix_ids) - len(PROFILE.prompt_suffix_ids)
    words = torch.randint(0, 128_000, (middle,), generator=random).tolist()
    prompt = (*PROFILE.prompt_prefix_ids, *words, *PROFILE.prompt_suffix_ids)
    return GenerationRequest(f"b{index}", prompt, PROFILE.sampling, 1000 + index, frames, ignore_end=True)
