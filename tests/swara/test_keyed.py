"""Keyed randomness rests on splitmix64, in tensors and in Python's integers alike."""

import torch

from swara import keyed

# Published outputs of splitmix64 for the seed 1234567.
OUTPUTS = [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_the_tensor_hash_gives_splitmix64s_outputs() -> None:
    hashed = keyed.mix(torch.tensor(1234567), torch.arange(1, 4))
    assert [value % 2**64 for value in hashed.tolist()] == OUTPUTS


def test_the_integer_hash_gives_the_same() -> None:
    assert keyed.mix_int(1234567) == OUTPUTS[0]
    assert keyed.mix_int(0) == 0xE220A8397B1DCDAF


def test_the_extremes_of_the_bits_stay_finite() -> None:
    bits = torch.tensor([0, -1, 2**63 - 1, -(2**63)])
    assert keyed.gumbel(bits).isfinite().all()
    assert keyed.normal(bits).isfinite().all()
