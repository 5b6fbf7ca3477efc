"""The CUDA path of the native engine, its kernels run by Triton's interpreter: exact, slow, and without a GPU."""

import os
import sys
from collections.abc import Iterator

import pytest
import torch

from swara.frames import SLOTS

if "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="Triton is not installed; it comes with PyTorch's CUDA builds")
if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("Triton was imported before its interpreter was asked for", allow_module_level=True)

from tests.token_service.small_llamas import PROFILE, SHAPE, Small, small
from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.fused import FusedKernels
from token_service.engines.native.cuda.matrix import Storage
from token_service.engines.native.cuda.step import Kernels, frame, read
from token_service.engines.native.cuda.tiles import Shares, Steady, Tile, Tiling, fitted

POSITIONS = (0, 5, 63, 64, 200, 130)


class Given(Tiling):
    """One tile for every product, or cuBLAS' way for all but the logits."""

    def __init__(self, tile: Tile | None, splits: int) -> None:
        self._tile, self._splits = tile, splits

    def product(self, kind: str, rows: int, n: int, k: int) -> Tile | None:
        tile = self._tile or (Tile(16, 32, 32) if kind == "logits" else None)
        return fitted(tile, k) if tile else None

    def attention(self, rows: int) -> Shares:
        return Shares(self._splits)


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield


def fused(made: Small, tiling: Tiling, rows: int) -> FusedKernels:
    kernels = FusedKernels(made.memory, made.model.embedding, PROFILE.code_base_id, tiling, False, 16)
    layer = made.model.layers[0]
    sizes = [(kind, matrix.rows, matrix.columns) for kind, matrix in vars(layer).items()]
    kernels.reserve([*sizes, ("logits", made.model.slot_heads[0].rows, SHAPE.hidden)], [rows])
    return kernels


def one_step(made: Small, kernels: Kernels, rows: int) -> None:
    """Reads a token in each row, after others that are random, and makes the logits of slot 3."""
    random = torch.Generator().manual_seed(3)
    for pages in made.memory.cache:
        pages.copy_(torch.randn(pages.shape, generator=random).to(pages.dtype))
    batch = made.memory.batch(rows)
    for row in range(rows):
        batch.plan[row] = torch.tensor([1 + row % 5, layout.RUNS, 20 + row, POSITIONS[row % 6]])
    if rows > 2:
        batch.plan[2, layout.FLAGS] = 0
    read(kernels, made.model, made.memory.cache, batch)
    kernels.logits(batch, made.model.slot_heads[3])


def relative_error(value: torch.Tensor, reference: torch.Tensor) -> float:
    return float((value.double() - reference.double()).norm() / reference.double().norm())


@pytest.mark.parametrize(
    ("tile", "splits", "rows", "storage"),
    [
        (Tile(1, 16, 32), 1, 1, Storage.WHOLE),
        (Tile(1, 16, 32, 3), 4, 1, Storage.INT8),
        (Tile(16, 32, 32), 1, 6, Storage.WHOLE),
        (Tile(4, 32, 32, 3), 3, 6, Storage.WHOLE),
        (Tile(16, 16, 64, 2), 2, 16, Storage.FP8),
        (None, 1, 6, Storage.WHOLE),
    ],
)
def test_a_step_equals_that_of_plain_torch_however_it_is_cut(
    tile: Tile | None, splits: int, rows: int, storage: Storage
) -> None:
    plain, cut = small(storage=storage), small(storage=storage)
    one_step(plain, plain.plain, rows)
    kernels = fused(cut, Given(tile, splits), rows)
    one_step(cut, kernels, rows)
    expected, given = plain.memory.batch(rows), cut.memory.batch(rows)
    runs = expected.positions >= 0
    assert torch.equal(given.positions, expected.positions)
    assert relative_error(given.x[runs], expected.x[runs]) < 2e-6
    assert relative_error(given.logits[runs], expected.logits[runs]) < 2e-6
    for ours, theirs in zip(cut.memory.cache, plain.memory.cache, strict=True):
        assert relative_error(ours[1:], theirs[1:]) < 2e-6
    assert not kernels._counters.any(), "the next step would find its counters used"


@pytest.mark.parametrize("cache_dtype", [torch.float16, torch.float8_e4m3fn])
def test_a_step_in_half_precision_is_near_that_in_float32(cache_dtype: torch.dtype) -> None:
    exact, half = small(), small(dtype=torch.float16, cache_dtype=cache_dtype)
    one_step(exact, exact.plain, 6)
    one_step(half, fused(half, Given(Tile(16, 32, 32, 2), 2), 6), 6)
    runs = exact.memory.batch(6).positions >= 0
    error = relative_error(half.memory.batch(6).logits[runs], exact.memory.batch(6).logits[runs])
    assert 0 < error < (0.01 if cache_dtype is torch.float16 else 0.1)


