"""The codec's noise is a pure function of its place, and looks like randn's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_service.noise import key, normals

COUNT = 200_000
SEEDS = (0, 1, 2, 12_345, 2**63, 2**64 - 1)


def noise(seed: int, layer: int, first: int, count: int) -> torch.Tensor:
    return normals(torch.tensor(key(seed, layer)), torch.arange(first, first + count))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 3), st.integers(-5000, 2**40), st.integers(1, 500))
def test_any_stretch_of_noise_is_the_same_as_its_samples_alone(seed: int, layer: int, first: int, count: int) -> None:
    stretch = noise(seed, layer, first, count)
    k = count // 2
    assert torch.allclose(stretch[k : k + 1], noise(seed, layer, first + k, 1), rtol=0, atol=1e-6)
    assert stretch.isfinite().all()


@pytest.mark.parametrize("seed", SEEDS)
def test_moments_are_those_of_a_standard_normal(seed: int) -> None:
    x = noise(seed, seed % 4, 0, COUNT).double()
    assert abs(x.mean()) < 5 / math.sqrt(COUNT)
    assert abs(x.var() - 1) < 5 * math.sqrt(2 / COUNT)
    assert abs((x**3).mean()) < 5 * math.sqrt(15 / COUNT)
    assert abs((x**4).mean() - 3) < 5 * math.sqrt(96 / COUNT)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_distribution_is_as_close_to_normal_as_randn(seed: int) -> None:
    def distance(x: torch.Tensor) -> float:
        """Kolmogorov-Smirnov, against the normal distribution."""
        expected = torch.special.ndtr(x.double().sort().values)
        return float((expected - (torch.arange(len(x)) + 0.5) / len(x)).abs().max())

    critical = 1.95 / math.sqrt(COUNT)  # one in a thousand
    assert distance(torch.randn(COUNT, generator=torch.Generator().manual_seed(1))) < critical
    assert distance(noise(seed, 0, 0, COUNT)) < critical


@pytest.mark.parametrize("seed", SEEDS)
def test_neighbouring_samples_are_independent(seed: int) -> None:
    x = noise(seed, 1, 0, COUNT).double()
    for lag in (1, 2, 3, 7, 64, 512, 2048):
        assert abs((x[lag:] * x[:-lag]).mean()) < 5 / math.sqrt(COUNT), lag
        squares = x**2 - 1
        assert abs((squares[lag:] * squares[:-lag]).mean()) < 5 * 2 / math.sqrt(COUNT), lag


def test_seeds_and_layers_do_not_resemble_each_other() -> None:
    streams = [noise(seed, layer, 0, COUNT // 4).double() for seed in SEEDS for layer in range(4)]
    correlation = np.corrcoef(torch.stack(streams).numpy()) - np.eye(len(streams))
    assert np.abs(correlation).max() < 5 / math.sqrt(COUNT // 4)
    shifted = np.corrcoef(streams[0][1:], streams[1][:-1])[0, 1]
    assert abs(shifted) < 5 / math.sqrt(COUNT // 4)


def test_rows_of_a_batch_take_their_own_keys() -> None:
    keys = torch.tensor([[key(1, 0)], [key(2, 0)]])
    both = normals(keys, torch.arange(50)[None])
    assert torch.allclose(both[0], noise(1, 0, 0, 50), atol=1e-6)
    assert torch.allclose(both[1], noise(2, 0, 0, 50), atol=1e-6)
