"""Draws: the right distribution, keyed by (seed, position), each row for itself."""

import numpy as np
import pytest
import torch

from swara.speech import Sampling
from token_service.sampling import SamplingRows, draw, nucleus, penalised

CODES = 64
NOTHING_SEEN = torch.zeros(1, CODES, dtype=torch.bool)
PLAIN = Sampling(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(1, CODES, generator=torch.Generator().manual_seed(3)) * 2


def draws(logits: torch.Tensor, sampling: Sampling, count: int, seed: int = 11) -> np.ndarray:
    """`count` draws of one row at positions 0, 1, 2, …"""
    rows = SamplingRows.of([(sampling, seed)] * count)
    return draw(logits.expand(count, -1), NOTHING_SEEN.expand(count, -1), rows, torch.arange(count)).numpy()


def test_frequencies_follow_the_softmax_at_the_temperature(logits: torch.Tensor) -> None:
    count = 40_000
    found = np.bincount(draws(logits, Sampling(0.7, 0, 1.0, 1.0), count), minlength=CODES)
    expected = (logits[0] / 0.7).softmax(-1).numpy() * count
    common = expected > 5
    chi_square = float((((found - expected) ** 2 / expected)[common]).sum())
    assert chi_square < common.sum() + 5 * np.sqrt(2 * common.sum())


def test_two_seeds_and_two_positions_draw_independently(logits: torch.Tensor) -> None:
    flat = torch.zeros(1, CODES)
    one, two = draws(flat, PLAIN, 20_000, seed=1), draws(flat, PLAIN, 20_000, seed=2)
    for first, second in ((one, two), (one[1:], one[:-1])):
        assert abs(float((first == second).mean()) - 1 / CODES) < 4 * np.sqrt(1 / CODES / 20_000)


def test_a_draw_is_the_same_whatever_its_neighbours_are(logits: torch.Tensor) -> None:
    many = torch.randn(4, CODES)
    many[2] = logits[0]
    samplings = [(Sampling(0.6, 5, 0.8, 1.2), k) for k in (7, 8, 9, 10)]
    rows = SamplingRows.of(samplings)
    together = draw(many, NOTHING_SEEN.expand(4, -1), rows, torch.tensor([4, 5, 6, 7]))
    alone = draw(logits, NOTHING_SEEN, SamplingRows.of([samplings[2]]), torch.tensor([6]))
    assert together[2] == alone[0]


def test_temperature_zero_takes_the_likeliest_after_the_penalty(logits: torch.Tensor) -> None:
    best = int(logits.argmax())
    greedy = Sampling(0.0, 0, 1.0, 2.0)
    assert draws(logits, greedy, 3).tolist() == [best] * 3
    seen = NOTHING_SEEN.clone()
    seen[0, best] = True
    logits[0, best] = logits[0].topk(2).values[1] * 1.5
    assert int(draw(logits, seen, SamplingRows.of([(greedy, 0)]), torch.tensor([0]))) != best


def test_top_k_and_top_p_keep_exactly_the_likeliest(logits: torch.Tensor) -> None:
    ordered = logits[0].argsort(descending=True)
    kept = nucleus(logits, torch.tensor([5]), torch.tensor([1.0]))[0].isfinite()
    assert set(kept.nonzero().flatten().tolist()) == set(ordered[:5].tolist())
    probability = logits[0].softmax(-1)[ordered]
    size = int((probability.cumsum(-1) < 0.8).sum()) + 1
    kept = nucleus(logits, torch.tensor([0]), torch.tensor([0.8]))[0].isfinite()
    assert set(kept.nonzero().flatten().tolist()) == set(ordered[:size].tolist())


def test_a_tiny_top_p_still_keeps_one(logits: torch.Tensor) -> None:
    assert int(nucleus(logits, torch.tensor([0]), torch.tensor([1e-6])).isfinite().sum()) == 1


def test_the_penalty_divides_positive_and_multiplies_negative_logits() -> None:
    seen = torch.tensor([[True, True, False]])
    assert penalised(torch.tensor([[2.0, -2.0, 2.0]]), seen, torch.tensor([2.0])).tolist() == [[1.0, -4.0, 2.0]]


def test_an_illegal_code_is_never_drawn(logits: torch.Tensor) -> None:
    logits[0, ::2] = float("-inf")
    assert (draws(logits, Sampling(2.0, 0, 1.0, 1.0), 5_000) % 2 == 1).all()