@pytest.mark.parametrize(("storage", "most"), [(Storage.FP8, 0.04), (Storage.INT8, 0.01)])
def test_a_quantised_matrix_is_near_the_matrix(storage: Storage, most: float) -> None:
    exact, quantised = small(), small(storage=storage)
    for name, matrix in vars(quantised.model.layers[1]).items():
        assert 0 < relative_error(matrix.whole(), getattr(exact.model.layers[1], name).whole()) < most
        assert matrix.nbytes < getattr(exact.model.layers[1], name).nbytes / 2
    assert quantised.model.layers[0].gate_up.rows == 2 * SHAPE.mlp


def test_a_frame_gives_the_codes_of_plain_torch_ends_where_it_does_and_leaves_the_same_states() -> None:
    rows = 5
    plain, cut = small(), small()
    kernels = fused(cut, Given(Tile(16, 32, 64), 2), rows)
    for made, given in ((plain, plain.plain), (cut, kernels)):
        prepare_frame(made, rows)
        frame(given, made.model, made.memory.cache, made.memory.batch(rows))
    codes = plain.memory.batch(rows).codes
    assert torch.equal(cut.memory.batch(rows).codes, codes)
    assert codes[0].min() >= 0
    assert codes[1].tolist() == [PROFILE.codebook_size] + [layout.NOT_RUN] * 6, "END_OF_SPEECH was made likely"
    assert codes[2].min() >= 0, "where it is not legal it is not drawn"
    assert codes[3].tolist() == [layout.NOT_RUN] * 7, "a row that was to pause"
    assert codes[4].tolist() == [layout.BROKEN] + [layout.NOT_RUN] * 6, "logits that are no numbers"
    assert torch.equal(cut.memory.state[1:], plain.memory.state[1:])
    assert torch.equal(cut.memory.seen[1:], plain.memory.seen[1:])
    alive = cut.memory.state[1:, layout.ALIVE].tolist()
    assert alive == [1, 0, 1, 1, 0]
    assert cut.memory.state[1, layout.LENGTH] == 71 + SLOTS


def prepare_frame(made: Small, rows: int) -> None:
    """Five streams at the same place: an ordinary one, one that may end, one that may not, one paused, one broken."""
    memory = made.memory
    for slot in range(1, rows + 1):
        floats = memory.state.view(torch.float32)
        memory.state[slot, layout.TOKEN], memory.state[slot, layout.LENGTH] = 30 + slot, 71
        memory.state[slot, layout.SPOKEN], memory.state[slot, layout.ALIVE] = 7, 1
        memory.state[slot, layout.TOP_K] = 5 * (slot % 2)
        floats[slot, layout.TEMPERATURE], floats[slot, layout.TOP_P] = 0.8, 0.9
        floats[slot, layout.PENALTY] = 1.2
        memory.state[slot, layout.SEED :] = torch.tensor([slot, -slot])
    random = torch.Generator().manual_seed(3)
    for pages in memory.cache:
        pages.copy_(torch.randn(pages.shape, generator=random))
    batch = memory.batch(rows)
    for row in range(rows):
        batch.plan[row] = torch.tensor([row + 1, layout.RUNS, -1, 0])
    batch.plan[1, layout.FLAGS] |= layout.MAY_END
    batch.plan[3, layout.FLAGS] = 0
    made.model.embedding[35] = float("nan")
    # END_OF_SPEECH's logit becomes far larger than any code's.
    state = hidden_of(made)
    made.model.slot_heads[0].values[PROFILE.codebook_size] = 1000 * (state[1].sign() + state[2].sign())


def hidden_of(made: Small) -> torch.Tensor:
    """The states of the plan's rows after all layers."""
    batch = made.memory.batch(5)
    read(made.plain, made.model, [pages.clone() for pages in made.memory.cache], batch)
    return batch.x.clone()


def test_the_steady_tiling_gives_a_row_the_same_bits_in_any_company() -> None:
    made = small()
    alone, among = fused(made, Steady(), 1), fused(made, Steady(), 7)
    states = []
    for kernels, rows, place in ((alone, 1, 0), (among, 7, 4)):
        for pages in made.memory.cache:
            pages.copy_(torch.randn(pages.shape, generator=torch.Generator().manual_seed(3)))
        batch = made.memory.batch(rows)
        for row in range(rows):
            batch.plan[row] = torch.tensor([1 + row % 5, layout.RUNS, 50 + row, 70 + row])
        batch.plan[place] = torch.tensor([5, layout.RUNS, 33, 130])
        read(kernels, made.model, made.memory.cache, batch)
        states.append(batch.x[place].clone())
    assert torch.equal(*states)
